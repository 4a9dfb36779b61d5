"""Lines for the person at the terminal, who may have left: output never ends a run.

It imports nothing heavy: the launcher calls `guard` before anything else is loaded.
"""
import contextlib
import logging
import os
import sys
from typing import TextIO


class Quiet:
    """A text stream that falls silent where its end is closed, full or dead, in place of raising."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes text, or nothing."""
        try:
            self._stream.write(text)
        except (OSError, ValueError):
            self._silence()
        return len(text)

    def flush(self) -> None:
        """Flushes, if there is anything to flush to."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._silence()

    def _silence(self) -> None:
        """From here on all goes to /dev/null, also what is buffered and what other code writes to the descriptor."""
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "w") as null:
            os.dup2(null.fileno(), self._stream.fileno())


def guard() -> None:
    """Makes stdout and stderr Quiet, with an escape for every character that their encoding lacks.

    Descriptors that are closed are opened on /dev/null: else the next files to be opened would take their numbers, and
    what is meant for the terminal would be written into them.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name) or open(descriptor, "w", closefd=False)  # noqa: SIM115
        stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, Quiet(stream))


def say(text: str) -> None:
    """Prints text on stderr, where it mixes with no output that a script reads."""
    print(f"{_over_the_line()}{text}", file=sys.stderr, flush=True)


class Plain(logging.Formatter):
    """Log records as lines like those of say."""

    def format(self, record: logging.LogRecord) -> str:
        return _over_the_line() + super().format(record)


def _over_the_line() -> str:
    """What takes a progress line that stands on the terminal away; the next one is written below."""
    return "\r\x1b[K" if sys.stderr.isatty() else ""
