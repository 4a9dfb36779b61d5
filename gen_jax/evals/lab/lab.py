"""lab.html: training played back, in one page that needs no network."""
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from absl import logging

from gen_jax.data import stratified_rows
from gen_jax.errors import NoOther
from gen_jax.evals import Page, Result, Trained
from gen_jax.evals.lab._page import Frame, Run, page
from gen_jax.evals.lab._plane import bounds
from gen_jax.grids import evenly

NEEDS = ("sample_prior", "decode", "kind:points", "vector")
COMPARES = True
DATA = 1000  # points of the data that are shown
MAX_FRAMES = 150
NUMBERS = ("modes/covered", "modes/high_quality", "modes/reverse_kl", "disc/loss", "gen/loss", "test/loss")


def evaluate(trained: Trained) -> Iterator[Result]:
    """The page "lab", of the frames that lab_frames saved during training; none where it saved none.

    With evals.other, a lab run too, both are played side by side; one alone where the other cannot be had.
    """
    runs = [run for run in (_run(trained), _other(trained)) if run]
    if runs:
        yield "lab", Page(page(runs))


def _other(trained: Trained) -> Run | None:
    try:
        return _run(trained.other) if trained.other else None
    except NoOther as error:
        logging.warning("lab: %s", "; ".join(error.faults))
        return None


def _run(trained: Trained) -> Run | None:
    last = max((record["step"] for record in trained.history), default=0)
    files = [(path, step) for path in trained.saved("lab_frames") if (step := _step(trained, path)) <= last]
    if not files:
        return None
    config = trained.config
    data = trained.train_x[stratified_rows(trained.train, DATA)]
    what = config.data.shape if "shape" in config.data else config.data.name
    title = f"{what}, {config.objective.name}, seed {config.seed}"
    return Run(title, data, tuple(bounds(trained)),
               [_frame(trained, *files[i]) for i in evenly(len(files), MAX_FRAMES)])


def _frame(trained: Trained, path: Path, step: int) -> Frame:
    record = next((record for record in trained.history if record["step"] == step), {})
    with np.load(path, allow_pickle=False) as arrays:
        return Frame(step, arrays["samples"], arrays.get("heat"), arrays.get("gradients"), arrays.get("manifold"),
                     {name: record[name] for name in NUMBERS if record.get(name) is not None})


def _step(trained: Trained, path: Path) -> int:
    """The step of a file that was saved during training; files are numbered by epochs where there are some."""
    number = int(path.stem.rpartition("_")[2])
    per_epoch = trained.config.derived.steps_per_epoch
    in_epochs = bool(trained.history) and "epoch" in trained.history[-1]
    return number * per_epoch if in_epochs else number
