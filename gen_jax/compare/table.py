"""The tables of a comparison, in texts: one of all numbers, and one of each in detail."""
from collections.abc import Iterator
from typing import NamedTuple

from gen_jax.compare import words
from gen_jax.compare.comparison import Comparison, Row

ARROWS = {"higher": "↑", "lower": "↓", "": ""}


class Overview(NamedTuple):
    """A table with a row for each group and a column for each number."""

    header: list[str]  # with an arrow to where better is
    lines: list[list[str]]  # mean ± standard deviation; "" where a group has no such number
    bold: list[list[bool]]  # whether the group is the best, told apart from every other


def overview(comparison: Comparison) -> Overview:
    """The table of all numbers."""
    rows = comparison.rows
    header = ["group", "seeds", *(f"{row.quantity.number} {ARROWS[row.quantity.metric.better]}".strip()
                                  for row in rows)]
    groups = (*comparison.groups, *comparison.lost)
    lines = [[group.name, words.seeds(len(group.runs), len(group.lost)), *(_final(row, group.name) for row in rows)]
             for group in groups]
    bold = [[False, False, *(row.winner == group.name for row in rows)] for group in groups]
    return Overview(header, lines, bold)


def details(row: Row) -> Iterator[list[str]]:
    """The lines of one number's own table, the header first."""
    yield ["group", "seeds", "final", words.interval_name(row.cells.values()), "best", "at step"]
    for name, cell in row.cells.items():
        yield [name, words.seeds(len(cell.values), len(cell.lost)), words.plus_minus(cell.mean, cell.std),
               words.bracketed(cell.interval, cell.std), words.best(cell), words.best_steps(cell)]


def _final(row: Row, group: str) -> str:
    cell = row.cells.get(group)
    return words.plus_minus(cell.mean, cell.std) if cell else ""
