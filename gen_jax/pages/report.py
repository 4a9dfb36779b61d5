"""report.html: a run on one page."""
import json
from pathlib import Path

from ml_collections import ConfigDict
from numpy import bincount

from gen_jax.errors import NoData, UserError
from gen_jax.evals import Trained
from gen_jax.pages import curves, latent, launches, numbers, pictures
from gen_jax.pages.files import page
from gen_jax.report.files import read_json
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.progress import clock
from gen_jax.report.summary import best
from gen_jax.report.workdir import Workdir
from gen_jax.stored import metrics
from gen_jax.whole import write_atomically

SIZE = 5_900_000  # characters that a page has at most, about
FIGURES = 0.75  # the figures' share of what all that is no picture leaves
LAB = 3_000_000  # bytes of a lab.html that a page carries
NAME = "report.html"
KNOWN = ("step", "state_sha256", "wall_s", "images_per_s", "metrics")  # of result.json


def write(folder: Workdir, trained: Trained | None) -> Path:
    """Writes report.html into a run's folder, and returns its path. Raises OSError and UserError."""
    file = folder.path / NAME
    write_atomically(file, html(folder, trained))
    return file


def html(folder: Workdir, trained: Trained | None) -> bytes:
    """The page. Raises UserError.

    folder: of the run; or of one of its steps, where that was measured by itself. trained: None where no state of it
    is at hand.
    """
    return page(f"{_home(folder).name}: report", content(folder, trained), "kit", "curves", "decoder", "latent",
                "report")


def content(folder: Workdir, trained: Trained | None) -> dict:
    """All that the page shows."""
    home = _home(folder)
    config = trained.config if trained else home.stored_config()
    result = _result(folder)
    records = trained.history if trained and home is not folder else MetricsLog(home.metrics).records()
    declared = metrics(config, (result or {}).get("evals", ()))
    table = numbers.table(result, declared) if result else []
    made = {
        "name": home.name, **_state(config, records, result), "launches": launches.launches(home),
        "headline": _headline(config, trained, result),
        "best": [*best(config, records, declared)],
        "settings": launches.settings(config), "config": launches.as_file(config),
        "data": _data(config, trained), "curves": curves.content(records, config, declared),
        "table": table, "columns": numbers.columns(table), "sentences": numbers.sentences(result) if result else [],
        "latent": latent.content(trained) if trained else {"why": "no state of it was at hand"}, "lab": _lab(folder),
        "result": {key: result[key] for key in ("step", "state_sha256")} if result else {},
    }
    room = SIZE - len(json.dumps(made))
    figures = pictures.figures(folder, config, int(FIGURES * room))
    room -= sum(len(figure.get("src", "")) for figure in figures)
    return made | {"figures": figures, "over_time": pictures.over_time(home, room)}


def _result(folder: Workdir) -> dict | None:
    """result.json; None where nothing is measured yet. A UserError where it is something else."""
    result = read_json(folder.result)
    if result is None or all(key in result for key in KNOWN):
        return result
    raise UserError(f"{folder.result}: is not what was written there; measure again by --mode=eval or remove it")


def _home(folder: Workdir) -> Workdir:
    """The run's own folder, where folder is of one of its steps."""
    return folder if folder.config.exists() else Workdir(folder.path.parent)


def _state(config: ConfigDict, records: list[dict], result: dict | None) -> dict:
    """How far the run has come: "done" and "total" steps, and the sentence that says so where it is unfinished."""
    derived, measured = config.derived, (result or {}).get("step", 0)
    done = max([record["step"] for record in records[-1:]] + [measured])
    total = derived.total_steps
    unfinished = f"This run is unfinished: {done:,} of {total:,} steps are recorded." if done < total else (
        "This run is not measured yet." if result is None else "")
    if result and measured < done:
        unfinished += f" The numbers below are of step {measured:,}."
    return {"done": done, "total": total, "unfinished": unfinished.strip()}


def _headline(config: ConfigDict, trained: Trained | None, result: dict | None) -> str:
    """What was run, in a sentence or two."""
    derived, source = config.derived, _source(config.data)
    shape = f" of {'×'.join(map(str, trained.spec.x))}" if trained else ""
    length = f"{derived.total_steps:,} steps" + (f" ({derived.total_steps / derived.steps_per_epoch:g} epochs)"
                                                 if derived.steps_per_epoch else "")
    spent = f" It took {clock(result['wall_s'])}, at {result['images_per_s']:,.0f} examples a second." if result else ""
    return (f"The model {config.model.name}, trained by the objective {config.objective.name} on {source} "
            f"({derived.num_train:,} training examples{shape}) for {length} of batches of {config.train.batch_size:,}, "
            f"with seed {config.seed}.{spent}")


def _source(data: ConfigDict) -> str:
    """The data set, by the setting that says most of it."""
    return next((str(data[key]) for key in ("dataset", "shape", "path") if data.get(key)), data.name)


def _data(config: ConfigDict, trained: Trained | None) -> dict:
    """The data set: its name, counts, classes, fingerprint, and some of its training examples."""
    about = {"name": _source(config.data), "fingerprint": config.derived.data_fingerprint,
             "train": config.derived.num_train, "kind": trained.spec.kind.name if trained else None,
             "classes": [[name, None] for name in (trained.spec.classes if trained else ())]}
    if trained is None:
        return about
    try:
        train, test = trained.train, trained.test
    except NoData as error:
        return about | {"missing": str(error)}
    counts = bincount(train.labels, minlength=len(train.classes)).tolist() if train.classes else []
    return about | {"test": len(test.x), "classes": list(map(list, zip(train.classes, counts, strict=False))),
                    "examples": pictures.examples(trained)}


def _lab(folder: Workdir) -> dict | None:
    """The page that plays training back, whole where it is small; None where there is none."""
    file = folder.path / "lab.html"
    with pictures.if_readable(file):
        if file.exists():
            return {"html": file.read_text(encoding="utf-8")} if file.stat().st_size <= LAB else {"file": file.name}
    return None
