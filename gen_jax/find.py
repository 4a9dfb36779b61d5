"""Finds a part by its name: each is one file in its room, or in a sub-folder of it.

Files whose names begin with an underscore are a room's helpers.
"""
import difflib
import functools
import importlib
import os
import pkgutil
from types import ModuleType

from gen_jax.errors import UserError

ENTRY = {  # by room: what each of its files defines
    "modes": "run", "modes.forms": "run", "data": "load", "data.kinds": "KIND", "layers.norms": "norm",
    "models": "build", "terms.losses": "LOSS", "terms.penalties": "penalty", "terms.augment": "augment",
    "terms.extras": "extra", "objectives": "build", "optimizers": "build", "judges.features": "features",
    "judges.metrics": "measure", "evals": "evaluate", "compare.formats": "files",
}


def names(room: str) -> list[str]:
    """The names of the parts in room, sorted. room: a key of ENTRY. Nothing is imported but packages."""
    return sorted(_paths(room))


def find(room: str, name: str) -> ModuleType:
    """The module of the part. An unknown name is a UserError that lists the names there are."""
    paths = _paths(room)
    if name not in paths:
        raise UserError(f"{room}: there is no {name!r}{nearest(name, sorted(paths))}")
    module = importlib.import_module(paths[name])
    if not hasattr(module, ENTRY[room]):
        raise UserError(f"{paths[name]}: defines no {ENTRY[room]}, as each file of {room} must; a helper's name begins "
                        "with an underscore")
    return module


def nearest(name: str, known: list[str]) -> str:
    """The end of an error's line: the name that was probably meant, and all there are."""
    close = difflib.get_close_matches(str(name), known, 1)
    return (f"; did you mean {close[0]!r}?" if close else ".") + f" There are: {', '.join(known)}"


def _paths(room: str, package: str = "") -> dict[str, str]:
    """{name: its module's full name} of the parts in room, sub-folders included; other rooms inside it are not."""
    package = package or f"gen_jax.{room}"
    paths = {}
    for file in _files(tuple((at, os.stat(at).st_mtime_ns) for at in importlib.import_module(package).__path__)):
        path = f"{package}.{file.name}"
        if file.ispkg and path.removeprefix("gen_jax.") not in ENTRY:
            paths |= _paths(room, path)
        elif not file.ispkg and not file.name.startswith("_"):
            paths[file.name] = path
    return paths


@functools.cache
def _files(folders: tuple[tuple[str, int], ...]) -> tuple[pkgutil.ModuleInfo, ...]:
    """The modules in folders. folders: (path, when its content changed last): a new file is found at once."""
    return tuple(pkgutil.iter_modules([path for path, _ in folders]))
