"""A config in words: each key with its value, meaning, type and range."""
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from ml_collections import ConfigDict

from gen_jax.config import declared
from gen_jax.find import names
from gen_jax.settings import Setting

LEFT = 40  # columns of "key = value"; where it is longer, the meaning stands below it
NARROWEST = 30  # columns of a meaning


def values_of(config: ConfigDict, prefix: str = "") -> dict[str, Any]:
    """{dotted key: value} of config; an empty section is a value, {}."""
    values = {}
    for key, value in config.items():
        if isinstance(value, ConfigDict) and len(value):
            values |= values_of(value, f"{prefix}{key}.")
        else:
            values[prefix + key] = {} if isinstance(value, ConfigDict) else value
    return values


def describe(config: ConfigDict, prefix: str = "") -> Iterator[str]:
    """Lines for each key of config: prefix + key, its value, its meaning, and what it must be.

    On a terminal they are as wide as that; elsewhere a key has one line, however long.
    """
    width = max(shutil.get_terminal_size().columns, LEFT + NARROWEST) if sys.stdout.isatty() else sys.maxsize
    settings = declared(config)
    for key, value in values_of(config).items():
        left = f"{prefix}{key} = {value!r}"
        if key not in settings:
            yield left
            continue
        words = textwrap.wrap(explained(settings[key]), width - LEFT - 4, break_long_words=False)
        if len(left) > LEFT and width < sys.maxsize:
            yield left
            left = ""
        for line in words:
            yield f"{left:<{LEFT}}  # {line}"
            left = ""


def explained(setting: Setting) -> str:
    """What a setting means, and what its values must be: "weight of the KL term [a number, at least 0]"."""
    rule = f"sections by name, of {', '.join(names(setting.room))}" if setting.room else setting.text
    return f"{setting.meaning} [{rule}]"
