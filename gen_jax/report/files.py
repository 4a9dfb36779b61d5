"""Files that are whole or absent."""
import json
import math
import os
from pathlib import Path
from typing import Any

from gen_jax.errors import UserError


def write_atomically(path: Path, content: bytes) -> None:
    """Writes content to path by a rename: a reader, or a kill, finds the old file or the new one."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: dict) -> None:
    """Writes value as indented JSON, atomically."""
    write_atomically(path, (json.dumps(finite(value), indent=2) + "\n").encode())


def read_json(path: Path) -> dict | None:
    """The JSON object in path, or None where there is no such file. A damaged one is a UserError."""
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read ({error}); restore or remove it") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: is not what was written there; restore or remove it")
    return value


def finite(value: Any) -> Any:
    """value with None for every number that is not finite, for which JSON has no word."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
