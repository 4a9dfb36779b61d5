"""How a number was measured: enough to measure it again, and to tell which others it compares with."""
import fnmatch
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from gen_jax.find import find, names
from gen_jax.parts import metric_of, metrics, quantity_and_split

VERSION = 2  # of the evals and the judges: raise it when one of them would find another number of the same state
OF_STATE = ("seed", "step", "state", "weights", "batch_norm", "samples")  # what was measured, not how
ROUNDING = ("batch_size",)  # what changes no more than the last digits
RECORD = "record"  # in the place of an eval's name: the training itself measured the number, for metrics.jsonl


class State(NamedTuple):
    """What was measured, and what all its numbers have in common."""

    step: int  # training steps that it has seen
    sha256: str
    weights: str  # "averaged" or "as trained"
    batch_norm: str  # which statistics normalise; "none" where no net has any
    samples: str  # what samples are, where they are no draws from the model's likelihood


def settings_of(config: ConfigDict, name: str) -> dict[str, Any]:
    """What an eval's numbers depend on beside the state and the data, as JSON has it: its own settings.

    name: of the eval. One that looks at a second run depends on which one that is.
    """
    own = json.loads(config.evals[name].to_json()) if name in config.evals else {}
    own.pop("name", None)
    return own | ({"other": config.evals.other} if getattr(find("evals", name), "COMPARES", False) else {})


def protocol(config: ConfigDict, state: State, name: str, number: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """How a number was measured.

    Args:
      config: of the run, resolved.
      state: what was measured. A mean over training steps is of many, and says none.
      name: of the eval, or RECORD.
      number: its name.
      known: what the eval itself says: how many real examples ("real"), of which split ("real_split"), how many
        samples ("fake"), in which features ("features"); what it compares with, where that is not the run's own data
        ("data").
    """
    is_eval = name != RECORD
    declared = metric_of(quantity_and_split(number)[0], metrics(config, [name] if is_eval else []))
    return {
        "eval": name, "settings": settings_of(config, name) if is_eval else {}, "version": VERSION,
        "data": config.derived.data_fingerprint, **known,
        **({"samples": state.samples} if "fake" in known and state.samples else {}),
        **{f"objective.{key}": config.objective[key] for key in declared.depends if key in config.objective},
        "batch_size": config.evals.batch_size, "seed": config.seed, "step": state.step,
        **(_of_many(state) if is_mean(name, number) else _of_one(state))}


def is_mean(name: str, number: str) -> bool:
    """Whether a number is a mean over training steps. name: of the eval, or RECORD."""
    return name == RECORD and not number.startswith("test/")


def _of_one(state: State) -> dict[str, str]:
    return {"weights": state.weights, "batch_norm": state.batch_norm, "state": state.sha256}


def _of_many(state: State) -> dict[str, str]:
    """In training, nets are applied as they are, and BatchNorm takes the statistics of each batch."""
    return {"weights": "as trained", "batch_norm": "none" if state.batch_norm == "none" else "of each batch"}


def recorded_by(config: ConfigDict, number: str) -> str:
    """The eval of evals.during that declares a number of metrics.jsonl, or RECORD."""
    def declares(name: str) -> bool:
        known = getattr(find("evals", name), "METRICS", {})
        return any(fnmatch.fnmatchcase(quantity_and_split(number)[0], pattern) for pattern in known)
    return next(filter(declares, config.evals.during), RECORD)


def differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the fields in which two protocols differ, so that their numbers do not compare.

    Numbers of unlike states do: those of another seed or step, of averaged weights beside others, and of a decoder's
    means beside draws. So do numbers of an eval that was asked for others beside them.
    """
    a, b = _how(a), _how(b)
    return tuple(name for name in dict.fromkeys((*a, *b)) if a.get(name) != b.get(name))


def _how(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say how a number was measured; of settings, those that do not only choose what is measured."""
    name = protocol.get("eval", RECORD)
    chooses = getattr(find("evals", name), "CHOOSES", ()) if name in names("evals") else ()
    settings = {key: value for key, value in protocol.get("settings", {}).items() if key not in chooses}
    return {key: value for key, value in protocol.items() if key not in (*OF_STATE, *ROUNDING)} | {"settings": settings}
