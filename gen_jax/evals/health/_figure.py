"""The figure under a verdict on a GAN: its signals over the epochs, and what they are compared with."""
from textwrap import fill
from typing import NamedTuple

from matplotlib.figure import Figure

from gen_jax.evals import Trained
from gen_jax.evals._draw import about, curve, legend_below, log_scale, threshold, unit, unit_of
from gen_jax.evals.health._ailments import (
    FARTHEST,
    LARGEST_LOSS,
    LEAST_DIVERSITY,
    MOST_COPIED,
    RECENT,
    largest_margin,
    onset,
)
from gen_jax.style import PALE, figure

LINE = 84  # characters of the verdict that fit into a line


class Panel(NamedTuple):
    """One panel of the figure."""

    title: str
    ylabel: str
    curves: dict[str, str]  # by the metric's name, what it is called
    limits: tuple[tuple[float, str], ...] = ()  # what a verdict compares with, and what is said beyond it
    is_log: bool = False


def _panels(smoothing: float, trained: Trained) -> tuple[Panel, ...]:
    """The figure's panels; those of which nothing was recorded are left out."""
    return (
        Panel("in training", "probability of being real",
              {"disc/real": "D(x)", "disc/fake": "D(G(z))", "disc/margin": "D(x) - D(G(z))"},
              ((largest_margin(smoothing), "difference above: saturated"),)),
        Panel("held-out images", "probability of being real",
              {"test/real": "D(x)", "test/fake": "D(G(z))", "test/accuracy": "share told right"}),
        Panel("losses", unit_of(trained, "disc/loss"),
              {"disc/loss": "D", "gen/loss": "G", "test16/disc_loss": "D, 16 held out",
               "test16/gen_loss": "G, 16 held out"},
              ((LARGEST_LOSS["disc/loss"], "D above: diverged"), (LARGEST_LOSS["gen/loss"], "G above: diverged"))),
        Panel("gradients and updates", "norm",
              {"disc/grad_norm": "gradient of D", "gen/grad_norm": "gradient of G", "disc/update_norm": "update of D",
               "gen/update_norm": "update of G"}, is_log=True),
        Panel("distances of samples", "in those of test images",
              {"samples/diversity": "to any sample", "samples/nearest": "to nearest training",
               "samples/spacing": "to nearest sample"},
              ((FARTHEST, "to training above: diverged"), (LEAST_DIVERSITY, "to samples below: collapsed"))),
        Panel("copies and averages", "share",
              {"samples/copied": "copied samples", "ema/distance": "averages to weights"},
              ((MOST_COPIED, f"mean of {RECENT} above: copying"),)),
        Panel("Fréchet distance in random features", "squared distance",
              {"features/distance": "samples", "features/distance_real": "test images"}),
    )


def draw(trained: Trained, records: list[dict], smoothing: float, words: str) -> Figure:
    """The figure of the signals that a verdict rests on. records: as _ailments.signals gives them; words: the verdict.
    """
    margins = [record | {"disc/margin": record["disc/real"] - record["disc/fake"]}
               if None not in (record.get("disc/real"), record.get("disc/fake")) else record
               for record in trained.history]
    recorded = {name for record in margins for name, value in record.items() if value is not None}
    panels = [panel for panel in _panels(smoothing, trained) if recorded & {*panel.curves}]
    rows = -(-len(panels) // 2)
    fig, axes = figure(1.2 + 2.5 * rows, rows=rows, columns=2)
    since = onset(records) if len(records) >= RECENT else None
    for panel, draws in zip(panels, axes.flat, strict=False):
        for name, label in panel.curves.items():
            curve(draws, margins, name, label)
        draws.set(title=panel.title, xlabel=unit(margins), ylabel=panel.ylabel)
        if panel.is_log:
            log_scale(draws)
        else:
            draws.set_ylim(bottom=min(0, draws.get_ylim()[0]))
        for limit, text in panel.limits:
            threshold(draws, limit, text)
        if since:
            draws.axvline(since[1][unit(margins)], color=PALE, linewidth=4, zorder=0, label="_")
        legend_below(draws)
    for draws in axes.flat[len(panels):]:
        draws.remove()
    key = f"\nD: discriminator, G: generator{f'; grey line: {since[0].name} since then' if since else ''}"
    fig.suptitle(fill(words, LINE) + f"\n{about(trained)}{key}")
    return fig
