"""Finds a data set, a model, an objective or an eval by its name: each is one file in its room."""
import difflib
import importlib
import importlib.util
import pkgutil
from types import ModuleType

from gen_jax.errors import UserError

# What a file of each room defines; a file without it is a helper of that room.
ENTRY = {"data": "load", "models": "build", "objectives": "build", "evals": "evaluate"}


def names(room: str) -> list[str]:
    """The names of the files in room that define its entry point, sorted. room: a key of ENTRY."""
    package = importlib.import_module(f"gen_jax.{room}")
    files = (file.name for file in pkgutil.iter_modules(package.__path__))
    return sorted(name for name in files if _module(room, name))


def find(room: str, name: str) -> ModuleType:
    """The module gen_jax.<room>.<name>. An unknown name is a UserError that lists the names there are."""
    module = _module(room, name)
    if module is None:
        raise UserError(f"{room}: there is no {name!r}{nearest(name, names(room))}")
    return module


def nearest(name: str, known: list[str]) -> str:
    """The end of an error's line: the name that was probably meant, and all there are."""
    close = difflib.get_close_matches(name, known, 1)
    return (f"; did you mean {close[0]!r}?" if close else ".") + f" There are: {', '.join(known)}"


def _module(room: str, name: str) -> ModuleType | None:
    """The module if there is one and it defines what its room asks for."""
    path = f"gen_jax.{room}.{name}"
    if not name.isidentifier() or importlib.util.find_spec(path) is None:
        return None
    module = importlib.import_module(path)
    return module if hasattr(module, ENTRY[room]) else None
