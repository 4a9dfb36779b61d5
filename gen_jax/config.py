"""From the config as written to the config as run: validated, step counts derived, locked; one message per rule."""
from collections.abc import Iterator
from math import isqrt

from ml_collections import ConfigDict

from gen_jax.errors import UserError
from gen_jax.find import find, nearest

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("constant", "linear", "cosine")
FITS = ("resize", "crop", "refuse")

# Sections and keys that a later launch in the same workdir may change: they touch neither state nor data order.
FREE = ("evals", "log", "checkpoint", "data.cache", "data.cache_dir", "data.data_dir", "train.on_device_gb")


def validate(config: ConfigDict) -> None:
    """Raises one UserError with a line for every fault in config."""
    faults = [*_range_faults(config), *_name_faults(config)]
    for room, section in (("data", config.data), ("models", config.model), ("objectives", config.objective)):
        try:
            module = find(room, section.name)
        except UserError as error:
            faults += error.faults
            continue
        if hasattr(module, "faults"):
            faults += module.faults(section)
    if faults:
        raise UserError(*faults)


def resolve(config: ConfigDict, num_train: int, fingerprint: str) -> ConfigDict:
    """A locked copy of config with what is `derived` from it and the data.

    num_train: how many training images there are; fingerprint: a digest of all images, which a resumed run must find.
    """
    batch_size = config.train.batch_size
    if batch_size > num_train:
        raise UserError(f"train.batch_size={batch_size} is more than the {num_train} training images; "
                        f"set --config.train.batch_size={num_train} or less")
    config = config.copy_and_resolve_references()
    config.unlock()
    per_epoch = num_train // batch_size
    config.derived = ConfigDict({"num_train": num_train, "steps_per_epoch": per_epoch,
                                 "total_steps": per_epoch * config.train.epochs, "data_fingerprint": fingerprint})
    return config.lock()


def differences(old: dict, new: dict) -> list[str]:
    """The lines 'key: old -> new' for what a resumed run may not change. old, new: configs as nested dicts.

    The number of epochs may change as long as no learning rate is scheduled over it.
    """
    old, new = _flat(old), _flat(new)
    scheduled = any(key.startswith("optim.") and (key.endswith(".schedule") and value != "constant"
                                                  or key.endswith(".warmup") and value) for key, value in new.items())
    free = FREE if scheduled else (*FREE, "train.epochs", "derived.total_steps")
    changed = [key for key in sorted({*old, *new}) if old.get(key, "(none)") != new.get(key, "(none)")]
    return [f"{key}: {old.get(key, '(none)')} -> {new.get(key, '(none)')}" for key in changed
            if not any(key == name or key.startswith(name + ".") for name in free)]


def name_list(text: str) -> list[str]:
    """The names in a comma-separated list."""
    return [name.strip() for name in text.split(",") if name.strip()]


def _range_faults(config: ConfigDict) -> Iterator[str]:
    def need(key: str, holds: bool, what: str):
        if not holds:
            section = config
            for part in key.split("."):
                section = section[part]
            yield f"{key}={section!r}: must be {what}"

    yield from need("seed", 0 <= config.seed < 2**32, "at least 0 and below 2**32")
    data, train, checkpoint = config.data, config.train, config.checkpoint
    yield from need("data.fit", data.fit in FITS, " or ".join(FITS))
    yield from need("data.channels", data.channels in (0, 1, 3, 4), "0, 1, 3 or 4")
    yield from need("data.size", len(data.size) in (0, 2) and all(isinstance(n, int) and n > 0 for n in data.size),
                    "() or (height, width) in pixels")
    yield from need("data.test_fraction", 0 < data.test_fraction < 1, "between 0 and 1")
    for key in ("num_train", "num_test"):
        yield from need(f"data.{key}", data[key] is None or data[key] > 0, "positive")
    for key in ("batch_size", "epochs"):
        yield from need(f"train.{key}", train[key] > 0, "positive")
    yield from need("train.ema_decay", 0 <= train.ema_decay < 1, "at least 0 and below 1")
    yield from need("train.ema_nets", train.ema_decay or not train.ema_nets, "empty while train.ema_decay is 0")
    for key in ("importance_samples", "importance_images"):
        yield from need(f"evals.{key}", config.evals[key] > 0, "positive")
    yield from need("evals.batch_size", config.evals.batch_size > 0, "positive")
    samples = config.evals.samples
    yield from need("evals.samples", samples > 0 and isqrt(samples) ** 2 == samples, "a square number, as 16 or 64")
    yield from need("evals.every_epochs", config.evals.every_epochs >= 0, "0 or more")
    yield from need("checkpoint.every_epochs", checkpoint.every_epochs > 0, "positive")
    yield from need("checkpoint.keep", checkpoint.keep > 0, "positive")
    for player, hp in config.optim.items():
        at = f"optim.{player}"
        for key, known in (("name", OPTIMIZERS), ("schedule", SCHEDULES)):
            if hp[key] not in known:
                yield f"{at}.{key}={hp[key]!r}: there is no such {key}{nearest(hp[key], list(known))}"
        yield from need(f"{at}.lr", hp.lr > 0, "positive")
        yield from need(f"{at}.eps", hp.eps > 0, "positive")
        for key in ("b1", "b2", "decay", "momentum"):
            yield from need(f"{at}.{key}", 0 <= hp[key] < 1, "at least 0 and below 1")
        for key in ("weight_decay", "clip_norm", "end"):
            yield from need(f"{at}.{key}", hp[key] >= 0, "0 or more")
        yield from need(f"{at}.warmup", 0 <= hp.warmup < 1, "a share of the run, at least 0 and below 1")


def _name_faults(config: ConfigDict) -> Iterator[str]:
    for name in (*config.evals.end, *config.evals.during):
        try:
            find("evals", str(name))
        except UserError as error:
            yield from error.faults


def _flat(section: dict, prefix: str = "") -> dict:
    """{dotted key: leaf} of a nested dict; tuples as lists, as JSON has them."""
    flat = {}
    for key, value in section.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = list(value) if isinstance(value, tuple) else value
    return flat
