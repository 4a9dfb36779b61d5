"""A trained run in a workdir: loaded, seen by evals, measured."""
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import jax
from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.config import differences, run_id
from gen_jax.errors import UserError
from gen_jax.evals import Page, Trained, lacks
from gen_jax.experiment import Experiment
from gen_jax.find import find
from gen_jax.report import results
from gen_jax.report.files import read_json, write_json
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.training.checkpoint import Checkpoints, saved_log
from gen_jax.training.interrupt import Interrupts
from gen_jax.training.state import TrainState, digest


class Run(NamedTuple):
    """A trained run: what its evals see, and what its result says."""

    trained: Trained
    state: TrainState
    spent: float  # seconds of training
    step_size: int  # examples in a step


def trained_of(built: Experiment, state: TrainState, workdir: Workdir, other: Trained | None = None,
               interrupts: Interrupts | None = None) -> Trained:
    """What evals see of a state: the only place where it is put together."""
    step = int(state.step)
    history = MetricsLog(workdir.metrics).history(step, saved_log(workdir.checkpoints / str(step)))
    return Trained(built.config, built.objective, built.spec, state.averaged(), built.train, built.test, history,
                         other, raw=state.vars, saved=workdir.saved, interrupts=interrupts or Interrupts())


def load_run(workdir: Workdir, overrides: dict, interrupts: Interrupts | None = None) -> Run:
    """The run in workdir at its latest whole checkpoint; nothing there is changed.

    overrides: values by dotted key, "evals.other" say; only those of what touches no state may differ.
    """
    config = workdir.stored_config()
    checkpoints = Checkpoints(workdir.checkpoints, config.checkpoint.keep, config.checkpoint.best, run_id(config))
    checkpoints.refuse_others()
    stored = config.to_dict()
    config.update_from_flattened_dict(overrides)
    built = experiment.build(config)
    if changed := differences(stored, built.config.to_dict()):
        raise UserError(*(f"{workdir.path}: {line}: cannot be changed for a run that has been trained"
                          for line in changed))
    restored = checkpoints.restore(jax.eval_shape(built.begin), set_aside=False)
    if restored is None:
        raise UserError(f"--workdir={workdir.path}: no checkpoint there; train first")
    progress, meta = restored
    trained = trained_of(built, progress.state, workdir, load_other(built.config), interrupts)
    return Run(trained, progress.state, meta["spent"], built.step_size)


def load_other(config: ConfigDict) -> Trained | None:
    """The second run that config.evals.other names."""
    if not config.evals.other:
        return None
    return load_run(Workdir(config.evals.other), {"evals.other": ""}).trained


def measure(run: Run, workdir: Workdir, interrupts: Interrupts) -> None:
    """Runs evals.end: their numbers are added to result.json after each, and their pictures are saved.

    What an earlier measurement of the same state has found stays in it.
    """
    result = _result(run)
    before = read_json(workdir.result) or {}
    if before.get("state_sha256") == result["state_sha256"] and isinstance(before.get("metrics"), dict):
        result["metrics"] = before["metrics"] | result["metrics"]
    with writing(workdir):
        write_json(workdir.result, result)
    for name in run.trained.hp.end:
        interrupts.raise_if_requested("stopped while measuring; training is finished and saved, --mode=eval measures "
                                      "again")
        if lacking := lacks(name, run.trained):
            say(f"eval {name}: left out, this run has no {lacking}")
            continue
        result["metrics"] |= run_evals([name], run.trained, workdir, lambda what: workdir.figures / what)
        with writing(workdir):
            write_json(workdir.result, result)
    _print_numbers(result["metrics"])
    say(f"{result['images_seen']:,} examples in {run.spent:.1f} s, {result['images_per_s']:,.0f} examples/s; "
        f"pictures in {workdir.figures}, numbers in {workdir.result}")


def run_evals(names: list[str], trained: Trained, workdir: Workdir, path: Callable[[str], Path]
              ) -> dict[str, float | str]:
    """Runs evals by name; their numbers and sentences. path: of each picture, by its name, without an ending."""
    numbers = {}
    for name in names:
        for what, result in find("evals", name).evaluate(trained):
            if isinstance(result, (int, float, str)):
                numbers[what] = result
            else:
                with writing(workdir):
                    results.save(workdir.path / what if isinstance(result, Page) else path(what), result)
    return numbers


@contextlib.contextmanager
def writing(workdir: Workdir) -> Iterator[None]:
    """Turns a failure to write into a UserError."""
    try:
        yield
    except OSError as error:
        raise UserError(f"--workdir={workdir.path}: cannot write there ({error.strerror or error}); what was saved "
                        "before is whole: make room or name another folder, and launch again") from error


def _result(run: Run) -> dict:
    """What result.json says of a run before anything is measured: the last record's means are its metrics."""
    config, step = run.trained.config, int(run.state.step)
    seen = step * run.step_size
    last = run.trained.history[-1] if run.trained.history else {}
    return {"config": json.loads(config.to_json()), "seed": config.seed, "step": step, "images_seen": seen,
            "wall_s": run.spent, "images_per_s": seen / run.spent, "state_sha256": digest(run.state),
            "data_fingerprint": config.derived.data_fingerprint,
            "metrics": {name: value for name, value in last.items() if "/" in name}}


def _print_numbers(numbers: dict[str, float]) -> None:
    width = max(map(len, numbers), default=0)
    for name, value in numbers.items():
        print(f"{name:<{width}}  {value:.4g}" if isinstance(value, float) else f"{name:<{width}}  {value}")
