"""The figure under a verdict: signals over the epochs, and what they are compared with."""
from textwrap import fill
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gen_jax.evals import Trained
from gen_jax.evals._draw import about, curve, legend_below, log_scale, threshold, unit
from gen_jax.evals.health._ailments import Ailment
from gen_jax.style import PALE, figure

LINE = 84  # characters of the verdict that fit into a line


class Panel(NamedTuple):
    """One panel of the figure."""

    title: str
    ylabel: str
    curves: dict[str, str]  # by the metric's name, what it is called
    limits: tuple[tuple[float, str], ...] = ()  # what a verdict compares with, and what is said beyond it
    is_log: bool = False


def draw(trained: Trained, history: list[dict], panels: tuple[Panel, ...], onsets: list[tuple[Ailment, dict]],
         words: str, key: str = "") -> Figure:
    """The figure of the signals that a verdict rests on; panels of which nothing was recorded are left out.

    Args:
      history: all records.
      onsets: as _ailments.onsets gives them; the first is marked by a grey line.
      words: the verdict.
      key: what short names mean.
    """
    recorded = {name for record in history for name, value in record.items() if value is not None}
    panels = [panel for panel in panels if recorded & {*panel.curves}]
    rows = -(-len(panels) // 2)
    fig, axes = figure(1.2 + 2.5 * rows, rows=rows, columns=2)
    for panel, draws in zip(panels, axes.flat, strict=False):
        _draw_panel(draws, panel, history)
        if onsets:
            draws.axvline(onsets[0][1][unit(history)], color=PALE, linewidth=4, zorder=0, label="_")
        legend_below(draws)
    for draws in axes.flat[len(panels):]:
        draws.remove()
    since = f"grey line: {onsets[0][0].name} since then" if onsets else ""
    notes = "; ".join(note for note in (key, since) if note)
    fig.suptitle("\n".join(text for text in (fill(words, LINE), about(trained), notes) if text))
    return fig


def _draw_panel(axes: Axes, panel: Panel, history: list[dict]) -> None:
    for name, label in panel.curves.items():
        curve(axes, history, name, label)
    axes.set(title=panel.title, xlabel=unit(history), ylabel=panel.ylabel)
    if panel.is_log:
        log_scale(axes)
    else:
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    for limit, text in panel.limits:
        threshold(axes, limit, text)
