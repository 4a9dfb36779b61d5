"""Which workdirs are meant: by names, globs, and folders that have workdirs below them."""
import glob
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from gen_jax.errors import UserError
from gen_jax.folders import expanded
from gen_jax.report.group import read_group

DEEPEST = 3  # levels below a folder that is named, at which workdirs are looked for
ASIDE = re.compile(r"(old|step)_\d+|\..*")  # folders of a workdir's own, and hidden ones
GLOB = re.compile(r"[*?[]")
NUMBER = re.compile(r"(\d+)")


def workdirs(names: Sequence[str]) -> list[Path]:
    """The workdirs that are meant, each once. A name without any is a UserError with a line for each."""
    found = {name: _of(name) for name in names}
    if faults := [f"--workdirs={name}: {_lacks(name)}" for name, folders in found.items() if not folders]:
        raise UserError(*faults)
    return list({folder.resolve(): folder for folders in found.values() for folder in folders}.values())


def split(text: str) -> list[str]:
    """The names in a comma-separated list. A folder that is there may have commas in its name, as those of sweeps."""
    parts, names = text.split(","), []
    while parts:
        length = next((n for n in range(len(parts), 1, -1) if _matched(",".join(parts[:n]))), 1)
        names.append(",".join(parts[:length]).strip())
        parts = parts[length:]
    return [name for name in names if name]


def group_folder(names: Sequence[str]) -> Path | None:
    """The folder of a group of runs, where it is all that is named; None otherwise."""
    folder = expanded(names[0], "--workdirs")
    return folder if len(names) == 1 and folder.is_dir() and not is_workdir(folder) else None


def is_workdir(folder: Path) -> bool:
    """Whether a run is there."""
    return (folder / "config.json").exists()


def _of(name: str) -> list[Path]:
    return [folder for path in sorted(_matched(name), key=natural) for folder in _below(path, DEEPEST)]


def _matched(name: str) -> list[Path]:
    """The paths that a name or glob means."""
    path = expanded(name.strip(), "--workdirs")
    return [path] if path.exists() else [Path(found) for found in glob.glob(str(path)) if GLOB.search(name)]


def _below(folder: Path, levels: int) -> Iterator[Path]:
    """folder where it is a workdir, else those that its sweep.json lists, and others at most so many levels below it.
    """
    if is_workdir(folder):
        yield folder
    elif levels and folder.is_dir():
        yield from _listed(folder)
        inner = [path for path in folder.iterdir() if path.is_dir() and not ASIDE.fullmatch(path.name)]
        for path in sorted(inner, key=natural):
            yield from _below(path, levels - 1)


def _listed(folder: Path) -> list[Path]:
    """The workdirs of a sweep, also those of runs that have not begun."""
    return [folder / run["folder"] for run in (read_group(folder) or {"runs": []})["runs"]]


def natural(path: Path) -> list[tuple[int, int, str]]:
    """What sorts paths as people do: seed_2 comes before seed_10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in NUMBER.split(str(path))]


def _lacks(name: str) -> str:
    if Path(name).expanduser().exists():
        return f"no run there, nor at most {DEEPEST} levels below (config.json is missing); name folders of runs"
    return "matches no folder; name folders of runs" if GLOB.search(name) else "there is no such folder"
