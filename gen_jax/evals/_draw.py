"""Figures in one style."""
from collections.abc import Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gen_jax.grids import grid

STYLE = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10,
         "legend.frameon": False, "image.cmap": "gray"}
matplotlib.rcParams.update(STYLE)


def figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, np.ndarray]:
    """A figure of so many inches and its axes [rows, columns]."""
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, columns, squeeze=False)


def show(axes: Axes, pixels: np.ndarray, title: str = "") -> None:
    """Draws pixels [H,W,C] without ticks."""
    axes.imshow(pixels.squeeze(), vmin=0, vmax=255, interpolation="nearest")
    axes.set(xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(False)


def image_rows(title: str, x: np.ndarray, row_labels: Sequence[str], column_labels: Sequence[str] = ()) -> Figure:
    """A figure of the tiles x uint8 [rows,columns,H,W,C], with a label at each row and column."""
    rows, columns = x.shape[:2]
    fig, [[axes]] = figure(1.2 + 0.5 * columns, 0.6 + 0.5 * rows)
    pixels = grid(x.reshape(-1, *x.shape[2:]), columns)
    show(axes, pixels, title)
    height, width = pixels.shape[0] / rows, pixels.shape[1] / columns
    axes.set_yticks([(i + 0.5) * height for i in range(rows)], row_labels)
    if column_labels:
        axes.set_xticks([(i + 0.5) * width for i in range(columns)], column_labels)
    axes.tick_params(length=0)
    return fig


def unit(history: list[dict]) -> str:
    """What records are counted in: "epoch", or "step" where there are no epochs."""
    return "epoch" if history and "epoch" in history[-1] else "step"


def curve(axes: Axes, history: list[dict], name: str, label: str) -> None:
    """Draws one metric over the records that have it."""
    points = [(record[unit(history)], record[name]) for record in history if record.get(name) is not None]
    if points:
        axes.plot(*zip(*points, strict=True), label=label, linewidth=1)


def scatter(axes: Axes, points: np.ndarray, labels: np.ndarray | None, classes: Sequence[str], title: str) -> None:
    """Draws points [N,2], coloured by class where there are labels; the fewer they are, the larger."""
    dots = {"s": np.clip(20_000 / len(points), 3, 25), "alpha": 0.6, "linewidths": 0}
    if labels is None:
        axes.scatter(*points.T, **dots)
    colors = matplotlib.colormaps["tab10" if len(classes) <= 10 else "tab20"].colors
    for label, name in enumerate(classes):
        axes.scatter(*points[labels == label].T, color=colors[label % len(colors)], label=name, **dots)
    axes.set(title=title, aspect="equal", adjustable="datalim")
    if classes:
        axes.legend(markerscale=(30 / dots["s"]) ** 0.5, handletextpad=0.1, loc="center left", bbox_to_anchor=(1, 0.5))
