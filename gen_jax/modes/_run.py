"""A trained run is measured: its evals, its result.json."""
import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
<<<<<<< HEAD
from typing import Any, NamedTuple

import jax
from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.command_line import folder_name
from gen_jax.config import differences
from gen_jax.errors import UserError
from gen_jax.evals import Page, Trained, lacking
from gen_jax.experiment import Experiment
from gen_jax.find import find
from gen_jax.report import results
from gen_jax.report.files import read_json, write_json
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.progress import Line, ProgressLine, clock
from gen_jax.report.tensorboard import TensorBoard
=======

from gen_jax.errors import NoData, UserError
from gen_jax.evals import Page, Trained, lacks, needs
from gen_jax.find import find
from gen_jax.report import results
from gen_jax.report.files import read_json, write_json
>>>>>>> main
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import Run
from gen_jax.settings import Setting
from gen_jax.training.interrupt import Interrupts
from gen_jax.training.state import digest

<<<<<<< HEAD

class Run(NamedTuple):
    """A trained run: what its evals see, and what its result says."""

    trained: Trained
    state: TrainState
    spent: float  # seconds of training
    step_size: int  # examples in a step


def trained_of(built: Experiment, state: TrainState, workdir: Workdir, other: Trained | None = None,
               interrupts: Interrupts | None = None) -> Trained:
    """What evals see of a state: the only place where it is put together."""
    history = [record for record in MetricsLog(workdir.metrics).records() if record["step"] <= int(state.step)]
    return Trained(built.config, built.objective, built.spec, state.averaged(), built.train, built.test, history,
                         other, raw=state.vars, saved=workdir.saved, interrupts=interrupts or Interrupts())


def load_run(workdir: Workdir, overrides: dict, interrupts: Interrupts | None = None) -> Run:
    """The run in workdir at its latest whole checkpoint; nothing there is changed.

    overrides: values by dotted key, "evals.other" say; only those of what touches no state may differ.
    """
    config = workdir.stored_config()
    stored = config.to_dict()
    config.update_from_flattened_dict(overrides)
    if stored.get("derived", {}).get("format") is None:
        raise UserError(f"--workdir={workdir.path}: the run there was made by an older gen_jax, whose runs this one "
                        "does not read: check out the commit in its run.json, or train it anew elsewhere")
    built = experiment.build(config)
    if changed := differences(stored, built.config.to_dict()):
        raise UserError(*(f"{workdir.path}: {line}: cannot be changed for a run that has been trained"
                          for line in changed))
    checkpoints = Checkpoints(workdir.checkpoints, config.checkpoint.keep, config.checkpoint.best)
    restored = checkpoints.restore(jax.eval_shape(built.begin), set_aside=False)
    if restored is None:
        raise UserError(f"--workdir={workdir.path}: no checkpoint there; train first")
    progress, meta = restored
    trained = trained_of(built, progress.state, workdir, load_other(built.config, workdir), interrupts)
    return Run(trained, progress.state, meta["spent"], built.step_size)


def load_other(config: ConfigDict, workdir: Workdir) -> Trained | None:
    """The second run that config.evals.other names: by its folder, or by its config, when it lies beside workdir."""
    name = config.evals.other
    if not name:
        return None
    other = beside_of(name, workdir) if is_config(name) else Workdir(name)
    return load_run(other, {"evals.other": ""}).trained
=======
CHECKPOINT = Setting("latest", "which state: latest, best (by checkpoint.best) or the number of a step that was saved")
>>>>>>> main


def is_config(name: str) -> bool:
    """Whether config.evals.other names a config file, with a variant or without, and no folder."""
    return name.partition(":")[0].endswith(".py")


def beside_of(name: str, workdir: Workdir) -> Workdir:
    """The folder beside workdir of the run of a config that is named."""
    return Workdir(workdir.path.parent / folder_name(name))


def measure(run: Run, workdir: Workdir) -> tuple[dict[str, float | str], dict[str, float | str]]:
    """Runs evals.end: their numbers are added to result.json after each, and their pictures are saved.

<<<<<<< HEAD
    What an earlier measurement of the same state has found stays in it.
    Returns all its numbers and sentences, and those that were found just now.
=======
    What an earlier measurement of the same state has found stays in it. An eval that fails keeps no other from being
    run: what it raised is raised at the end. Raises UserError, with a line for each fault, and Interrupted.
>>>>>>> main
    """
    result, found, trained = _result(run), {}, run.trained
    before = read_json(workdir.result) or {}
    if before.get("state_sha256") == result["state_sha256"] and isinstance(before.get("metrics"), dict):
        result["metrics"] = before["metrics"] | result["metrics"]
    with writing(workdir):
        write_json(workdir.result, result)
<<<<<<< HEAD
    names, left_out = runnable(trained.hp.end, trained)
    tensorboard = tensorboard_of(trained.config, workdir, result["step"])
    keep = keeper(workdir, workdir.figures, "", tensorboard, result["step"])
    for numbers in run_evals(names, trained, keep, Line()):
        found |= numbers
        result["metrics"] |= numbers
        with writing(workdir):
            write_json(workdir.result, result)
    if left_out:
        say(f"left out: {'; '.join(left_out)}")
    if tensorboard:
        tensorboard.end(result["metrics"], result["step"])
    return result["metrics"], found
=======
    failed: list[Exception] = []
    for name in run.trained.hp.end:
        with interrupts.at_once("stopped while measuring; training is finished and saved, --mode=eval measures again"):
            result["metrics"] |= _measured(name, run.trained, workdir, failed)
        with writing(workdir):
            write_json(workdir.result, result)
    _print_numbers(result["metrics"])
    say(f"{result['images_seen']:,} examples in {run.spent:.1f} s, {result['images_per_s']:,.0f} examples/s; "
        f"pictures in {workdir.figures}, numbers in {workdir.result}")
    if faults := [line for error in failed if isinstance(error, UserError) for line in error.faults]:
        raise UserError(*faults)
    for error in failed:
        raise error


def _measured(name: str, trained: Trained, workdir: Workdir, failed: list[Exception]) -> dict[str, float | str]:
    """What one eval of the end has found: {} where the run lacks what it needs, or where it raised what `failed` gets.
    """
    try:
        if lacking := lacks(needs(name), trained):
            say(f"eval {name}: left out, this run has no {lacking}")
            return {}
        return run_evals([name], trained, workdir, lambda what: workdir.figures / what)
    except NoData as error:
        say(f"eval {name}: left out, it needs the data that this run was trained on. {error}")
    except UserError as error:
        failed.append(UserError(*(f"eval {name}: {line}" for line in error.faults)))
    except Exception as error:  # of an eval, or a picture's library: the numbers of the others are worth having
        say(f"eval {name}: failed ({type(error).__name__}: {error}); its traceback follows the other evals")
        failed.append(error)
    return {}
>>>>>>> main


def runnable(names: Iterable[str], trained: Trained) -> tuple[list[str], list[str]]:
    """The evals that trained has all for, and for each other one its name and what it needs, in words."""
    reasons = {name: lacking(name, trained) for name in dict.fromkeys(names)}
    return ([name for name, reason in reasons.items() if not reason],
            [f"{name} ({reason})" for name, reason in reasons.items() if reason])


def run_evals(names: list[str], trained: Trained, keep: Callable[[str, Any], None], line: Line | ProgressLine
              ) -> Iterator[dict[str, float | str]]:
    """Runs evals by name, says so on line, and gives each one's numbers and sentences.

    keep(name, result): takes each picture, and whatever else is neither a number nor a sentence.
    """
    for i, name in enumerate(names, 1):
        trained.interrupts.raise_if_requested("stopped while measuring; training is finished and saved, --mode=eval "
                                              "measures again")
        numbers = {}
        with line.evaluating(f"{name} {i}/{len(names)}"):
            for what, result in find("evals", name).evaluate(trained):
                if isinstance(result, (int, float, str)):
                    numbers[what] = result
                else:
                    keep(what, result)
        yield numbers


def keeper(workdir: Workdir, folder: Path, suffix: str, tensorboard: TensorBoard | None, step: int
           ) -> Callable[[str, Any], None]:
    """keep(name, result): writes to folder, with a suffix to the name; pages to the workdir itself."""
    def keep(name: str, result: Any) -> None:
        with writing(workdir):
            results.save(workdir.path / name if isinstance(result, Page) else folder / f"{name}{suffix}", result)
            if tensorboard:
                tensorboard.picture(name, result, step)
    return keep


def tensorboard_of(config: ConfigDict, workdir: Workdir, step: int) -> TensorBoard | None:
    """What shows the run in TensorBoard, where config asks for it."""
    return TensorBoard(workdir.path, config, step) if config.log.tensorboard else None


def say_where(run: Run, workdir: Workdir) -> None:
    """Says how long training took, and where its results are."""
    seen = int(run.state.step) * run.step_size
    say(f"{seen:,} examples in {clock(run.spent)}, {seen / run.spent:,.0f} examples/s\n"
        f"all numbers: {workdir.result}\npictures: {workdir.figures}")


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
