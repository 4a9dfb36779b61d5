"""Points in the plane, or in a space of any dimension: float32 [D], of no range; models and generators see them as they
are."""
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from gen_jax.data.kinds._span import span
from gen_jax.style import BLUE, PALE, figure
from gen_jax.types import Kind

MOST = 5000  # data points in a picture


def fault(x: np.ndarray) -> str:
    """What is wrong with stored points; "" if nothing."""
    if x.dtype != np.float32 or x.ndim != 2:
        return f"points must be float32 [N,D], not {x.dtype} {x.shape}"
    return "" if np.isfinite(x).all() else "points must be finite"


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances [N,M] between points a [N,D] and b [M,D].

    They are sums of squared differences, an axis at a time: in few dimensions, the matrix product's form cancels.
    """
    return sum(np.square(a[:, axis, None] - b[None, :, axis]) for axis in range(a.shape[1]))


def draw(x: np.ndarray, columns: int, data: Callable) -> Figure:
    """A figure of the points x [N,D] over the data [M,D], where they can be had, along their first two coordinates."""
    flat, over = _flat(x), data()
    behind = flat if over is None else _flat(over[:MOST])
    fig, [[axes]] = figure(5, width=5)
    if over is not None:
        axes.scatter(*behind.T, s=4, color=PALE, linewidths=0, label="data")
    axes.scatter(*flat.T, s=6, color=BLUE, alpha=0.7, linewidths=0, label="samples")
    low, high = np.array([span(axis) for axis in behind.T]).T
    margin = 0.15 * (high - low).max() + 1e-6
    axes.set(xlim=(low[0] - margin, high[0] + margin), ylim=(low[1] - margin, high[1] + margin), aspect="equal",
             xlabel="x₁", ylabel="x₂" if x.shape[1] > 1 else "")
    axes.legend(loc="upper right", markerscale=3)
    fig.suptitle(f"{len(x):,} samples" + ("" if over is None else " over the data"))
    return fig


def _flat(points: np.ndarray) -> np.ndarray:
    """The first two coordinates [N,2] of points [N,D]; of those on a line, the second is 0."""
    return points[:, :2] if points.shape[1] > 1 else np.pad(points, ((0, 0), (0, 1)))


def _same(x: jax.Array) -> jax.Array:
    return x


KIND = Kind(name="points", fault=fault, to_model=lambda x: x.astype(jnp.float32),
            to_stored=lambda x: np.asarray(x, np.float32), to_generator=_same, from_generator=_same, clip=_same,
            distances=distances, draw=draw, tile=None, file=None)
