"""Lines for the person at the terminal."""
import logging
import sys


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
