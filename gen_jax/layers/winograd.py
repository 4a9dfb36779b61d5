"""Winograd's minimal filtering for a CPU: a convolution as matrix products, with a quarter of the multiplications.

m outputs of a filter with r taps take n = m + r - 1 products, not m * r: y = A[(G k) * (B x)], with A, B, G from
polynomial evaluation at n - 1 points and infinity (Winograd, "Arithmetic Complexity of Computations", 1980; Lavin &
Gray, arXiv:1509.09308). In two dimensions the transforms are Kronecker products, and what lies between them is n*n
independent matrix products over the channels. All of it is linear in x and in k, so that JAX's own derivatives have
the same form and cost, of any order.
"""
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

MOST_TAPS = 5
# Evaluation points beside infinity, by n. Those of n = 6 lose least to rounding: 1.3e-6 of the result's standard
# deviation in float32, where (0, 1, -1, 2, -2) of Lavin & Gray lose 2.9e-6 and a direct sum 0.2e-6.
POINTS = {1: (), 2: (0,), 3: (0, -1), 4: (0, 1, -1), 5: (0, 1, -1, 1 / 2), 6: (0, 2 / 3, -2 / 3, 3 / 2, -3 / 2)}
WHOLE = 12  # an axis of more outputs is cut into single tiles; the inputs they share are then copied, not multiplied


class Axis(NamedTuple):
    """How one axis is cut: into blocks of `tiles` tiles, each of m outputs from n inputs."""

    input: np.ndarray  # [n, tiles, rows]: from the rows of a block to the points of its tiles
    kernel: np.ndarray  # [n, r]
    output: np.ndarray  # [m, n]
    blocks: int


def correlate(x: jax.Array, kernel: jax.Array, before: tuple[int, int], out: tuple[int, int]) -> jax.Array:
    """y [*out,B,N] with y[o] = sum over taps t of x[o + t - before] kernel[t]; x is 0 outside.

    x: [H,W,B,C], float32 or float64. kernel: [r,s,C,N], with at most MOST_TAPS taps a side. before: zeros in front of
    rows and columns.
    """
    h, w = (_axis(*args) for args in zip(x.shape[:2], kernel.shape[:2], before, out, strict=True))
    # The one matrix product of each of the n*n points: a tile's channels times the kernel's.
    products = jnp.matmul(_input_at_points(x, h, w, before), _kernel_at_points(kernel, h, w))
    return _outputs(products, h, w, x.shape[2])[:out[0], :out[1]]


def _input_at_points(x: jax.Array, h: Axis, w: Axis, before: tuple[int, int]) -> jax.Array:
    """[n*n, tiles, C] of x: [H,W,B,C]; tiles: of an image's blocks, of all blocks, of all images, in this order."""
    channels = x.shape[-1]
    x = _blocks(_blocks(x, 1, w, before[1]), 0, h, before[0])  # [blocks,rows,blocks,columns,B,C]
    x = x.transpose(1, 3, 0, 2, 4, 5).reshape(h.input.shape[-1] * w.input.shape[-1], -1)
    transform = _kron(h.input, w.input, x.dtype).reshape(-1, len(x))
    return (transform @ x).reshape(len(h.kernel) * len(w.kernel), -1, channels)


def _kernel_at_points(kernel: jax.Array, h: Axis, w: Axis) -> jax.Array:
    """[n*n,C,N] of kernel: [r,s,C,N]."""
    rows, columns, channels, features = kernel.shape
    transform = _kron(h.kernel, w.kernel, kernel.dtype).reshape(-1, rows * columns)
    return (transform @ kernel.reshape(rows * columns, -1)).reshape(-1, channels, features)


def _outputs(products: jax.Array, h: Axis, w: Axis, batch: int) -> jax.Array:
    """[H',W',B,N] of products: [n*n,tiles,N]."""
    features = products.shape[-1]
    transform = _kron(h.output, w.output, products.dtype).reshape(-1, len(products))
    y = transform @ products.reshape(len(products), -1)
    y = y.reshape(len(h.output), len(w.output), h.input.shape[1], w.input.shape[1], h.blocks, w.blocks, batch, features)
    y = y.transpose(4, 2, 0, 5, 3, 1, 6, 7)  # block, tile, output of rows, then of columns
    return y.reshape(y.shape[0] * y.shape[1] * y.shape[2], -1, batch, features)


@lru_cache
def _axis(size: int, taps: int, before: int, out: int) -> Axis:
    """The cut of an axis of `size` inputs with the fewest products, among equals with the smallest tiles."""
    sizes = range(1, MOST_TAPS + 3 - taps)
    m = min(sizes, key=lambda m: (-(-out // m) * (m + taps - 1), m))
    n = m + taps - 1
    outputs, kernel, inputs = _transforms(m, taps)
    tiles = -(-out // m)
    blocks, tiles = (1, tiles) if out <= WHOLE else (tiles, 1)
    rows, before = (size, before) if blocks == 1 else (n, 0)  # of one block, zeros are left out
    block = np.zeros((n, tiles, rows))
    for tile in range(tiles):
        for j in range(n):
            if 0 <= tile * m + j - before < rows:
                block[:, tile, tile * m + j - before] += inputs[:, j]
    return Axis(block, kernel, outputs, blocks)


def _transforms(m: int, taps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A [m,n], G [n,taps], B [n,n]: those of multiplying polynomials (Toom and Cook), transposed."""
    points = POINTS[m + taps - 1]

    def values(degree: int) -> np.ndarray:
        """Of the monomials below degree at the points and at infinity: [n,degree]."""
        return np.array([[p**j for j in range(degree)] for p in points] + [[0.0] * (degree - 1) + [1.0]])
    return values(m).T, values(taps), np.linalg.inv(values(m + taps - 1)).T


def _blocks(x: jax.Array, axis: int, cut: Axis, before: int) -> jax.Array:
    """x with one axis as two, [blocks,rows of a block]; neighbouring blocks share taps - 1 rows."""
    if cut.blocks == 1:
        return jnp.expand_dims(x, axis)
    (step, rows), pads = cut.output.shape, [(0, 0, 0)] * x.ndim
    steps = -(-rows // step)
    pads[axis] = (before, (cut.blocks + steps - 1) * step - x.shape[axis] - before, 0)
    x = lax.pad(x, jnp.zeros((), x.dtype), pads).reshape(*x.shape[:axis], -1, step, *x.shape[axis + 1:])
    parts = [lax.slice_in_dim(lax.slice_in_dim(x, i, cut.blocks + i, axis=axis), 0, min(step, rows - i * step),
                              axis=axis + 1) for i in range(steps)]
    return lax.concatenate(parts, axis + 1)


def _kron(rows: np.ndarray, columns: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """[a,c,b,d,...] of the products of rows [a,b,...] and columns [c,d,...]."""
    both = np.multiply.outer(rows, columns)
    order = [axis for pair in zip(range(rows.ndim), range(rows.ndim, both.ndim), strict=True) for axis in pair]
    return both.transpose(order).astype(dtype)
