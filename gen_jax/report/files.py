"""Files that are whole or absent."""
import json
import os
from pathlib import Path
from typing import Any


def write_atomically(path: Path, content: bytes) -> None:
    """Writes content to path by a rename: a reader, or a kill, finds the old file or the new one."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Writes value as indented JSON, atomically. Numbers that are not finite become null, as JSON has none."""
    write_atomically(path, (json.dumps(value, indent=2, default=_plain, allow_nan=True) + "\n").encode())


def _plain(value: Any):
    return value.tolist() if hasattr(value, "tolist") else str(value)
