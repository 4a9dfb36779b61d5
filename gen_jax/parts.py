"""The parts that a config names: their sections, their modules, their settings."""
import ast
import fnmatch
from collections.abc import Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

from ml_collections import ConfigDict

from gen_jax.errors import UserError
from gen_jax.find import find, names
from gen_jax.settings import Settings
from gen_jax.types import Metric

ROOMS = {"data": "data", "model": "models", "objective": "objectives"}  # room of each section that is one part
OPTIM, EVALS = "optim", "evals"  # sections with a part for each player, and with one for each eval that has settings


class Part(NamedTuple):
    """One part of a config."""

    at: str  # where its section is, as in "optim.vae"
    room: str
    name: str
    section: ConfigDict

    @property
    def module(self) -> ModuleType:
        """Its file. An unknown name is a UserError."""
        return find(self.room, self.name)

    @property
    def hp(self) -> Settings | None:
        """Its settings, where it declares them."""
        return getattr(self.module, "hp", None)


def parts(config: ConfigDict) -> Iterator[Part]:
    """Every part of config that has a section; those whose names are wrong too, until their module is asked for."""
    for key, room in ROOMS.items():
        yield from _with_inner(Part(key, room, config[key].name, config[key]))
    for player, section in config[OPTIM].items():
        yield Part(f"{OPTIM}.{player}", "optimizers", section.name, section)
    for name, section in config[EVALS].items():
        if isinstance(section, ConfigDict):
            yield Part(f"{EVALS}.{name}", "evals", name, section)


def complete(config: ConfigDict, more: Iterable[str] = ()) -> ConfigDict:
    """config itself, with the default settings of each eval that has none there.

    more: names of evals beside those that config names.
    """
    for name in (*config.evals.end, *config.evals.during, *more):
        if name in names("evals") and name not in config.evals and (hp := getattr(find("evals", name), "hp", None)):
            with config.unlocked():
                config.evals[name] = hp()
    return config


def metrics(config: ConfigDict, more: Iterable[str] = ()) -> dict[str, Metric]:
    """What the objective of config, and each eval that it names, declare of their numbers, by name or pattern.

    more: names of further evals.
    """
    objective = find("objectives", config.objective.name)
    evals = dict.fromkeys((*config.evals.end, *config.evals.during, *more))
    declared = objective.metrics(config.objective) if hasattr(objective, "metrics") else _metrics(objective)
    return declared | {name: metric for eval in evals for name, metric in _metrics(find("evals", eval)).items()}


def quantity_and_split(number: str) -> tuple[str, str]:
    """(a number's name as METRICS has it, its split): of "test/kl" or "kl/test", ("kl", "test").

    The split is "train" or "test", at the end of the name also "samples", or "" where there is none. What is between
    belongs to the quantity: a class may be called "train".
    """
    quantity, _, last = number.rpartition("/")
    if quantity and last in ("train", "test", "samples"):
        return quantity, last
    first, _, rest = number.partition("/")
    return (rest, first) if rest and first in ("train", "test") else (number, "")


def metric_of(quantity: str, metrics: Mapping[str, Metric]) -> Metric:
    """What is declared of a number by its name without the split; of several patterns that fit it, by the first."""
    return next((metric for name, metric in metrics.items() if fnmatch.fnmatchcase(quantity, name)), Metric())


def _metrics(module: ModuleType) -> dict[str, Metric]:
    return getattr(module, "METRICS", {})


def compose(config: ConfigDict, overrides: dict[str, str]) -> ConfigDict:
    """Adds to config the sections that overrides ask for. Returns config itself.

    overrides: texts by dotted key, {"data.name": "folder"} say. The name of another part gives its section the settings
    of that part; a setting that both parts have keeps its value. A setting of a part in a dict of sections, an eval or
    a penalty, adds the section of that part. A name that there is not stays as it is: later checks report it.
    """
    for key, text in overrides.items():
        at, _, last = key.rpartition(".")
        if last == "name":
            _rename(config, at, text)
        bring(config, key)
    if end := overrides.get("evals.end"):
        with config.unlocked():
            config.evals.end = _words(end, config.evals.end)
    return complete(config)


def names_at(config: ConfigDict, at: str) -> list[str]:
    """The names of the parts that may stand in the dict of sections at `at`; [] if it is no such dict."""
    room = "evals" if at == EVALS else _room(config, at.split("."))
    return names(room) if room else []


def _rename(config: ConfigDict, at: str, name: str) -> None:
    part = next((part for part in parts(config) if part.at == at), None)
    if part is None or part.name == name or name not in names(part.room):
        return
    hp = getattr(find(part.room, name), "hp", None)
    if hp is None:
        return
    kept = {key: value for key, value in part.section.items() if key in hp.settings}
    owner, _, last = at.rpartition(".")
    with config.unlocked():
        (_section(config, owner) if owner else config)[last] = hp(**kept)


def bring(config: ConfigDict, key: str) -> None:
    """Adds to config itself the section that key is in, where that is of a part in a dict of sections.

    key: dotted, "evals.samples.num" say.
    """
    path = key.split(".")
    for i in range(1, len(path) - 1):
        owner, name = _section(config, ".".join(path[:i])), path[i]
        room = "evals" if path[:i] == [EVALS] else _room(config, path[:i])
        if room and owner is not None and name not in owner and name in names(room):
            hp = getattr(find(room, name), "hp", None)
            if hp:
                with config.unlocked():
                    owner[name] = hp()


def _room(config: ConfigDict, path: list[str]) -> str:
    """The room of the parts in the dict of sections at path, "" if it is no such dict."""
    for part in parts(config):
        if part.at == ".".join(path[:-1]) and part.name in names(part.room) and part.hp:
            setting = part.hp.settings.get(path[-1])
            return setting.room if setting else ""
    return ""


def _section(config: ConfigDict, at: str) -> ConfigDict | None:
    section: Any = config
    for key in at.split("."):
        if not isinstance(section, ConfigDict) or key not in section:
            return None
        section = section[key]
    return section if isinstance(section, ConfigDict) else None


def _with_inner(part: Part) -> Iterator[Part]:
    """part, and the parts in its dicts of sections."""
    yield part
    try:
        hp = part.hp
    except UserError:
        return
    for key, setting in (hp.settings if hp else {}).items():
        if setting.room and isinstance(part.section.get(key), ConfigDict):
            for name, section in part.section[key].items():
                yield Part(f"{part.at}.{key}.{name}", setting.room, name, section)


def _words(text: str, default: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the text of a tuple; default where it is none, which is reported elsewhere."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = tuple(word.strip() for word in text.strip("()").split(","))
    value = (value,) if isinstance(value, str) else value
    return tuple(value) if isinstance(value, (tuple, list)) and all(isinstance(n, str) for n in value) else default
