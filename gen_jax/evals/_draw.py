"""What figures of evals share: images, curves, points by class. Colours and sizes are those of gen_jax/style.py."""
from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation

from gen_jax import parts, style
from gen_jax.evals._trained import Trained
from gen_jax.grids import enlarge, grid
from gen_jax.style import WIDTH, figure

BINS = 80  # points of a curve: a longer one is drawn by means
BELOW = 0.45  # inches from a panel to its legend: the height of an axis's numbers and name
EARLY = 0.05  # of a curve's records, whose values need not fit into its scale
NAME_GAP = 0.04  # between names in a scatter, as a share of its width
MOST_NAMED, MOST_LISTED = 20, 40  # classes with their name beside their points, and in a legend
LINE = 72  # characters of a figure's title that fit into a line
LABEL = 22  # characters of a row's label that fit into a line
SMALLEST_TILE, LOWEST_ROW = 0.3, 0.17  # inches: of a tile in rows, of a row that has its name
HALO = [patheffects.withStroke(linewidth=3, foreground="white")]  # around text over a drawing


def show(axes: Axes, pixels: np.ndarray, title: str = "") -> None:
    """Draws pixels [H,W,C] without ticks; enlarged, so that no viewer of a PDF blurs them. One is one unit of axes."""
    height, width = pixels.shape[:2]
    axes.imshow(enlarge(pixels).squeeze(), vmin=0, vmax=255, interpolation="none", extent=(0, width, height, 0))
    axes.set(xticks=[], yticks=[], title=title)
    axes.spines[:].set_visible(False)


def show_rows(axes: Axes, x: np.ndarray, title: str, row_labels: Sequence[str] = (), column_labels: Sequence[str] = (),
              xlabel: str = "", ylabel: str = "", gap: int = 1) -> None:
    """Draws the tiles x uint8 [rows,columns,H,W,C], with a label at each row and column.

    xlabel, ylabel: what the labels are. gap: pixels between tiles.
    """
    rows, columns, height, width = x.shape[:4]
    show(axes, grid(x.reshape(-1, *x.shape[2:]), columns, gap), title)
    if len(row_labels):
        axes.set_yticks(gap + (np.arange(rows) + 0.5) * (height + gap), row_labels)
    if len(column_labels):
        axes.set_xticks(gap + (np.arange(columns) + 0.5) * (width + gap), column_labels)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.tick_params(length=0)


def image_rows(x: np.ndarray, title: str, row_labels: Sequence[str] = (), column_labels: Sequence[str] = (),
               **labels) -> Figure:
    """A figure of tiles x uint8 [rows,columns,H,W,C], as show_rows draws them; what is long is wrapped."""
    title, row_labels = _wrapped(title, LINE), [_wrapped(label, LABEL) for label in row_labels]
    beside = 0.4 + 0.09 * max((len(line) for label in row_labels for line in label.split("\n")), default=0)
    tile = max(SMALLEST_TILE, min(0.6, (WIDTH - beside) / x.shape[1]))
    around = 0.4 + 0.2 * title.count("\n") + 0.25 * bool(len(column_labels)) + 0.25 * ("xlabel" in labels)
    width = min(WIDTH, max(beside + tile * x.shape[1], 0.085 * max(map(len, title.split("\n")))))
    fig, [[axes]] = figure(around + tile * x.shape[0] * x.shape[2] / x.shape[3], width=width)
    show_rows(axes, x, title, row_labels, column_labels, **labels)
    return fig


def _wrapped(text: str, width: int) -> str:
    """text in lines of so many characters: each of its own lines becomes two at most, and the rest is cut."""
    return "\n".join(fill(line, width, max_lines=2, placeholder=" ...") for line in text.split("\n"))


def titled(picture: np.ndarray | Figure, title: str, note: str = "", rows: Sequence[str] = ()) -> Figure:
    """A picture of a kind of data under a title, with a note below: a figure as it is, or pixels [H,W,C] in one.

    rows: names of the rows of tiles that the pixels are; they are left out where there are more than fit.
    """
    if isinstance(picture, Figure):
        picture.suptitle(title)
        return picture
    height, width = picture.shape[:2]
    inches = min(6.0, 6.0 * height / width)
    fig, [[axes]] = figure(0.9 + inches, width=6.3)
    show(axes, picture, title)
    if len(rows) and inches / len(rows) >= LOWEST_ROW:
        axes.set_yticks((np.arange(len(rows)) + 0.5) * height / len(rows), [_wrapped(row, LABEL) for row in rows])
        axes.tick_params(length=0)
    axes.set_xlabel(note)
    return fig


def about(trained: Trained) -> str:
    """Which state of which run: "vae_mnist, epoch 50, averaged weights", wrapped where it is long."""
    last = trained.history[-1] if trained.history else {}
    at = f"epoch {last['epoch']}" if last.get("step") == trained.step and "epoch" in last else f"step {trained.step:,}"
    weights = "averaged weights" if trained.config.train.ema_decay else "weights as trained"
    return fill(", ".join(part for part in (trained.name, at, weights) if part), LINE)


def unit(history: list[dict]) -> str:
    """What records are counted in: "epoch", or "step" where there are no epochs."""
    return "epoch" if history and "epoch" in history[-1] else "step"


def unit_of(trained: Trained, name: str) -> str:
    """The unit of a number by its name, test/loss say, as its objective or eval declares it."""
    quantity = name.removeprefix("train/").removeprefix("test/")
    return parts.metric_of(quantity, parts.metrics(trained.config)).unit or "mean over the examples"


def curve(axes: Axes, history: list[dict], name: str, label: str, **look) -> None:
    """Draws one metric over the records that have it: of many, means of some at a time, over the middle 80% of them."""
    points = [(record[unit(history)], record[name]) for record in history if record.get(name) is not None]
    if not points:
        return
    stretches = np.array_split(np.array(points, float), min(len(points), BINS))
    x, y = np.array([part.mean(0) for part in stretches]).T
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))  # few, so that none touch
    [line] = axes.plot(x, y, label=label, marker="o" if len(x) == 1 else "", **look)
    if len(points) > 2 * BINS:
        low, high = np.array([np.quantile(part[:, 1], (0.1, 0.9)) for part in stretches]).T
        axes.fill_between(x, low, high, color=line.get_color(), alpha=0.2, linewidth=0)


def fit_to_later(axes: Axes) -> None:
    """Fits the vertical scale to the curves after their first records, where those would flatten all the rest."""
    drawn = [line.get_ydata() for line in axes.lines]
    later = [y[max(1, int(EARLY * len(y))):] for y in drawn if len(y) >= 5]
    if not later:
        return
    low, high, first = min(map(np.min, later)), max(map(np.max, later)), max(map(np.max, drawn))
    margin = 0.05 * (high - low)
    if first > high + 4 * margin:
        axes.set_ylim(low - margin, high + 2 * margin)
        axes.annotate(f"↑ from {first:.4g}", (0.08, 1), xycoords="axes fraction", va="top", fontsize=style.SMALL)


def legend_below(axes: Axes) -> None:
    """Puts the legend of one panel of two below the name of its horizontal axis, where it covers nothing."""
    handles, names = axes.get_legend_handles_labels()
    if not names:
        return
    below = axes.transAxes + ScaledTranslation(0, -BELOW, axes.figure.dpi_scale_trans)
    width = 0.55 + 0.07 * max(map(len, names))  # inches of one entry
    axes.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, 0), bbox_transform=below, borderpad=0,
                markerscale=2, ncols=max(1, min(len(names), int(WIDTH / 2 / width))))


def log_scale(axes: Axes) -> None:
    """Makes the vertical axis logarithmic, with plain numbers at the powers of ten."""
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}")


def mark(axes: Axes, x: float, y: float) -> None:
    """Marks one point of a curve, and where it is on the horizontal axis."""
    axes.axvline(x, color=style.GREY, linewidth=1, linestyle=":", label="_")
    axes.plot([x], [y], marker="o", markerfacecolor="none", markeredgewidth=1.5, color=style.BLACK, label="_")


def threshold(axes: Axes, value: float, text: str) -> None:
    """Draws a threshold, and what is said beyond it, where the curves come so near that the scale can hold it."""
    low, high = axes.get_ylim()
    if value <= 1.6 * high:
        axes.set_ylim(low, max(high, 1.15 * value))
        axes.axhline(value, color=style.GREY, linewidth=1, linestyle="--", label="_")
        axes.annotate(text, (0.99, value), xycoords=axes.get_yaxis_transform(), ha="right", va="bottom",
                      fontsize=style.SMALL, path_effects=HALO)


def scatter(axes: Axes, points: np.ndarray, labels: np.ndarray | None, classes: Sequence[str],
            legend: bool = True) -> None:
    """Draws points [N,2], coloured by class where there are labels; the fewer they are, the larger.

    They are painted in random order, so that no class lies over another. Each class has its name where its median is.
    """
    order = np.random.default_rng(0).permutation(len(points))
    look = {"s": np.clip(20_000 / len(points), 4, 25), "alpha": 0.7, "linewidths": 0}
    if labels is None:
        axes.scatter(*points[order].T, color=style.BLUE, **look)
        return
    dots = axes.scatter(*points[order].T, c=[_color(label) for label in labels[order]], **look)
    if len(classes) > len(style.CLASSES):
        paths = [marker.get_path().transformed(marker.get_transform()) for marker in map(MarkerStyle, style.MARKERS)]
        dots.set_paths([paths[_group(label)] for label in labels[order]])
    if len(classes) <= MOST_NAMED:
        _name_classes(axes, points, labels, classes)
    if len(classes) > MOST_LISTED:
        axes.annotate("coloured by class", (0.01, 0.99), xycoords="axes fraction", va="top", fontsize=style.SMALL,
                      path_effects=HALO)
        return
    if not legend:
        return
    handles = [Line2D([], [], color=_color(label), marker=style.MARKERS[_group(label)], linestyle="", label=name)
               for label, name in enumerate(classes)]
    axes.legend(handles=handles, handletextpad=0.1, loc="center left", bbox_to_anchor=(1, 0.5),
                ncols=-(-len(classes) // MOST_NAMED))


def _name_classes(axes: Axes, points: np.ndarray, labels: np.ndarray, classes: Sequence[str]) -> None:
    """Writes each class's name at the median of its points, where no other name is."""
    nearest, written = NAME_GAP * np.ptp(points, 0).max(), []
    for label, name in enumerate(classes):
        if (labels == label).any():
            place = np.median(points[labels == label], 0)
            if all(np.linalg.norm(place - other) > nearest for other in written):
                axes.text(*place, name, ha="center", va="center", weight="bold", path_effects=HALO)
                written.append(place)


def prior_circles(axes: Axes, centre: np.ndarray) -> None:
    """Draws circles of 1, 2 and 3 standard deviations of the prior N(0,I) around its centre [2] in a plane."""
    for radius in (1, 2, 3):
        axes.add_patch(Circle(centre, radius, fill=False, color=style.BLACK, linewidth=1, linestyle="--"))
        axes.annotate(f"{radius} σ", centre + (0, radius), ha="center", va="bottom", fontsize=style.SMALL,
                      path_effects=HALO)


def _color(label: int) -> str:
    return style.CLASSES[label % len(style.CLASSES)]


def _group(label: int) -> int:
    return label // len(style.CLASSES) % len(style.MARKERS)
