"""Whether numbers of runs may stand side by side."""
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gen_jax.compare.groups import Group
from gen_jax.compare.run import Run
from gen_jax.protocol import RECORD, differing, recorded_by, settings_of

DIGITS = 8  # of a fingerprint that is shown
UNKNOWN = "runs of an older gen_jax say of no number how it was measured; their data are the same"


def data_refusal(groups: Sequence[Group]) -> str:
    """The line for groups whose data differ; "" where all are of the same."""
    of: dict[str, str] = {}
    for group in groups:
        for run, label in _labelled(group):
            of.setdefault(run.data, label)
    if len(of) < 2:
        return ""
    where = ", ".join(f"{data[:DIGITS]} in {label}" for data, label in of.items())
    return f"not compared: 'data fingerprint' differs ({where}); compare runs on the same data"


def refusal(number: str, groups: Sequence[Group]) -> str:
    """The line for a number whose protocols differ between runs; "" where it may be compared."""
    known = [(_protocol(run, number), label) for group in groups for run, label in _labelled(group)
             if number in run.numbers]
    for protocol, label in known[1:]:
        first, first_label = known[0]
        if fields := _unlike_fields(first, protocol):
            values = (f"{field!r} differs ({_shown(first.get(field))} in {first_label}, {_shown(protocol.get(field))} "
                      f"in {label})" for field in fields)
            return f"{number}: not compared: {', '.join(values)}"
    return ""


def _protocol(run: Run, number: str) -> Mapping[str, Any]:
    """How a number of a run was measured; where that is unknown, on which data alone."""
    return run.protocols.get(number) or {"data": run.data}


def _unlike_fields(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """The fields in which two protocols differ; of one that is unknown, the data at most."""
    return [field for field in differing(a, b) if field == "data" or ("eval" in a and "eval" in b)]


def notes(number: str, groups: Sequence[Group]) -> list[str]:
    """What a reader must know of numbers that are compared although not all is the same."""
    runs = [(group.name, run) for group in groups for run in group.runs if number in run.numbers]
    unknown = dict.fromkeys(name for name, run in runs if number not in run.protocols)
    otherwise = dict.fromkeys(name for name, run in runs if not recorded_alike(number, run))
    lines = [f"protocol unknown in {', '.join(unknown)} ({UNKNOWN})"] if unknown else []
    if otherwise:
        lines.append(f"in {', '.join(otherwise)} measured otherwise than in training, whose records do not count")
    return lines + _unlike("weights differ", ((name, run.protocols.get(number, {}).get("weights"))
                                              for name, run in runs))


def launch_notes(groups: Sequence[Group]) -> list[str]:
    """The lines on what the last launches of runs had otherwise: their code, JAX, device, and form."""
    made = [(group.name, _made_with(run.launch)) for group in groups for run in group.runs if run.launch]
    every = dict.fromkeys(what for _, known in made for what in known)
    return [line for what in every for line in _unlike(what, ((name, known[what]) for name, known in made))]


def _made_with(launch: Mapping[str, Any]) -> dict[str, Any]:
    """What results may depend on beside the config, by what is said where it differs."""
    return {"git commit differs": str(_at(launch, "git", "commit") or "")[:DIGITS] or None,
            "uncommitted changes of the code differ": _at(launch, "git", "changed"),
            "jax differs": _at(launch, "packages", "jax"), "device differs": _at(launch, "device", "kind"),
            "seeds in one program differ": launch.get("seeds_in_one_program", 1)}


def _at(launch: Any, *keys: str) -> Any:
    """What is at the end of keys; None where it is not there."""
    for key in keys:
        launch = launch.get(key) if isinstance(launch, Mapping) else None
    return launch


def _unlike(what: str, known: Iterable[tuple[str, Any]]) -> list[str]:
    """A line on the values that groups have, by their names, where they are several; None is not known."""
    of: dict[str, dict[str, None]] = {}
    for name, value in known:
        if value is not None:
            of.setdefault(str(value), {})[name] = None
    where = "; ".join(f"{value} in {', '.join(names)}" for value, names in of.items())
    return [f"{what}: {where}"] if len(of) > 1 else []


def recorded_alike(number: str, run: Run) -> bool:
    """Whether the records of training measured a number as its final value was, as far as is known."""
    if not (protocol := run.protocols.get(number)) or not any(number in record for record in run.history):
        return True
    name = recorded_by(run.config, number)
    settings = {} if name == RECORD else settings_of(run.config, name)
    return protocol.get("eval") == name and protocol.get("settings") == settings


def _labelled(group: Group) -> list[tuple[Run, str]]:
    """The runs of group, each with its name: the first stands for all that are like it."""
    return [(run, group.name if i == 0 else f"{group.name} (seed {run.seed})") for i, run in enumerate(group.runs)]


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value):
        return value[:DIGITS]
    return "unknown" if value is None else str(value)
