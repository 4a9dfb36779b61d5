"""Sequences of steps with some features each: float32 [T,F], of no range; models and generators see them as they are.

A data set whose sequences differ in length pads them, and gives their "length".
"""
import io
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from gen_jax.data.kinds._span import span
from gen_jax.style import WIDTH, figure
from gen_jax.types import Kind


def fault(x: np.ndarray) -> str:
    """What is wrong with stored sequences; "" if nothing."""
    if x.dtype != np.float32 or x.ndim != 3:
        return f"sequences must be float32 [N,T,F], not {x.dtype} {x.shape}"
    return "" if np.isfinite(x).all() else "sequences must be finite"


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances [N,M] between sequences a [N,T,F] and b [M,T,F], step by step."""
    a, b = (x.reshape(len(x), -1).astype(np.float64) for x in (a, b))
    return np.maximum(np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T, 0).astype(np.float32)


def draw(x: np.ndarray, columns: int, data: Callable) -> Figure:
    """A figure of the sequences x [N,T,F], one in each panel, a line for each feature, on the scale of the data."""
    data = data()
    columns = min(columns, len(x))
    rows = -(-len(x) // columns)
    fig, panels = figure(1 + 1.1 * rows, rows, columns, width=min(WIDTH, 1 + 1.6 * columns), sharex=True, sharey=True)
    for panel, sequence in zip(panels.flat, x, strict=False):
        panel.plot(sequence, linewidth=1)
    low, high = span(x if data is None else data)
    panels[0, 0].set_ylim(low, high if high > low else low + 1)
    fig.suptitle(f"{len(x):,} samples")
    fig.supxlabel("step")
    fig.supylabel("value of each feature")
    return fig


def csv(x: np.ndarray) -> bytes:
    """A CSV file of one sequence [T,F], a row for each step."""
    buffer = io.BytesIO()
    np.savetxt(buffer, x, delimiter=",", fmt="%.6g")
    return buffer.getvalue()


def _same(x: jax.Array) -> jax.Array:
    return x


KIND = Kind(name="sequence", fault=fault, to_model=lambda x: x.astype(jnp.float32),
            to_stored=lambda x: np.asarray(x, np.float32), to_generator=_same, from_generator=_same, clip=_same,
            distances=distances, draw=draw, tile=None, file=(".csv", csv))
