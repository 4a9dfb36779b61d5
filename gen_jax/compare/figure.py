"""The figures of a comparison: each seed's final value with mean and interval, and the curves over training."""
import re
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from gen_jax import style
from gen_jax.compare import words
from gen_jax.compare.comparison import EARLY, Cell, Comparison, Row
from gen_jax.compare.table import ARROWS

FIGURES = ("comparison", "comparison_curves")
WIDTHS = {1: 5.0, 2: 6.2, 3: style.WIDTH}  # inches, by panels beside each other
PANEL, LINE, LEGEND, LETTER = 2.2, 0.17, 0.2, 0.085  # inches: the heights of curves, of a line of text, of one in a
#                                                      legend; the width of a letter
LABEL, TITLE = 24, 30  # characters of a group's name and of a panel's title that fit into a line
FEWEST = 4  # lines of text that a panel is high at least, for its axis and the figure's legend
MOST_LINES = 3  # of a group's name; the rest of a longer one is cut
WORD = re.compile(rf"[^\s_/,.-]{{0,{LABEL - 1}}}[\s_/,.-]?")  # of a name, with what ends it
MOST_SINGLE = 6  # groups, up to which each seed has its own curve


def figures(comparison: Comparison) -> dict[str, Figure]:
    """The figures by their names, of FIGURES; that of curves only where there are some."""
    drawn = zip(FIGURES, (finals(comparison), curves(comparison)), strict=True)
    return {name: fig for name, fig in drawn if fig}


def finals(comparison: Comparison) -> Figure:
    """A panel for each number: a dot for each seed, the mean, and its interval; groups from above to below."""
    names = [_wrapped(group.name) for group in comparison.groups]
    rows, columns = _layout(len(comparison.rows))
    lines = max(FEWEST, sum(max(1.6, 1.15 * (name.count("\n") + 1)) for name in names))
    fig, axes = style.figure(0.2 + rows * (0.75 + LINE * lines), rows, columns, WIDTHS[columns], sharey=True)
    for panel, row in zip(axes.flat, comparison.rows, strict=False):
        for place, group in enumerate(comparison.groups):
            if cell := row.cells.get(group.name):
                _dots(panel, place, cell, len(comparison.groups))
        panel.set_title(_title(row))
        panel.set_xlabel(fill(row.quantity.metric.unit, TITLE))
        panel.xaxis.set_major_locator(MaxNLocator(4))
        panel.margins(x=0.12)
        panel.grid(axis="x", color=style.PALE, linewidth=0.5)
        panel.set_axisbelow(True)
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].set_ylim(len(names) - 0.4, -0.6)
    _remove_rest(axes, len(comparison.rows))
    intervals = words.interval_name(cell for row in comparison.rows for cell in row.cells.values())
    fig.supxlabel(f"dots: seeds; diamonds: means; lines: {intervals}s of the means", fontsize=style.SMALL)
    return fig


def curves(comparison: Comparison) -> Figure | None:
    """A panel for each number that was recorded during training: each seed's curve, the mean, and each seed's best.

    None where no number was.
    """
    recorded = [row for row in comparison.rows if any(map(_has_curve, row.cells.values()))]
    if not recorded:
        return None
    of = len(comparison.groups)
    looks = {group.name: _look(place, of) for place, group in enumerate(comparison.groups)}
    rows, columns = _layout(len(recorded))
    names = {group.name: _wrapped(group.name) for group in comparison.groups
             if any(group.name in row.cells and _has_curve(row.cells[group.name]) for row in recorded)}
    beside, lines = _legend([*names.values()], WIDTHS[columns])
    fig, axes = style.figure(rows * PANEL + 0.35 + LEGEND * lines, rows, columns, WIDTHS[columns])
    for panel, row in zip(axes.flat, recorded, strict=False):
        for name in names:
            if cell := row.cells.get(name):
                _curves(panel, cell, looks[name], with_seeds=of <= MOST_SINGLE)
        panel.set(title=_title(row), xlabel="step", ylabel=fill(row.quantity.metric.unit, TITLE))
        panel.xaxis.set_major_locator(MaxNLocator(3, integer=True))
        panel.xaxis.set_major_formatter(_short_step)
        _fit_to_later(panel)
    _remove_rest(axes, len(recorded))
    seeds = "; thin lines: seeds" if of <= MOST_SINGLE else ""
    fig.legend(handles=[Line2D([], [], **looks[name], label=label) for name, label in names.items()], ncols=beside,
               loc="outside lower center", title_fontsize=style.SMALL,
               title=f"lines: means over seeds{seeds}; circles: each seed's best")
    return fig


def _has_curve(cell: Cell) -> bool:
    return any(len(value.curve) > 1 for value in cell.values)


def _dots(axes: Axes, place: int, cell: Cell, of: int) -> None:
    color = _look(place, of)["color"]
    spread = np.linspace(-0.18, 0.18, len(cell.values)) if len(cell.values) > 1 else np.zeros(1)
    axes.scatter(cell.finals, place + spread, s=14, color=color, alpha=0.55, linewidths=0, zorder=2)
    if cell.interval:
        axes.plot(cell.interval, [place, place], color=style.BLACK, linestyle="-", linewidth=1.2, zorder=3,
                  solid_capstyle="butt")
    axes.plot([cell.mean], [place], marker="D", markersize=5, color=color, markeredgecolor=style.BLACK,
              markeredgewidth=0.9, linestyle="", zorder=4)


def _curves(axes: Axes, cell: Cell, look: dict, with_seeds: bool) -> None:
    by_seed = [dict(value.curve) for value in cell.values if value.curve]
    shared = sorted(set.intersection(*map(set, by_seed))) if by_seed else []
    for value in cell.values:
        if with_seeds and len(cell.values) > 1 and value.curve:
            axes.plot(*np.array(value.curve, float).T, **look | {"linewidth": 0.6, "alpha": 0.4})
        if value.best is not None:
            axes.plot([value.best_step], [value.best], marker="o", markersize=4, markerfacecolor="white",
                      markeredgecolor=look["color"], linestyle="", zorder=4)
    axes.plot(shared, [np.mean([seed[step] for seed in by_seed]) for step in shared], **look)


def _look(place: int, of: int) -> dict:
    """The colour and dashes of a group: those of lines, and where groups are more, each colour with other dashes."""
    turn = place // len(style.LINES)
    return {"color": style.LINES[place % len(style.LINES)],
            "linestyle": style.DASHES[turn % len(style.DASHES)] if of > len(style.LINES) else "-"}


def _title(row: Row) -> str:
    """The number's name and which way is better, in two lines where it is long."""
    title = f"{row.quantity.number} {ARROWS[row.quantity.metric.better]}".rstrip()
    name, _, split = title.rpartition("/")
    return f"{name}\n/{split}" if name and len(title) > TITLE else title


def _wrapped(name: str) -> str:
    """A name in lines, broken where its words end, of which only the first MOST_LINES are kept."""
    lines = [""]
    for word in WORD.findall(name):
        if lines[-1] and len(lines[-1]) + len(word) > LABEL:
            lines.append("")
        lines[-1] += word
    return "\n".join(lines[:MOST_LINES]) + " ..." * (len(lines) > MOST_LINES)


def _legend(names: list[str], width: float) -> tuple[int, int]:
    """(how many names fit beside each other in a legend, how many lines of text they then are)."""
    longest = max(len(line) for name in names for line in name.split("\n"))
    beside = min(len(names), max(1, int(width / (0.5 + LETTER * longest))))
    tallest = max(name.count("\n") + 1 for name in names)
    return beside, tallest * -(-len(names) // beside)


def _layout(panels: int) -> tuple[int, int]:
    columns = 2 if panels in (2, 4) else min(max(WIDTHS), panels)
    return -(-panels // columns), columns


def _short_step(step: float, _) -> str:
    return f"{step / 1000:g}k" if step >= 10_000 else f"{step:,.0f}"


def _fit_to_later(axes: Axes) -> None:
    """Fits the vertical scale to the curves without their EARLY records, where those would flatten the rest."""
    drawn = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) > 5]
    if not drawn:
        return
    later = [y[max(1, int(EARLY * len(y))):] for y in drawn]
    low, high = min(map(np.min, later)), max(map(np.max, later))
    whole = max(map(np.max, drawn)) - min(map(np.min, drawn))
    if high > low and whole > 2 * (high - low):
        axes.set_ylim(low - 0.05 * (high - low), high + 0.1 * (high - low))


def _remove_rest(axes: np.ndarray, used: int) -> None:
    for panel in axes.flat[used:]:
        panel.remove()
