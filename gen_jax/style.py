"""How figures look: their widths, fonts and colours. No other file sets any.

Figures that are made and saved within styled() have it; evals run within it. A figure is at most WIDTH inches wide and
its text has 10 points or more, so that it can be read on half of a slide.
Colour-blind readers can tell the colours apart: of lines, those of Okabe and Ito (jfly.uni-koeln.de/color); of classes,
the ten of Petroff (arXiv:2107.02270).
"""
from contextlib import AbstractContextManager

import matplotlib
import numpy as np
from cycler import cycler
from matplotlib.figure import Figure

WIDTH = 7.5  # inches
BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK = LINES = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), "-")
CLASSES = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")
MARKERS = "o^sDvP*X<>"  # one for each ten classes
GREY, PALE = "0.35", "0.75"  # what is there for comparison, what is left aside
DENSITY, DIVERGING = "cividis", "PuOr_r"  # colour maps: from none to much; from one side to the other
SMALL = 10  # points, of legends and notes

STYLE = {
    "font.size": 11, "axes.titlesize": 11, "axes.labelsize": 11, "xtick.labelsize": SMALL, "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL, "figure.titlesize": 11, "axes.spines.top": False, "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=LINES, linestyle=DASHES), "lines.linewidth": 1.5, "legend.frameon": False,
    "legend.columnspacing": 1.2, "legend.handlelength": 1.8, "legend.handletextpad": 0.5,
    "image.cmap": "gray", "figure.constrained_layout.w_pad": 0.08, "figure.constrained_layout.h_pad": 0.08,
    "pdf.fonttype": 42, "svg.hashsalt": "gen_jax"}


def styled() -> AbstractContextManager:
    """A context in which figures are drawn and saved in this style. Outside of it, matplotlib stays as the user has it.
    """
    return matplotlib.rc_context(STYLE)


def figure(height: float, rows: int = 1, columns: int = 1, width: float = WIDTH, **grid) -> tuple[Figure, np.ndarray]:
    """A figure of so many inches and its axes [rows, columns]. grid: what Figure.subplots takes."""
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, columns, squeeze=False, **grid)
