"""Images between their ranges, and laid out in grids: the only file that knows the ranges.

Pixels are uint8 0..255 wherever they are stored; models see them as float32 in [0,1], as grey values, or in [-1,1],
where a generator's tanh ends.
"""
import jax
import jax.numpy as jnp
import numpy as np


def to_unit(pixels: jax.Array) -> jax.Array:
    """float32 in [0,1] of uint8 pixels, any shape."""
    return pixels.astype(jnp.float32) * np.float32(1 / 255)


def to_symmetric(unit: jax.Array) -> jax.Array:
    """In [-1,1], of values in [0,1]."""
    return 2 * unit - 1


def from_symmetric(x: jax.Array) -> jax.Array:
    """In [0,1], of values in [-1,1]."""
    return (x + 1) / 2


def to_pixels(x: np.ndarray) -> np.ndarray:
    """uint8 pixels of x in [0,1] (values outside are clipped), any shape."""
    return np.round(np.clip(np.asarray(x), 0, 1) * 255).astype(np.uint8)


def grid(x: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """One image [H',W',C] of the images x [N,H,W,C] in rows of `columns`, with white gaps of `gap` pixels.

    x: uint8, or float in [0,1]. Rows are filled from the left; places left over at the end are white.
    """
    x = x if x.dtype == np.uint8 else to_pixels(x)
    num, height, width, channels = x.shape
    rows = -(-num // columns)
    canvas = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), 255, np.uint8)
    for i, image in enumerate(x):
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        canvas[top:top + height, left:left + width] = image
    return canvas


def tiles(picture: np.ndarray, columns: int, image_shape: tuple[int, int, int], gap: int = 1) -> np.ndarray:
    """The images [N,H,W,C] that grid() laid out in rows of `columns` and enlarge() made larger. picture: uint8."""
    height, width, channels = image_shape
    times = picture.shape[1] // (columns * (width + gap) + gap)
    small = picture.reshape(*picture.shape[:2], channels)[::times, ::times]
    rows = small.shape[0] // (height + gap)
    return np.stack([small[gap + i * (height + gap):, gap + j * (width + gap):][:height, :width]
                     for i in range(rows) for j in range(columns)])


def enlarge(image: np.ndarray, smallest: int = 512) -> np.ndarray:
    """image [H,W,C] with each pixel repeated, as often as its longer side needs to have at least `smallest` pixels."""
    times = max(1, -(-smallest // max(image.shape[:2])))
    return image.repeat(times, 0).repeat(times, 1)
