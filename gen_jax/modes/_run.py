"""A trained run is measured: its evals, its result.json."""
import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from gen_jax.errors import NoData, NoOther, UserError
from gen_jax.evals import Number, Page, Trained, in_words, lacks, needs
from gen_jax.find import find, names
from gen_jax.pages import report
from gen_jax.protocol import RECORD, VERSION, State, is_mean, protocol, recorded_by, settings_of
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


class Found(NamedTuple):
    """What one eval has found."""

    numbers: dict[str, float | str]  # numbers and sentences
    known: dict[str, dict]  # by their names, what the eval says of how they were measured


def measure(run: Run, workdir: Workdir, evals: Sequence[str], interrupts: Interrupts, tensorboard: TensorBoard | None,
            lines: Callable[[dict, dict], list[str]]) -> None:
    """Runs evals. Their numbers and names are added to result.json after each. Their pictures are saved.

    What an earlier measurement of the same state has found stays in result.json. An eval that fails keeps no other from
    being run: what it raised is raised at the end. Raises UserError, with a line for each fault, and Interrupted.

    Args:
      evals: their names.
      lines: what is printed, of all numbers of result.json and of those that were found just now.
    """
    result, found = result_of(run, workdir), {}
    state = state_of(run, result["state_sha256"])
    _begin_result(result, workdir, run.trained.config.report.format)
    keep = keeper(workdir, workdir.figures, "", run.trained.config.report, tensorboard, result["step"])
    line, left_out, absent, failed = Line(), {}, {}, []
    stopped = "stopped while measuring; nothing that was saved is lost, the same command measures the rest"
    for i, name in enumerate(evals, 1):
        with (interrupts.at_once(stopped),
              line.evaluating(f"{name} {i}/{len(evals)}")):
            measured = _measured(name, run.trained, keep, left_out, absent, failed)
        if measured is None:
            continue
        found |= measured.numbers
        _forget_older(result, name)
        result["metrics"] |= measured.numbers
        result["protocols"] |= protocols_of(run, state, name, measured)
        result["evals"][name] = settings_of(run.trained.config, name)
        with writing(workdir):
            write_json(workdir.result, result)
    if left_out:
        result["left_out"] |= {name: settings_of(run.trained.config, name)
                               for some in left_out.values() for name in some}
        with writing(workdir):
            write_json(workdir.result, result)
    for reason, without in (left_out | absent).items():
        say(f"left out: {', '.join(without)} ({reason})")
    if tensorboard:
        tensorboard.end(result["metrics"], result["step"])
    print("\n".join(lines(result["metrics"], found)), flush=True)
    say(f"all numbers: {workdir.result}\npictures: {workdir.figures}")
    write_report(workdir, run.trained)
    _raise(failed)


def _forget_older(result: dict, name: str) -> None:
    """Takes from result the numbers that an earlier gen_jax, which measured otherwise, has of this eval."""
    for number in _older(result["protocols"], name):
        result["metrics"].pop(number, None)
        del result["protocols"][number]


def _older(protocols: dict, name: str) -> set[str]:
    """The numbers of an eval, by its name, that an earlier gen_jax measured."""
    return {number for number, of in protocols.items() if of["eval"] == name and of.get("version") != VERSION}


def _begin_result(result: dict, workdir: Workdir, form: str) -> None:
    """Writes result.json. Of another state than that before, figures in another format than form go: they are old."""
    is_new = (read_json(workdir.result) or {}).get("state_sha256") != result["state_sha256"]
    with writing(workdir):
        write_json(workdir.result, result)
        if is_new:
            results.remove_figures(workdir.figures, form)


def _raise(failed: Sequence[Exception]) -> None:
    """Raises what evals have raised: all that the user got wrong as one UserError, else the first."""
    if faults := [line for error in failed if isinstance(error, UserError) for line in error.faults]:
        raise UserError(*faults)
    for error in failed:
        raise error


def write_report(workdir: Workdir, trained: Trained | None) -> None:
    """Writes report.html. Where that fails, nothing else does: a line says why. trained: None to do without a state."""
    try:
        say(f"all on one page: {report.write(workdir, trained)}")
    except Exception as error:  # of a picture that cannot be read, a full disk: the numbers are saved
        say(f"{report.NAME}: could not be written ({type(error).__name__}: {error}); --mode=report tries again")


def _measured(name: str, trained: Trained, keep: Callable[[str, Any], None], left_out: dict[str, list[str]],
              absent: dict[str, list[str]], failed: list[Exception]) -> Found | None:
    """What one eval has found; None where it could not run.

    Where the run lacks what it needs, left_out gets its name by the reason; where the data, or the second run, cannot
    be had just now, absent does. Where it raised, failed gets what.
    """
    try:
        if lacking := lacks(needs(name), trained):
            left_out.setdefault(in_words(lacking), []).append(name)
            return None
        return run_eval(name, trained, keep)
    except NoData as error:
        absent.setdefault(f"needs the data that this run was trained on: {error}", []).append(name)
    except NoOther as error:
        absent.setdefault("; ".join(error.faults), []).append(name)
    except UserError as error:
        failed.append(UserError(*(f"eval {name}: {line}" for line in error.faults)))
    except Exception as error:  # of an eval, or a picture's library: the numbers of the others are worth having
        say(f"eval {name}: failed ({type(error).__name__}: {error}); its traceback follows the other evals")
        failed.append(error)
    return None


def run_eval(name: str, trained: Trained, keep: Callable[[str, Any], None]) -> Found:
    """Runs an eval by its name. keep(name, result): takes whatever it gives beside numbers and sentences."""
    found = Found({}, {})
    with styled():
        for what, result in find("evals", name).evaluate(trained):
            if isinstance(result, Number):
                found.numbers[what], found.known[what] = result
            elif isinstance(result, (int, float, str)):
                found.numbers[what], found.known[what] = result, {}
            else:
                keep(what, result)
    return found


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
    those that have run with the settings that there are now.
    """
    result, before = unmeasured(run), read_json(workdir.result) or {}
    if before.get("state_sha256") == result["state_sha256"]:
        older = _older(_part(before, "protocols"), RECORD)
        for part in ("metrics", "protocols"):
            result[part] |= {name: value for name, value in _part(before, part).items() if name not in older}
        for part in ("evals", "left_out"):
            result[part] = {name: settings for name, settings in _part(before, part).items() if name in names("evals")
                            and settings == settings_of(run.trained.config, name)}
    return result


def is_measured(result: dict, config: ConfigDict) -> bool:
    """Whether every eval of the end has run or was left out, with the settings of config. result: of result.json."""
    known = _part(result, "left_out") | _part(result, "evals")
    return all(known.get(name) == settings_of(config, name) for name in config.evals.end)


def _part(result: dict, name: str) -> dict:
    """What result.json has under a name; an older gen_jax wrote none there, or a list."""
    found = result.get(name)
    return found if isinstance(found, dict) else {}


def unmeasured(run: Run) -> dict:
    """What result.json says of a run before anything is measured."""
    config, step, state = run.trained.config, int(run.state.step), digest(run.state)
    seen = step * run.step_size
    of_step = next((record for record in reversed(run.trained.history) if record["step"] == step), {})
    metrics = {name: value for name, value in of_step.items() if "/" in name}
    return {"config": json.loads(config.to_json()), "seed": config.seed, "step": step, "images_seen": seen,
            "wall_s": run.spent, "images_per_s": seen / run.spent, "state_sha256": state,
            "data_fingerprint": config.derived.data_fingerprint, "evals": {}, "left_out": {}, "metrics": metrics,
            "protocols": {name: _recorded(run.trained, state_of(run, state), name) for name in metrics}}


def state_of(run: Run, sha256: str) -> State:
    """What is measured, for protocols."""
    trained = run.trained
    has_batch_norm = any("batch_stats" in state for state in trained.vars.state.values())
    return State(trained.step, sha256, "averaged" if trained.config.train.ema_decay else "as trained",
                 "running statistics" if has_batch_norm else "none",
                 "decoder means" if "nll" in trained.objective.predict else "")


def protocols_of(run: Run, state: State, name: str, found: Found) -> dict[str, dict[str, Any]]:
    """The protocols of what an eval, by its name, has found of a state."""
    return {number: protocol(run.trained.config, state, name, number, known) for number, known in found.known.items()}


def _recorded(trained: Trained, state: State, number: str) -> dict[str, Any]:
    """The protocol of a number of metrics.jsonl. Training measures its test terms on all test examples."""
    name, known = recorded_by(trained.config, number), (trained.known or {}).get(number, {})
    if name == RECORD and not is_mean(name, number):
        known = {"real": "all", "real_split": "test"}
    return protocol(trained.config, state, name, number, known)
