"""Settings of a part: declared once, beside the part's code, with their meaning, unit, type and range.

    hp = Settings(__name__, {"beta": Setting(1.0, "weight of the KL term", at_least(0))}, smoke={})

`hp(beta=4.0)` is the section of a config: {"name": <the file's name>, "beta": 4.0}.
"""
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ml_collections import ConfigDict
from ml_collections.config_dict import FieldReference, placeholder

from gen_jax.errors import UserError
from gen_jax.find import nearest

__all__ = ["BELOW", "POSITIVE", "Must", "Setting", "Settings", "at_least", "between", "each", "is_of", "one_of",
           "placeholder", "share", "shown"]

BELOW = 2**31  # what every number stays below that has no lower end of its own: devices count in int32
TYPES = {bool: "True or False", int: "a whole number", float: "a finite number", str: "a text", tuple: "a tuple",
         ConfigDict: "a section"}
ITEMS = {int: "whole numbers", float: "finite numbers", str: "texts", tuple: "tuples"}


class Must(NamedTuple):
    """A rule for a value that is of the setting's type."""

    holds: Callable[[Any], bool]
    text: str  # what the value must be
    known: tuple[str, ...] = ()  # the values there are, where the rule is a choice


def at_least(low: float, below: float = BELOW) -> Must:
    """A number that is at least low and below the other end."""
    return Must(lambda value: low <= value < below, f"at least {low} and below {'2**31' if below == BELOW else below}")


def between(low: float, high: float) -> Must:
    """A number from low to high, both included."""
    return Must(lambda value: low <= value <= high, f"from {low} to {high:,}")


def one_of(*known: str) -> Must:
    """One of some words."""
    return Must(lambda value: value in known, f"one of {', '.join(known)}", known)


def each(most: int = 64) -> Must:
    """A tuple, not empty, of at most so many positive whole numbers."""
    return Must(lambda value: 0 < len(value) <= most and all(0 < n < BELOW for n in value),
                f"1 to {most} positive whole numbers below 2**31, as in (256,) or (512,256)")


POSITIVE = Must(lambda value: 0 < value < BELOW, "positive and below 2**31")


def share(what: str = "at least 0 and below 1") -> Must:
    """A share of a whole."""
    return Must(lambda value: 0 <= value < 1, what)


class Setting(NamedTuple):
    """One setting."""

    default: Any  # its type is the type of its values; placeholder(int): a whole number that may be left unset
    meaning: str  # with its unit
    must: Must | None = None
    room: str = ""  # of a dict of sections: the room whose parts they are, by name
    item: type | None = None  # the type of the items of a tuple that is empty by default

    @property
    def may_be_unset(self) -> bool:
        """Whether None is a value of it."""
        return isinstance(self.default, FieldReference)

    @property
    def of(self) -> type:
        """The type of its values: a key of TYPES."""
        if self.room:
            return ConfigDict
        return self.default.get_type() if self.may_be_unset else type(self.default)

    @property
    def items(self) -> type | None:
        """The type of a tuple's items; None where the values are no tuples."""
        return self.item or (type(self.default[0]) if self.of is tuple and self.default else None)

    @property
    def type_text(self) -> str:
        """Its type in words: "a whole number", "a tuple of texts"."""
        return TYPES[self.of] + (f" of {ITEMS[self.items]}" if self.items else "")

    @property
    def text(self) -> str:
        """What its values must be, in words: "a whole number, at least 1 and below 2**31"."""
        return self.type_text + (f", {self.must.text}" if self.must else "")

    def type_fault(self, value: Any) -> str:
        """What is wrong with the type of a value, or with the items of a tuple; "" if nothing."""
        if value is None and self.may_be_unset:
            return ""
        right = is_of(self.of, value) and (self.items is None or all(is_of(self.items, item) for item in value))
        return "" if right else f"must be {self.type_text}"

    def fault(self, value: Any) -> str:
        """What is wrong with a value, its type or its range; "" if nothing."""
        if fault := self.type_fault(value):
            return fault
        if value is None or self.must is None or self.must.holds(value):
            return ""
        known = list(self.must.known)
        return f"there is no such choice{nearest(value, known)}" if known else f"must be {self.must.text}"

    def value(self) -> Any:
        """The default on its own; None where it may be left unset."""
        return None if self.may_be_unset else self.default


class Settings:
    """The settings of one part. Called, it gives the part's section of a config."""

    def __init__(self, module: str, settings: Mapping[str, Setting], smoke: Mapping[str, Any] | None = None):
        """module: the part's __name__; smoke: the changes that make the part tiny, for a run in seconds."""
        self.name, self.settings, self.smoke = module.rpartition(".")[2], dict(settings), dict(smoke or {})

    def __call__(self, **changes) -> ConfigDict:
        """The part's section, with its name, its defaults and some changes."""
        return ConfigDict({"name": self.name, **self.values(**changes)})

    def values(self, **changes) -> dict[str, Any]:
        """The values by key. A change of a key that there is not, or to another type, is a UserError."""
        faults = [f"{self.name}.hp({key}=...): {self.name} has no such setting{nearest(key, sorted(self.settings))}"
                  for key in changes if key not in self.settings]
        faults += [f"{self.name}.hp({key}={shown(value)}): {fault}" for key, value in changes.items()
                   if key in self.settings and (fault := self.settings[key].type_fault(value))]
        if faults:
            raise UserError(*faults)
        return {key: _value(setting, changes.get(key)) for key, setting in self.settings.items()}

    def faults(self, section: ConfigDict, at: str) -> Iterator[str]:
        """A line for each value of section of a wrong type or out of range, and each key missing or too much.

        at: where section is.
        """
        if not isinstance(section, ConfigDict):
            yield f"{at}={shown(section)}: must be {TYPES[ConfigDict]}"
            return
        for key in section:
            if key not in self.settings and key != "name":
                yield f"{at}.{key}: {self.name} has no such setting{nearest(key, sorted(self.settings))}"
        for key, setting in self.settings.items():
            if key not in section:
                yield f"{at}.{key} is missing: {setting.meaning}"
            elif fault := setting.fault(section[key]):
                yield f"{at}.{key}={shown(section[key])}: {fault}"


def shown(value: Any) -> str:
    """A value as a line may show it: the middle of a long one is left out."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:50]} ... {text[-20:]}"


def is_of(of: type, value: Any) -> bool:
    """Whether value is of a type of TYPES. True and False are no numbers here, and a whole number is one."""
    if of is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max
    if of is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, dict | ConfigDict if of is ConfigDict else of)


def _value(setting: Setting, change: Any) -> Any:
    """The value of a setting: the change, or the default where that is None. Nothing is shared between two configs."""
    if setting.room:
        return ConfigDict(change or {})
    if setting.may_be_unset:
        value = placeholder(setting.of)
        value.set(change)
        return value
    if change is None:
        return setting.default
    return float(change) if setting.of is float else change
