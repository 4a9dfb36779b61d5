"""A run as a comparison sees it."""
import contextlib
from pathlib import Path
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from gen_jax import parts
from gen_jax.errors import UserError
from gen_jax.find import names
from gen_jax.report.files import read_json
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.workdir import Workdir
from gen_jax.types import Metric


class Run(NamedTuple):
    """What was measured of a finished run, and how."""

    folder: Path
    config: ConfigDict
    seed: int
    step: int
    state: str  # sha256
    data: str  # fingerprint
    numbers: dict[str, float | str | None]  # by name, as in result.json
    protocols: dict[str, dict[str, Any]]  # by number; of runs of an older gen_jax, none
    metrics: dict[str, Metric]  # what its parts declare of its numbers
    history: list[dict]  # the records of metrics.jsonl
    launch: dict[str, Any]  # its last one, as run.json has it


class Lost(NamedTuple):
    """A run that has begun, and has no numbers to compare."""

    folder: Path
    config: ConfigDict
    seed: int
    line: str  # why it is left out


def read(folder: Path) -> Run | Lost:
    """The run in folder. A config that cannot be read is a UserError."""
    workdir = Workdir(folder)
    config = workdir.stored_config()
    try:
        result = read_json(workdir.result)
        if not (why := _unfinished(result, config.derived.total_steps)):
            return _measured(workdir, folder, config, result)
        line = f"{folder}: left out: {why}"
    except UserError as error:
        line = f"left out: {'; '.join(error.faults)}"
    except (KeyError, TypeError) as error:
        line = (f"left out: {workdir.result}: is not what was written there ({error!r}); measure again by --mode=eval "
                "or remove it")
    return Lost(folder, config, config.seed, line)


def _unfinished(result: dict | None, total: int) -> str:
    """Why a run has not ended; "" where it has. total: its steps, which may be more than when it was measured."""
    if result is None:
        return "has no result.json: its training has not ended"
    return f"step {result['step']:,} of {total:,}: its training has not ended" if result["step"] < total else ""


def _measured(workdir: Workdir, folder: Path, config: ConfigDict, result: dict) -> Run:
    return Run(folder, config, result["seed"], result["step"], result["state_sha256"], result["data_fingerprint"],
               result["metrics"], result.get("protocols", {}), _declared(config, result.get("evals", ())),
               MetricsLog(workdir.metrics).history(result["step"]), _last_launch(workdir))


def _last_launch(workdir: Workdir) -> dict[str, Any]:
    """The last launch of run.json; {} where none can be read, for nothing but a note depends on it."""
    with contextlib.suppress(UserError, KeyError, TypeError, ValueError, IndexError):
        return dict(read_json(workdir.run)["launches"][-1])
    return {}


def _declared(config: ConfigDict, evals) -> dict[str, Metric]:
    """What the run's parts declare of its numbers; what evals that are no more have declared is not known."""
    known = names("evals")
    ran = [name for name in evals if name in known]
    with config.unlocked():
        for key in ("end", "during"):
            config.evals[key] = tuple(name for name in config.evals[key] if name in known)
    return parts.metrics(config, ran)
