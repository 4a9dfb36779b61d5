"""What tells a run from others, and what a later launch of it may change."""
import hashlib
import json
from typing import Any

from ml_collections import ConfigDict

# Sections and keys that a later launch in the same workdir may change: they touch neither state nor data order.
FREE = ("evals", "report", "log.tensorboard", "checkpoint", "data.cache", "data.cache_dir", "data.data_dir",
        "train.on_device_gb")

# These as well in the same workdir: the data are known by their fingerprint, wherever they lie.
MOVED = ("data.path",)

# These as well, where no learning rate is scheduled over the run.
LENGTH = ("train.epochs", "train.steps", "derived.total_steps")


def differences(old: dict, new: dict, goes_on: bool = True) -> list[str]:
    """The lines 'key: old -> new' for what may not change.

    Args:
      old: the config of the run, as a nested dict.
      new: the config that is asked for, as a nested dict.
      goes_on: whether the run is trained further. Its length may then change as long as no learning rate is scheduled
        over it.
    """
    flat = _flat(new)
    free = (*(_free(flat) if goes_on else FREE), *MOVED)
    old, new = _binding(old, free), _binding(new, free)
    changed = [key for key in sorted({*old, *new}) if old.get(key, "(none)") != new.get(key, "(none)")]
    lines = [f"{key}: {old.get(key, '(none)')} -> {new.get(key, '(none)')}" for key in changed]
    why = ["(a learning rate is scheduled over the whole run: one of another length is another run)"]
    return lines + why * (_is_scheduled(flat) and any(key in LENGTH for key in changed))


def run_id(config: dict) -> str:
    """What tells a run from others: a digest of what no later launch of it may change.

    It is made once, when the run begins, and is kept as derived.run: the config may get new settings later.

    config: resolved, as its JSON has it, without derived.run.
    """
    return hashlib.sha256(json.dumps(_binding(config, _free(_flat(config))), sort_keys=True).encode()).hexdigest()[:32]


def _free(flat: dict) -> tuple[str, ...]:
    """The sections and keys that a later launch may change. flat: its config by dotted key."""
    return (*FREE, *(() if _is_scheduled(flat) else LENGTH), "derived.evals_steps", "derived.checkpoint_steps")


def length_is_fixed(config: ConfigDict) -> bool:
    """Whether another length would make another run, since a learning rate is scheduled over the whole of it."""
    return _is_scheduled(_flat(config.to_dict()))


def _is_scheduled(flat: dict) -> bool:
    return any(key.startswith("optim.") and (key.endswith(".schedule") and value != "constant"
                                             or key.endswith(".warmup") and value) for key, value in flat.items())


def _binding(config: dict, free: tuple[str, ...]) -> dict:
    """config by dotted key, without what is free."""
    return {key: value for key, value in _flat(config).items()
            if not any(key == name or key.startswith(name + ".") for name in free)}


def _flat(section: dict, prefix: str = "") -> dict:
    """{dotted key: leaf} of a nested dict; tuples as lists, as JSON has them."""
    flat = {}
    for key, value in section.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = _listed(value)
    return flat


def _listed(value: Any) -> Any:
    """value with lists in place of tuples."""
    return [_listed(item) for item in value] if isinstance(value, (tuple, list)) else value
