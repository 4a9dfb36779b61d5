"""A trained run is measured: its evals, its result.json."""
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from gen_jax.errors import NoData, NoOther, UserError
from gen_jax.evals import Page, Trained, in_words, lacks, needs
from gen_jax.find import find
from gen_jax.report import results
from gen_jax.report.files import read_json, write_json
from gen_jax.report.progress import Line
from gen_jax.report.tensorboard import TensorBoard
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import Run
from gen_jax.settings import Setting
from gen_jax.style import styled
from gen_jax.training.interrupt import Interrupts
from gen_jax.training.state import digest

CHECKPOINT = Setting("latest", "which state: latest, best (by checkpoint.best) or the number of a step that was saved")
NOT_WHAT = ("end", "during", "every_epochs", "every_steps", "batch_size")  # of config.evals: which run, when, how


def measure(run: Run, workdir: Workdir, names: Sequence[str], interrupts: Interrupts, tensorboard: TensorBoard | None,
            lines: Callable[[dict, dict], list[str]]) -> None:
    """Runs evals. Their numbers and names are added to result.json after each. Their pictures are saved.

    What an earlier measurement of the same state has found stays in result.json. An eval that fails keeps no other from
    being run: what it raised is raised at the end. Raises UserError, with a line for each fault, and Interrupted.

    Args:
      names: of the evals.
      lines: what is printed, of all numbers of result.json and of those that were found just now.
    """
    result, found = result_of(run, workdir), {}
    is_new = (read_json(workdir.result) or {}).get("state_sha256") != result["state_sha256"]
    with writing(workdir):
        write_json(workdir.result, result)
        if is_new:  # figures in another format are of an earlier state
            results.remove_figures(workdir.figures, run.trained.config.report.format)
    keep = keeper(workdir, workdir.figures, "", run.trained.config.report, tensorboard, result["step"])
    line, left_out, failed = Line(), {}, []
    stopped = "stopped while measuring; nothing that was saved is lost, the same command measures the rest"
    for i, name in enumerate(names, 1):
        with (interrupts.at_once(stopped),
              line.evaluating(f"{name} {i}/{len(names)}")):
            numbers = _measured(name, run.trained, keep, left_out, failed)
        if numbers is None:
            continue
        found |= numbers
        result["metrics"] |= numbers
        result["evals"] += [name] * (name not in result["evals"])
        with writing(workdir):
            write_json(workdir.result, result)
    if left_out:
        result["left_out"] = sorted({*result["left_out"], *(name for some in left_out.values() for name in some)})
        with writing(workdir):
            write_json(workdir.result, result)
    for reason, without in left_out.items():
        say(f"left out: {', '.join(without)} ({reason})")
    if tensorboard:
        tensorboard.end(result["metrics"], result["step"])
    print("\n".join(lines(result["metrics"], found)), flush=True)
    say(f"all numbers: {workdir.result}\npictures: {workdir.figures}")
    if faults := [line for error in failed if isinstance(error, UserError) for line in error.faults]:
        raise UserError(*faults)
    for error in failed:
        raise error


def _measured(name: str, trained: Trained, keep: Callable[[str, Any], None], left_out: dict[str, list[str]],
              failed: list[Exception]) -> dict[str, float | str] | None:
    """What one eval has found; None where it could not run.

    Where the run lacks what it needs, left_out gets its name by the reason. Where it raised, failed gets what.
    """
    try:
        if lacking := lacks(needs(name), trained):
            left_out.setdefault(in_words(lacking), []).append(name)
            return None
        return run_eval(name, trained, keep)
    except NoData as error:
        left_out.setdefault(f"needs the data that this run was trained on: {error}", []).append(name)
    except NoOther as error:
        left_out.setdefault("; ".join(error.faults), []).append(name)
    except UserError as error:
        failed.append(UserError(*(f"eval {name}: {line}" for line in error.faults)))
    except Exception as error:  # of an eval, or a picture's library: the numbers of the others are worth having
        say(f"eval {name}: failed ({type(error).__name__}: {error}); its traceback follows the other evals")
        failed.append(error)
    return None


def run_eval(name: str, trained: Trained, keep: Callable[[str, Any], None]) -> dict[str, float | str]:
    """Runs an eval by its name; its numbers and sentences. keep(name, result): takes whatever else it gives."""
    numbers = {}
    with styled():
        for what, result in find("evals", name).evaluate(trained):
            if isinstance(result, (int, float, str)):
                numbers[what] = result
            else:
                keep(what, result)
    return numbers


def keeper(workdir: Workdir, folder: Path, suffix: str, report: ConfigDict, tensorboard: TensorBoard | None, step: int
           ) -> Callable[[str, Any], None]:
    """keep(name, result): writes to folder, with a suffix to the name; pages to the workdir itself.

    report: config.report, how figures are written.
    """
    def keep(name: str, result: Any) -> None:
        with writing(workdir):
            results.save(workdir.path / name if isinstance(result, Page) else folder / f"{name}{suffix}", result,
                         report)
            if tensorboard:
                tensorboard.picture(name, result, step)
    return keep


@contextlib.contextmanager
def writing(workdir: Workdir) -> Iterator[None]:
    """Turns a failure to write into a UserError."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{workdir.flag}={workdir.path}: cannot write there ({error.strerror or error}); what was "
                        "saved before is whole: make room or name another folder, and launch again") from error


def result_of(run: Run, workdir: Workdir) -> dict:
    """What result.json says of a run before more is measured.

    Its metrics are the last record's means and what an earlier measurement of the same state has found. Its evals are
    the names of those that have run with the settings that there are now.
    """
    result, before = _unmeasured(run), read_json(workdir.result) or {}
    if before.get("state_sha256") == result["state_sha256"] and isinstance(before.get("metrics"), dict):
        result["metrics"] |= before["metrics"]
        if _find_the_same(before["config"]["evals"], result["config"]["evals"]):
            result["evals"] = before.get("evals", [])
            result["left_out"] = before.get("left_out", [])
    return result


def is_measured(result: dict, config: ConfigDict) -> bool:
    """Whether every eval of the end that can run has run, with the settings of config. result: what result.json says.
    """
    return (_find_the_same(result["config"]["evals"], json.loads(config.to_json())["evals"])
            and {*config.evals.end} <= {*result["evals"], *result.get("left_out", ())})


def _find_the_same(before: dict, now: dict) -> bool:
    """Whether evals find the same with these two config.evals: they differ only in which evals run, when and how."""
    return all(before[key] == now[key] for key in before.keys() & now.keys() - {*NOT_WHAT})


def _unmeasured(run: Run) -> dict:
    """What result.json says of a run before anything is measured."""
    config, step = run.trained.config, int(run.state.step)
    seen = step * run.step_size
    of_step = next((record for record in reversed(run.trained.history) if record["step"] == step), {})
    return {"config": json.loads(config.to_json()), "seed": config.seed, "step": step, "images_seen": seen,
            "wall_s": run.spent, "images_per_s": seen / run.spent, "state_sha256": digest(run.state),
            "data_fingerprint": config.derived.data_fingerprint, "evals": [],
            "left_out": [], "metrics": {name: value for name, value in of_step.items() if "/" in name}}
