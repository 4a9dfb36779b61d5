"""Settings of a part: declared once, beside the part's code, with their meaning, unit and range.

    hp = Settings(__name__, {"beta": Setting(1.0, "weight of the KL term", at_least(0))}, smoke={})

`hp(beta=4.0)` is the section of a config: {"name": <the file's name>, "beta": 4.0}.
"""
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ml_collections import ConfigDict
from ml_collections.config_dict import FieldReference, placeholder

from gen_jax.find import nearest

__all__ = ["POSITIVE", "Must", "Setting", "Settings", "at_least", "each", "one_of", "placeholder", "share"]


class Must(NamedTuple):
    """A rule for a value."""

    holds: Callable[[Any], bool]
    text: str  # what the value must be
    known: tuple[str, ...] = ()  # the values there are, where the rule is a choice


def at_least(low: float, below: float | None = None) -> Must:
    """A number that is at least low, and below the other end where there is one."""
    if below is None:
        return Must(lambda value: value >= low, f"{low} or more")
    return Must(lambda value: low <= value < below, f"at least {low} and below {below}")


def one_of(*known: str) -> Must:
    """One of some words."""
    return Must(lambda value: value in known, "", known)


def each(what: str = "positive whole numbers, as in (256,) or (512,256)") -> Must:
    """A tuple, not empty, of positive whole numbers."""
    return Must(lambda value: bool(value) and all(isinstance(n, int) and n > 0 for n in value), what)


POSITIVE = Must(lambda value: value > 0, "positive")


def share(what: str = "at least 0 and below 1") -> Must:
    """A share of a whole."""
    return Must(lambda value: 0 <= value < 1, what)


class Setting(NamedTuple):
    """One setting."""

    default: Any  # its type is the type of its values; placeholder(int): a whole number that may be left unset
    meaning: str  # with its unit
    must: Must | None = None
    room: str = ""  # of a dict of sections: the room whose parts they are, by name

    @property
    def type(self) -> type:
        """The type of its values."""
        return self.default.get_type() if isinstance(self.default, FieldReference) else type(self.default)

    def value(self, change: Any = None) -> Any:
        """A value on its own: the change, or the default where that is None; None where it may be left unset."""
        return change if change is not None or isinstance(self.default, FieldReference) else self.default

    def faults(self, value: Any, at: str) -> Iterator[str]:
        """A line if value is out of range. at: where it is."""
        if self.must and value is not None:
            yield from _fault(self.must, value, at)


class Settings:
    """The settings of one part. Called, it gives the part's section of a config."""

    def __init__(self, module: str, settings: Mapping[str, Setting], smoke: Mapping[str, Any] | None = None):
        """module: the part's __name__; smoke: the changes that make the part tiny, for a run in seconds."""
        self.name, self.settings, self.smoke = module.rpartition(".")[2], dict(settings), dict(smoke or {})

    def __call__(self, **changes) -> ConfigDict:
        """The part's section, with its name, its defaults and some changes."""
        return ConfigDict({"name": self.name, **self.values(**changes)})

    def values(self, **changes) -> dict[str, Any]:
        """The values by key. A change of a key that there is not is a TypeError."""
        for key in changes:
            if key not in self.settings:
                raise TypeError(f"{self.name} has no setting {key!r}{nearest(key, sorted(self.settings))}")
        return {key: _value(setting, changes.get(key)) for key, setting in self.settings.items()}

    def faults(self, section: ConfigDict, at: str) -> Iterator[str]:
        """A line for each value of section out of range and each key missing or too much. at: where section is."""
        for key in section:
            if key not in self.settings and key != "name":
                yield f"{at}.{key}: {self.name} has no such setting{nearest(key, sorted(self.settings))}"
        for key, setting in self.settings.items():
            if key not in section:
                yield f"{at}.{key} is missing: {setting.meaning}"
            else:
                yield from setting.faults(section[key], f"{at}.{key}")


def _value(setting: Setting, change: Any) -> Any:
    """The value of a setting: the change, or the default where that is None. Nothing is shared between two configs."""
    if setting.room:
        return ConfigDict(change or {})
    if isinstance(setting.default, FieldReference):
        value = placeholder(setting.default.get_type())
        value.set(change)
        return value
    return setting.default if change is None else change


def _fault(must: Must, value: Any, at: str) -> Iterator[str]:
    try:
        holds = must.holds(value)
    except TypeError:  # items of a tuple have no type of their own
        holds = False
    if not holds and must.known:
        yield f"{at}={value!r}: there is no such {at.rpartition('.')[2]}{nearest(value, list(must.known))}"
    elif not holds:
        yield f"{at}={value!r}: must be {must.text}"
