"""Runs in groups: of one config each, over seeds, named by what differs between the configs."""
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gen_jax.compare.run import Lost, Run
from gen_jax.identity import FREE, MOVED
from gen_jax.report.settings import values_of

SHORTEST = 3  # characters of a name that several folders' names begin with
MOST_KEYS = 3  # in a name; where more differ, a group has the name of its folder
MOST_NAMED = 8  # settings in a line
NOT_SETTINGS = (*FREE, *MOVED, "seed", "derived")
SEED_FOLDER = re.compile(r"(seed|s)[_=-]?\d+")
SEED_ENDING = re.compile(r"([._-]*(seed|s)?[_=-]?\d*)$")


class Group(NamedTuple):
    """Runs that differ in nothing but the seed."""

    name: str
    runs: tuple[Run, ...]  # by seed, each seed once
    lost: tuple[int, ...]  # other seeds, whose runs have begun and have no numbers
    settings: dict[str, Any]  # those that differ between the groups


def grouped(runs: Sequence[Run | Lost]) -> tuple[list[Group], list[str]]:
    """(the groups, a line for each run whose seed its group has already). A group may have lost all its runs.

    Where few settings differ and all are numbers, groups are in the order of these; else in that of the runs.
    """
    settings = [_settings(run) for run in runs]
    differ = _differing(settings)
    found: dict[str, list[Run | Lost]] = {}
    for run, own in zip(runs, settings, strict=True):
        found.setdefault(json.dumps([own.get(key) for key in differ]), []).append(run)
    of = {key: {name: own[name] for name in differ if name in own} for key, own in
          ((json.dumps([own.get(name) for name in differ]), own) for own in settings)}
    names = _names([of[key] for key in found], list(found.values()), differ)
    groups, lines = [], []
    for (key, members), name in zip(found.items(), names, strict=True):
        once, twice = _once([run for run in members if isinstance(run, Run)])
        lost = {run.seed for run in members} - {run.seed for run in once}
        groups.append(Group(name, once, tuple(sorted(lost)), of[key]))
        lines += [f"{run.folder}: left out: seed {run.seed} of {name} is there already, in {first.folder}"
                  for run, first in twice]
    return _ordered(groups, differ), lines


def _settings(run: Run | Lost) -> dict[str, Any]:
    """The settings that tell the run from others, by dotted key, as JSON has them."""
    flat = values_of(run.config)
    return {key: json.loads(json.dumps(value)) for key, value in flat.items() if value != {}
            and not any(key == name or key.startswith(f"{name}.") for name in NOT_SETTINGS)}


def _differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    every = dict.fromkeys(key for own in settings for key in own)
    return [key for key in every if len({json.dumps(own.get(key, "(none)")) for own in settings}) > 1]


def _once(runs: Sequence[Run]) -> tuple[tuple[Run, ...], list[tuple[Run, Run]]]:
    """(the first run of each seed, by seed; the others, each with that one)."""
    first: dict[int, Run] = {}
    for run in runs:
        first.setdefault(run.seed, run)
    twice = [(run, first[run.seed]) for run in runs if run is not first[run.seed]]
    return tuple(first[seed] for seed in sorted(first)), twice


def _names(settings: Sequence[Mapping[str, Any]], members: Sequence[Sequence[Run | Lost]], differ: Sequence[str]
           ) -> list[str]:
    """A name for each group, all different."""
    return next(names for names in _possible_names(settings, members, differ) if len({*names}) == len(names))


def _possible_names(settings: Sequence[Mapping[str, Any]], members: Sequence[Sequence[Run | Lost]],
                    differ: Sequence[str]) -> Iterator[list[str]]:
    """Names of the groups, the shortest first; the last ones, folders of runs, are all different."""
    if 0 < len(differ) <= MOST_KEYS:
        short = shortened(differ)
        for text in (_shown, json.dumps):
            yield [", ".join(f"{short[key]}={text(own.get(key))}" for key in differ) for own in settings]
    paths = [_folder(runs) for runs in members]
    for depth in range(1, 4):
        yield ["/".join(path.parts[-depth:]) for path in paths]
    yield [str(runs[0].folder) for runs in members]


def differences(groups: Sequence[Group]) -> str:
    """The line on what differs between groups that are named by their folders; "" where their names say it."""
    keys = dict.fromkeys(key for group in groups for key in group.settings)
    keys = sorted(keys, key=lambda key: not key.endswith(".name"))  # other parts have other settings
    if len(keys) <= MOST_KEYS:
        return ""
    more = f" and {len(keys) - MOST_NAMED} more" if len(keys) > MOST_NAMED else ""
    return f"the groups' configs differ in {', '.join(keys[:MOST_NAMED])}{more}; values are in comparison.json"


def shortened(keys: Sequence[str]) -> dict[str, str]:
    """{dotted key: as few of its last words as tell it from the others}."""
    def ending(key: str, words: int) -> str:
        return ".".join(key.split(".")[-words:])
    return {key: next(ending(key, n) for n in range(1, key.count(".") + 2)
                      if sum(ending(other, n) == ending(key, n) for other in keys) == 1) for key in keys}


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_shown, value)) if value else "()"
    if isinstance(value, float):
        return f"{value:g}"
    return "unset" if value is None else str(value) or '""'


def _folder(runs: Sequence[Run | Lost]) -> Path:
    """The folder that runs over seeds lie in, or one of the name that theirs begin with."""
    paths = [run.folder.absolute() for run in runs]
    paths = list(dict.fromkeys(path.parent if SEED_FOLDER.fullmatch(path.name) else path for path in paths))
    common = SEED_ENDING.sub("", os.path.commonprefix([path.name for path in paths]))
    return paths[0] if len(paths) == 1 or len(common) < SHORTEST else paths[0].with_name(common)


def _ordered(groups: list[Group], differ: Sequence[str]) -> list[Group]:
    def is_number(value: Any) -> bool:
        return isinstance(value, int | float)
    if len(differ) > MOST_KEYS or not all(is_number(group.settings.get(key)) for group in groups for key in differ):
        return groups
    return sorted(groups, key=lambda group: [group.settings[key] for key in differ])
