"""Plain text, for a terminal."""
import textwrap
from collections.abc import Iterator

from gen_jax.compare import words
from gen_jax.compare.comparison import Comparison, Row
from gen_jax.compare.table import ARROWS, details, overview
from gen_jax.report.summary import aligned

WIDTH = 100  # columns
LONGEST = 28  # characters of a group's name in its line; a longer one has a line of its own


def files(comparison: Comparison) -> dict[str, str]:
    """comparison.txt: a table of all numbers, one of each with sentences, what was left out, and how to read it."""
    return {"comparison.txt": "\n".join(lines(comparison)) + "\n"}


def lines(comparison: Comparison) -> list[str]:
    """The text in lines of at most WIDTH columns."""
    found = _overview(comparison)
    for row in comparison.rows:
        found += [*_table(row), *(line for text in words.sentences(row) for line in _wrapped(text)), ""]
    for text in comparison.remarks:
        found += _wrapped(text, "")
    return [*found, *(line for text in words.methods(comparison) for line in _wrapped(text, ""))]


def _overview(comparison: Comparison) -> list[str]:
    """The table of all numbers, where it fits; none of one number, whose own table says all of it."""
    header, texts, bold = overview(comparison)
    marked = [[text + "*" * is_bold for text, is_bold in zip(*line, strict=True)]
              for line in zip(texts, bold, strict=True)]
    table = aligned([header, *marked], "<" + ">" * (len(header) - 1))
    if max(map(len, table)) > WIDTH or len(comparison.rows) == 1 and not comparison.lost:
        return []
    return [*table, *["*: the best, told apart from every other group"] * any(map(any, bold)), ""]


def _table(row: Row) -> Iterator[str]:
    """The number's name, and its table; a column that no group fills is left out."""
    yield f"{row.quantity.number} {ARROWS[row.quantity.metric.better]}".rstrip() + f"  ({words.about(row)})"
    cells = [*details(row)]
    names = [line[0] for line in cells]
    short = [["" if len(line[0]) > LONGEST else line[0], *line[1:]] for line in cells]
    kept = [i for i, column in enumerate(zip(*short[1:], strict=True)) if any(column) or i == 0]
    table = aligned([[line[i] for i in kept] for line in short], "".join("<>>>>>"[i] for i in kept))
    for name, line in zip(names, table, strict=True):
        if len(name) > LONGEST:
            yield from textwrap.wrap(name, WIDTH - 2, initial_indent="  ", subsequent_indent="    ")
        yield f"  {line}"


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)
