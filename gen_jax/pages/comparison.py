"""report.html of a sweep, or of any comparison: the groups on one page, with ways to the pages of their runs."""
import os
from pathlib import Path

from gen_jax.compare import words
from gen_jax.compare.comparison import Pair
from gen_jax.errors import UserError
from gen_jax.pages import pictures, report
from gen_jax.pages.files import link, page
from gen_jax.report.files import read_json
from gen_jax.report.workdir import Workdir
from gen_jax.whole import write_atomically

SOURCE = "comparison.json"  # as --mode=compare writes it
SAMPLES = 3_000_000  # characters of all groups' pictures
POINTS = 200_000  # of all curves of single runs; where they have more, the groups' means are shown alone


def is_there(folder: Path) -> bool:
    """Whether a comparison has been written into folder."""
    return (folder / SOURCE).exists()


def write(folder: Path) -> Path:
    """Writes report.html beside comparison.json, and returns its path. Raises OSError and UserError."""
    write_atomically(folder / report.NAME, html(folder))
    return folder / report.NAME


def html(folder: Path) -> bytes:
    """The page of the comparison in folder. Raises UserError."""
    compared = read_json(folder / SOURCE)
    if compared is None:
        raise UserError(f"{folder}: has no {SOURCE}; compare its runs first: --mode=compare --workdirs={folder}")
    try:
        return page(f"{folder.resolve().name}: comparison", content(compared, folder), "kit", "curves", "comparison")
    except (KeyError, TypeError) as error:
        raise UserError(f"{folder / SOURCE}: is not what was written there ({error!r}); compare again") from error


def content(compared: dict, folder: Path) -> dict:
    """What the page shows: comparison.json, with its curves as charts, and each run's page as seen from folder."""
    def seen(groups: list[dict]) -> list[dict]:
        return [group | {"runs": [_run(run, folder) for run in group["runs"]]} for group in groups]
    metrics = [metric | {"groups": list(map(_in_words, seen(metric["groups"]))),
                         "pairs": [_pair(Pair(**pair)) for pair in metric["pairs"]]} for metric in compared["metrics"]]
    return compared | {"name": folder.resolve().name, "groups": seen(compared["groups"]), "metrics": metrics,
                       "curves": curves(compared["metrics"]), "samples": samples(compared["groups"], folder)}


def samples(groups: list[dict], folder: Path) -> list[dict]:
    """{"name", "seed", "src"} of each group: what its first run has drawn last; of the first groups that have room."""
    found, room = [], SAMPLES
    for group in groups:
        run = group["runs"][0]
        drawn = pictures.last(Workdir(folder / run["folder"]), "samples")
        room -= len(drawn["src"]) if drawn else 0
        if drawn and room >= 0:
            found.append({"name": group["name"], "seed": run["seed"], "src": drawn["src"]})
    return found


def _in_words(group: dict) -> dict:
    """A number of a group, as the texts and tables have it."""
    return group | {"text": words.plus_minus(group["mean"], group["std"]),
                    "interval": words.bracketed(group["ci95"], group["std"])}


def _pair(pair: Pair) -> dict:
    return pair._asdict() | {"text": words.amount(pair, pair.difference), "interval": words.bracketed(pair.interval),
                             "verdict": words.verdict(pair)}


def _run(run: dict, folder: Path) -> dict:
    """A run without its curve, its folder as seen from folder; "page" leads to its report, if it has one."""
    at = folder.resolve()
    there = Path(os.path.relpath(at / run["folder"], at))
    known = {"page": link(there / report.NAME)} if (at / there / report.NAME).exists() else {}
    return {key: value for key, value in run.items() if key != "curve"} | {"folder": str(there)} | known


def curves(metrics: list[dict]) -> dict:
    """The curves as charts: of each group the mean over its runs, and "members", each run's own, where they have room.
    """
    runs = [run["curve"] for metric in metrics for group in metric["groups"] for run in group["runs"]]
    steps = sorted({step for curve in runs for step, _ in curve})
    have_room = len(runs) * len(steps) <= POINTS
    charts = [{"name": metric["name"], "unit": metric["unit"], "better": metric["better"],
               "series": [_series(group, steps, have_room) for group in metric["groups"]]} for metric in metrics]
    return {"unit": "step", "x": steps, "charts": [chart for chart in charts if any(
        value is not None for series in chart["series"] for value in series["values"])]}


def _series(group: dict, steps: list[int], with_members: bool) -> dict:
    known = [dict(map(tuple, run["curve"])) for run in group["runs"]]
    members = [[curve.get(step) for step in steps] for curve in known]
    return {"name": group["name"], "values": [_mean(values) for values in zip(*members, strict=True)],
            "members": members if with_members and len(members) > 1 else []}


def _mean(values: tuple[float | None, ...]) -> float | None:
    """The mean where every run has a value; None elsewhere."""
    return None if None in values else sum(values) / len(values)
