"""Images: uint8 [H,W,C] as stored, 0..255; models see [0,1], as grey values; a generator ends in [-1,1], as tanh does.
"""
import io

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from gen_jax.grids import grid
from gen_jax.types import Kind


def fault(x: np.ndarray) -> str:
    """What is wrong with stored images; "" if nothing."""
    if x.dtype == np.uint8 and x.ndim == 4 and x.shape[-1] in (1, 3, 4):
        return ""
    return f"images must be uint8 [N,H,W,C] with C in 1, 3, 4, not {x.dtype} {x.shape}"


def to_unit(pixels: jax.Array) -> jax.Array:
    """float32 in [0,1] of uint8 pixels, any shape."""
    return pixels.astype(jnp.float32) * np.float32(1 / 255)


def to_pixels(x: np.ndarray) -> np.ndarray:
    """uint8 pixels of x in [0,1] (values outside are clipped), any shape."""
    return np.round(np.clip(np.asarray(x), 0, 1) * 255).astype(np.uint8)


def to_symmetric(unit: jax.Array) -> jax.Array:
    """In [-1,1], of values in [0,1]."""
    return 2 * unit - 1


def from_symmetric(x: jax.Array) -> jax.Array:
    """In [0,1], of values in [-1,1]."""
    return (x + 1) / 2


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared Euclidean distances [N,M] between images a [N,...] and b [M,...], by one matrix product."""
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    return np.maximum(np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T, 0)


def png(x: np.ndarray) -> bytes:
    """A PNG file of one image [H,W,C] in [0,1]."""
    buffer = io.BytesIO()
    Image.fromarray(to_pixels(x).squeeze(-1) if x.shape[-1] == 1 else to_pixels(x)).save(buffer, format="png")
    return buffer.getvalue()


KIND = Kind(name="image", fault=fault, to_model=to_unit, to_stored=to_pixels, to_generator=to_symmetric,
            from_generator=from_symmetric, clip=lambda x: jnp.clip(x, 0, 1), distances=distances,
            draw=lambda x, columns, data: grid(to_pixels(x), columns), tile=to_pixels, file=(".png", png))
