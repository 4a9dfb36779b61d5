"""Lines for the person at the terminal."""
import sys


def say(text: str) -> None:
    """Prints text on stderr, where it mixes with no output that a script reads."""
    print(text, file=sys.stderr, flush=True)
