"""Convolutions as one matrix product with the image's patches, for a CPU: where few channels make other forms thin.

Images are [C,H,W,B] here, so that a shift is a copy of long runs.
"""
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax


class Geometry(NamedTuple):
    """Which pixels an output sees: at tap t, output o sees pixel strides * o + t - before, and 0 outside the image."""

    size: tuple[int, int]  # the image's
    out: tuple[int, int]
    taps: tuple[int, int]
    strides: tuple[int, int]
    before: tuple[int, int]


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def patches(x: jax.Array, at: Geometry) -> jax.Array:
    """What each output sees at each tap: [*taps,C,*out,B] of x: [C,*size,B]."""
    rows, columns = at.strides
    # Apart by their remainders, the pixels of one tap are a plain slice.
    size = [(o + r - 1) * s for o, r, s in zip(at.out, _reach(at), at.strides, strict=True)]
    x = _window(x, [-b for b in at.before], size)
    x = x.reshape(len(x), size[0] // rows, rows, size[1] // columns, columns, x.shape[-1])
    seen = [x[:, i // rows:i // rows + at.out[0], i % rows, j // columns:j // columns + at.out[1], j % columns]
            for i in range(at.taps[0]) for j in range(at.taps[1])]
    return jnp.stack(seen).reshape(*at.taps, *seen[0].shape)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def overlap(seen: jax.Array, at: Geometry) -> jax.Array:
    """The image [C,*size,B] with each value of seen [*taps,C,*out,B] added at its pixel: the transpose of `patches`."""
    (rows, columns), reach, batch = at.strides, _reach(at), seen.shape[-1]
    length = [o + r - 1 for o, r in zip(at.out, reach, strict=True)]  # rows and columns of one phase
    margin = [(r - 1, r - 1, 0) for r in reach]
    seen = lax.pad(seen, jnp.zeros((), seen.dtype), [(0, 0, 0)] * 3 + margin + [(0, 0, 0)])

    def phase(a: int, b: int) -> jax.Array:
        parts = [seen[i, j, :, reach[0] - 1 - i // rows:, reach[1] - 1 - j // columns:][:, :length[0], :length[1]]
                 for i in range(a, at.taps[0], rows) for j in range(b, at.taps[1], columns)]
        return sum(parts) if parts else jnp.zeros((seen.shape[2], *length, batch), seen.dtype)
    x = jnp.stack([jnp.stack([phase(a, b) for b in range(columns)], 3) for a in range(rows)], 2)
    return _window(x.reshape(-1, length[0] * rows, length[1] * columns, batch), at.before, at.size)


patches.defvjp(lambda x, at: (patches(x, at), None), lambda at, _, seen: (overlap(seen, at),))
overlap.defvjp(lambda seen, at: (overlap(seen, at), None), lambda at, _, x: (patches(x, at),))


def _reach(at: Geometry) -> list[int]:
    """How many taps of one remainder there are, at most, by axis."""
    return [-(-k // s) for k, s in zip(at.taps, at.strides, strict=True)]


def _window(x, start, size):
    """x [C,H,W,B] from row and column `start` on, [C,*size,B]; zeros where it has none."""
    pads = [(-first, first + length - old, 0) for first, length, old in zip(start, size, x.shape[1:3], strict=True)]
    return lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *pads, (0, 0, 0)])
