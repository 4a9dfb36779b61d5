"""report.html of a sweep, or of any comparison: the groups on one page, with ways to the pages of their runs."""
import os
from pathlib import Path

from gen_jax.errors import UserError
from gen_jax.pages import pictures, report
from gen_jax.pages.files import page
from gen_jax.report.files import read_json
from gen_jax.report.workdir import Workdir
from gen_jax.whole import write_atomically

SOURCE = "comparison.json"  # as --mode=compare writes it
SAMPLES = 3_000_000  # characters of all groups' pictures


def is_there(folder: Path) -> bool:
    """Whether a comparison has been written into folder."""
    return (folder / SOURCE).exists()


def write(folder: Path) -> Path:
    """Writes report.html beside comparison.json, and returns its path. Raises OSError and UserError."""
    compared = read_json(folder / SOURCE)
    if compared is None:
        raise UserError(f"{folder}: has no {SOURCE}; compare its runs first: --mode=compare --workdirs={folder}")
    try:
        html = page(f"{folder.resolve().name}: comparison", content(compared, folder), "kit", "curves", "comparison")
    except (KeyError, TypeError) as error:
        raise UserError(f"{folder / SOURCE}: is not what was written there ({error!r}); compare again") from error
    write_atomically(folder / report.NAME, html)
    return folder / report.NAME


def content(compared: dict, folder: Path) -> dict:
    """What the page shows: comparison.json, with its curves as charts, and each run's page as seen from folder."""
    metrics = [metric | {"groups": [group | {"runs": [_run(run, folder) for run in group["runs"]]}
                                    for group in metric["groups"]]} for metric in compared["metrics"]]
    return compared | {"name": folder.resolve().name, "metrics": metrics, "curves": curves(compared["metrics"]),
                       "samples": samples(compared["groups"])}


def samples(groups: list[dict]) -> list[dict]:
    """{"name", "seed", "src"} of each group: what its first run has drawn last; of the first groups that have room."""
    found, room = [], SAMPLES
    for group in groups:
        run = group["runs"][0]
        drawn = pictures.last(Workdir(run["folder"]), "samples")
        room -= len(drawn["src"]) if drawn else 0
        if drawn and room >= 0:
            found.append({"name": group["name"], "seed": run["seed"], "src": drawn["src"]})
    return found


def _run(run: dict, folder: Path) -> dict:
    """A run without its curve; "page" is where its report is, if it has one."""
    there = Path(os.path.relpath(run["folder"], folder.resolve())) / report.NAME
    known = {"page": there.as_posix()} if (folder / there).exists() else {}
    return {key: value for key, value in run.items() if key != "curve"} | known


def curves(metrics: list[dict]) -> dict:
    """The curves as charts: of each group the mean over its runs, and "members", each run's own."""
    steps = sorted({step for metric in metrics for group in metric["groups"] for run in group["runs"]
                    for step, _ in run["curve"]})
    charts = [{"name": metric["name"], "unit": metric["unit"], "better": metric["better"],
               "series": [_series(group, steps) for group in metric["groups"]]} for metric in metrics]
    return {"unit": "step", "x": steps, "charts": [chart for chart in charts if any(
        value is not None for series in chart["series"] for value in series["values"])]}


def _series(group: dict, steps: list[int]) -> dict:
    known = [dict(map(tuple, run["curve"])) for run in group["runs"]]
    members = [[curve.get(step) for step in steps] for curve in known]
    return {"name": group["name"], "values": [_mean(values) for values in zip(*members, strict=True)],
            "members": members if len(members) > 1 else []}


def _mean(values: tuple[float | None, ...]) -> float | None:
    """The mean where every run has a value; None elsewhere."""
    return None if None in values else sum(values) / len(values)
