"""A person's own drawing of a digit or a letter, prepared as the MNIST family was: bright strokes on black."""
import numpy as np
from PIL import Image, ImageOps

from gen_jax.data._pixels import Form, pixels
from gen_jax.errors import UserError

FAINT = 40  # of 255: darker ink than that is background


def strokes(picture: Image.Image, size: int, box: int, name: str) -> np.ndarray:
    """uint8 [size,size,1]: the strokes scaled to fit a square of box pixels, their centre of mass in the middle.

    MNIST has 20 of 28 pixels (LeCun et al., Proceedings of the IEEE, 1998). A bright background is made dark.
    UserError, with name, where there is no stroke.
    """
    grey = Image.fromarray(pixels(picture, Form((), "refuse", 1), name)[..., 0])
    border = np.concatenate([np.asarray(grey)[[0, -1]].ravel(), np.asarray(grey)[:, [0, -1]].ravel()])
    grey = ImageOps.invert(grey) if np.median(border) > 127 else grey
    edges = grey.point(lambda ink: 255 if ink > FAINT else 0).getbbox()
    if edges is None:
        raise UserError(f"data: {name} shows no stroke")
    cut = grey.crop(edges)
    scale = box / max(cut.size)
    cut = cut.resize([max(round(side * scale), 1) for side in cut.size], Image.Resampling.LANCZOS)
    return _centred(np.asarray(cut, np.float32), size)[..., None]


def _centred(ink: np.ndarray, size: int) -> np.ndarray:
    """uint8 [size,size] of ink [H,W] that fits into it, with its centre of mass as near to the middle as it can be."""
    canvas = np.zeros((size, size), np.uint8)
    starts = []
    for axis in (0, 1):
        profile = ink.sum(1 - axis)
        centre = (profile * np.arange(len(profile))).sum() / profile.sum()
        starts.append(int(np.clip(round((size - 1) / 2 - centre), 0, size - len(profile))))
    top, left = starts
    canvas[top:top + ink.shape[0], left:left + ink.shape[1]] = ink
    return canvas
