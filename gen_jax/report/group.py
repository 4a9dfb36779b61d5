"""sweep.json: which runs the folder of a group holds."""
from collections.abc import Mapping
from pathlib import Path

from gen_jax.errors import UserError
from gen_jax.report.files import read_json

FILE = "sweep.json"


def read_group(folder: Path) -> dict | None:
    """What sweep.json in folder says; None where there is none. One that was written otherwise is a UserError."""
    path = folder / FILE
    group = read_json(path)
    if group is not None and not _is_group(group):
        raise UserError(f"{path}: is not what was written there; restore or remove it")
    return group


def _is_group(group: Mapping) -> bool:
    """Whether it has what is read of it."""
    axes, seeds, runs = (group.get(name) for name in ("axes", "seeds", "runs"))
    return (isinstance(axes, dict) and all(isinstance(texts, list) for texts in axes.values())
            and isinstance(seeds, list) and isinstance(runs, list) and bool(runs)
            and all(isinstance(run, dict) and isinstance(run.get("folder"), str) and "seed" in run for run in runs))
