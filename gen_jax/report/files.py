"""JSON in a run's folder."""
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gen_jax.errors import UserError
from gen_jax.whole import write_atomically

WORD = re.compile(r'"(?:[^"\\]|\\.)*"|Infinity')  # of JSON as Python writes it: a text, or a number too large for JSON


def write_json(path: Path, value: dict) -> None:
    """Writes value as json_text, atomically."""
    write_atomically(path, json_text(value).encode(), sync=True)


def json_text(value: dict) -> str:
    """value as indented JSON. An infinite number is 1e999, which JSON has; what is no number, null."""
    text = json.dumps(_without(value, math.isnan), indent=2)
    return WORD.sub(lambda word: "1e999" if word[0] == "Infinity" else word[0], text) + "\n"


def read_json(path: Path) -> dict | None:
    """The JSON object in path, or None where there is no such file. A damaged one is a UserError."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise UserError(f"{path}: cannot be read (permission denied); give yourself the permission") from error
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path}: cannot be read ({error}); restore or remove it") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: is not what was written there; restore or remove it")
    return value


def finite(value: Any) -> Any:
    """value with None for every number that is not finite, for which JSON has no word."""
    return _without(value, lambda number: not math.isfinite(number))


def _without(value: Any, wrong: Callable[[float], bool]) -> Any:
    """value with None for every float that is wrong, also inside dicts and lists."""
    if isinstance(value, dict):
        return {key: _without(item, wrong) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without(item, wrong) for item in value]
    return None if isinstance(value, float) and wrong(value) else value
