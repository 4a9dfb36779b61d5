"""Markdown, for a README or an issue."""
from collections.abc import Iterator, Sequence

from gen_jax.compare import words
from gen_jax.compare.comparison import Comparison, Row
from gen_jax.compare.table import details, overview

SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|~"})


def files(comparison: Comparison) -> dict[str, str]:
    """comparison.md: the table of all numbers, then each in detail."""
    table = overview(comparison)
    cells = [[f"**{_escaped(text)}**" if is_bold else _escaped(text) for text, is_bold in zip(*line, strict=True)]
             for line in zip(table.lines, table.bold, strict=True)]
    parts = [*_table(table.header, cells), "", "Bold: the best, told apart from every other group.", ""]
    for row in comparison.rows:
        parts += _detailed(row)
    parts += [f"- {_escaped(line)}" for line in comparison.remarks]
    parts += ["", *map(_escaped, words.methods(comparison))]
    return {"comparison.md": "\n".join(parts) + "\n"}


def _detailed(row: Row) -> Iterator[str]:
    yield f"### {_escaped(row.quantity.number)} ({_escaped(words.about(row))})\n"
    header, *lines = details(row)
    yield from _table(header, [list(map(_escaped, line)) for line in lines])
    yield ""
    yield from (f"- {_escaped(sentence)}" for sentence in words.sentences(row))
    yield ""


def _table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(map(_escaped, header))} |"
    yield "|---" + "|---:" * (len(header) - 1) + "|"
    yield from (f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    return text.translate(SPECIAL)
