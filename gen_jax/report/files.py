"""Files that are whole or absent."""
import json
import math
import os
import re
from pathlib import Path
from typing import Any

from gen_jax.errors import UserError

WORD = re.compile(r'"(?:[^"\\]|\\.)*"|Infinity')  # of JSON as Python writes it: a text, or a number too large for JSON


def write_atomically(path: Path, content: bytes, sync: bool = False) -> None:
    """Writes content to path by a rename: a reader, or a kill, finds the old file or the new one.

    sync: whether it is on the disk before it has its name, so that a machine that dies leaves one of the two as well.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: dict) -> None:
    """Writes value as indented JSON, atomically. An infinite number is 1e999, which JSON has; what is no number, null.
    """
    text = WORD.sub(lambda word: "1e999" if word[0] == "Infinity" else word[0], json.dumps(_numbers(value), indent=2))
    write_atomically(path, (text + "\n").encode(), sync=True)


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
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _numbers(value: Any) -> Any:
    """value with None for every float that is no number."""
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value
