"""A finished run as a comparison sees it."""
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
    """What was measured of one run, and how."""

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


class Unfinished(Exception):
    """Why a run has no numbers to compare, in words."""


def read(folder: Path) -> Run:
    """The run in folder. Raises Unfinished, and UserError for what cannot be read."""
    workdir = Workdir(folder)
    config, result = workdir.stored_config(), read_json(workdir.result)
    if result is None:
        raise Unfinished("has no result.json: its training has not ended")
    try:
        step, total = result["step"], result["config"]["derived"]["total_steps"]
        if step < total:
            raise Unfinished(f"step {step:,} of {total:,}: its training has not ended")
        return Run(folder, config, result["seed"], step, result["state_sha256"], result["data_fingerprint"],
                   result["metrics"], result.get("protocols", {}), _declared(config, result.get("evals", ())),
                   MetricsLog(workdir.metrics).history(step))
    except (KeyError, TypeError) as error:
        raise UserError(f"{workdir.result}: is not what was written there ({error!r}); measure again by --mode=eval "
                        "or remove it") from error


def _declared(config: ConfigDict, evals) -> dict[str, Metric]:
    """What the run's parts declare of its numbers; what evals that are no more have declared is not known."""
    known = names("evals")
    ran = [name for name in evals if name in known]
    with config.unlocked():
        for key in ("end", "during"):
            config.evals[key] = tuple(name for name in config.evals[key] if name in known)
    return parts.metrics(config, ran)
