"""A trained run is measured: its evals, its result.json."""
import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

from gen_jax.errors import NoData, UserError
from gen_jax.evals import Page, Trained, lacks, needs
from gen_jax.find import find
from gen_jax.report import results
from gen_jax.report.files import read_json, write_json
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import Run
from gen_jax.settings import Setting
from gen_jax.training.interrupt import Interrupts
from gen_jax.training.state import digest

CHECKPOINT = Setting("latest", "which state: latest, best (by checkpoint.best) or the number of a step that was saved")


def measure(run: Run, workdir: Workdir, interrupts: Interrupts) -> None:
    """Runs evals.end: their numbers are added to result.json after each, and their pictures are saved.

    What an earlier measurement of the same state has found stays in it. An eval that fails keeps no other from being
    run: what it raised is raised at the end. Raises UserError, with a line for each fault, and Interrupted.
    """
    result = _result(run)
    before = read_json(workdir.result) or {}
    if before.get("state_sha256") == result["state_sha256"] and isinstance(before.get("metrics"), dict):
        result["metrics"] = before["metrics"] | result["metrics"]
    with writing(workdir):
        write_json(workdir.result, result)
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
