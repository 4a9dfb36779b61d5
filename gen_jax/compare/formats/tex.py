"""LaTeX: tables by booktabs, to be taken into a paper by \\input."""
import re
from collections.abc import Iterable, Iterator, Sequence

from gen_jax.compare import words
from gen_jax.compare.comparison import Comparison, Row
from gen_jax.compare.table import details, overview

SPECIAL = str.maketrans({
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$",
    **{character: f"\\{character}" for character in "&%$#_{}"}})
NUMERIC = re.compile(r"[-\d.,e+ ±\[\]]*\d[-\d.,e+ ±\[\]]*")  # a number, a mean with its spread, an interval

EXPONENT, THOUSANDS = re.compile(r"e(-?)\+?0?(\d+)"), re.compile(r",(?=\d)")


def files(comparison: Comparison) -> dict[str, str]:
    """comparison.tex: the table of all numbers, then one of each in detail. What is said of them is in comments."""
    table = overview(comparison)
    cells = [_cells(*line) for line in zip(table.lines, table.bold, strict=True)]
    parts = [r"% \usepackage{booktabs}", "% Bold: the best, told apart from every other group.",
             *_comments((*words.methods(comparison), *comparison.remarks)),
             *_tabular(table.header, cells)]
    for row in comparison.rows:
        parts += _detailed(row)
    return {"comparison.tex": "\n".join(parts) + "\n"}


def escaped(text: str) -> str:
    """text with what LaTeX would take as its own written out."""
    return text.translate(SPECIAL)


def _detailed(row: Row) -> Iterator[str]:
    yield ""
    yield from _comments([f"{row.quantity.number} ({words.about(row)})", *words.sentences(row)])
    header, *lines = details(row)
    yield from _tabular(header, [_cells(line, [False] * len(line)) for line in lines])


def _tabular(header: Sequence[str], lines: Sequence[Sequence[str]]) -> Iterator[str]:
    yield rf"\begin{{tabular}}{{l{'r' * (len(header) - 1)}}}"
    yield r"\toprule"
    yield _line(map(escaped, header))
    yield r"\midrule"
    yield from map(_line, lines)
    yield r"\bottomrule"
    yield r"\end{tabular}"


def _cells(texts: Sequence[str], bold: Sequence[bool]) -> list[str]:
    """The cells of a line, the first of which is a name."""
    return [escaped(texts[0]), *map(_cell, texts[1:], bold[1:])]


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _cell(text: str, is_bold: bool) -> str:
    """A cell: numbers in math mode, which has the minus sign; of an empty one, a dash."""
    if not text:
        return "--"
    if not NUMERIC.fullmatch(text):
        return escaped(text)
    inner = THOUSANDS.sub("{,}", EXPONENT.sub(r"\\cdot 10^{\1\2}", text)).replace("±", r"\pm")
    return rf"$\mathbf{{{inner}}}$" if is_bold else f"${inner}$"


def _comments(sentences: Sequence[str]) -> Iterator[str]:
    return (f"% {' '.join(sentence.split())}" for sentence in sentences)
