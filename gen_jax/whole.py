"""Files that are written whole or not at all."""
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: Path, content: bytes, sync: bool = False) -> None:
    """Writes content to path, as `opened` does."""
    with opened(path, sync) as file:
        file.write(content)


@contextlib.contextmanager
def opened(path: Path, sync: bool = False) -> Iterator[BinaryIO]:
    """A file to write into. It gets the name path when the code inside has ended, by a rename.

    So a reader finds the old file or the new one, whoever else writes it, and so it is after a kill. Where the code
    inside raises, the old file stays. sync: whether the content is on the disk before it has its name, so that a
    machine that dies leaves one of the two as well. Raises OSError.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        with open(unfinished, "wb") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
