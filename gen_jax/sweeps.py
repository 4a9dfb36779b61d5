"""A group of runs: the grid of a sweep, each point under some seeds, and sweep.json, which names them."""
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gen_jax.errors import UserError
from gen_jax.report.files import write_json
from gen_jax.report.group import FILE, read_group

FORM = "--sweep config.objective.beta=1,2,4"
AXIS = re.compile(r"config\.([\w.]+)=(.+)", re.DOTALL)
UNSAFE = re.compile(r"[^\w.,=+()-]")  # in the name of a folder
LONGEST = 200  # characters of a folder's name, of the 255 that file systems take

Axes = Mapping[str, tuple[str, ...]]  # the texts of the values, by dotted key


class Member(NamedTuple):
    """One run of a group."""

    folder: str  # in the group's: "objective.beta=1/seed_0"
    overrides: dict[str, str]  # the texts of its point of the grid, by dotted key
    seed: int


def axes(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The axes of a grid. texts: "config.objective.beta=1,2,4" each. UserError with a line for each fault."""
    found, faults = {}, []
    for text in texts:
        match = AXIS.fullmatch(text)
        if match is None:
            faults.append(f"--sweep={text}: must be a key and its values, as in {FORM}")
        elif match[1] == "seed":
            faults.append(f"--sweep={text}: seeds are asked for by --seeds=3, from config.seed on")
        elif match[1] in found:
            faults.append(f"--sweep={text}: config.{match[1]} is swept over twice; give all its values at once")
        else:
            found[match[1]] = split(match[2])
    if faults := [*faults, *_name_faults(found)]:
        raise UserError(*faults)
    return found


def split(text: str) -> tuple[str, ...]:
    """The values in a text: parted by commas, but for those inside of brackets or quotes."""
    values, depth, quote = [""], 0, ""
    for char in text:
        if char == "," and not depth and not quote:
            values.append("")
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        else:
            depth += (char in "([{") - (char in ")]}")
        values[-1] += char
    return tuple(value.strip() for value in values)


def members(axes: Axes, seeds: Sequence[int], in_seeds: bool) -> list[Member]:
    """The runs of a group, point by point. in_seeds: whether each has a folder of its seed."""
    return [Member("/".join([*[_name(point)] * bool(point), *[f"seed_{seed}"] * in_seeds]), point, seed)
            for point in points(axes) for seed in seeds]


def points(axes: Axes) -> list[dict[str, str]]:
    """The grid: each combination of values, as texts by dotted key; one empty one where there are no axes."""
    return [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]


def note(folder: Path, config: str, command: Sequence[str], axes: Axes, members: Sequence[Member]) -> None:
    """Writes sweep.json; the runs that it names already stay in it. Raises OSError.

    UserError where the runs there have folders of another form: of other keys, or without seeds.

    config: its name, as it is given; command: the launcher's words.
    """
    now = {"config": config, "command": list(command), "axes": {f"config.{key}": list(axes[key]) for key in axes},
           "seeds": _joined(member.seed for member in members), "runs": [member._asdict() for member in members]}
    if before := read_group(folder):
        if _form(before) != _form(now):
            raise UserError(f"--workdir={folder}: the runs there have folders like {before['runs'][0]['folder']}, and "
                            f"these would have folders like {members[0].folder}; name another folder")
        now["axes"] = {key: _joined([*before["axes"][key], *values]) for key, values in now["axes"].items()}
        now["seeds"] = _joined([*before["seeds"], *now["seeds"]])
        now["runs"] = list({run["folder"]: run for run in [*before["runs"], *now["runs"]]}.values())
    write_json(folder / FILE, now)


def _form(group: Mapping) -> tuple:
    """What the folders of a group's runs are named by. group: as sweep.json has it."""
    return {*group["axes"]}, all(run["folder"].endswith(f"seed_{run['seed']}") for run in group["runs"])


def _joined(items: Iterable) -> list:
    """The items, each once."""
    return list(dict.fromkeys(items))


def _name(point: Mapping[str, str]) -> str:
    """The name of a point's folder: "objective.beta=1,model.latent_dim=2"."""
    return UNSAFE.sub("_", ",".join(f"{key}={text}" for key, text in point.items()))


def _name_faults(axes: Axes) -> Iterator[str]:
    for key, values in axes.items():
        for name, times in Counter(_name({key: value}) for value in values).items():
            if times > 1:
                yield f"--sweep=config.{key}={','.join(values)}: {times} runs would be in {name}; give each value once"
    longest = max(map(_name, points(axes)), key=len, default="")
    if len(longest) > LONGEST:
        yield f"--sweep: a run's folder, {longest[:40]}..., would have {len(longest)} characters; {LONGEST} fit"
