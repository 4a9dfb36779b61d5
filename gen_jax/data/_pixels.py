"""From a picture of any kind to uint8 [H,W,C]: bit depth, channels, size."""
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict
from PIL import Image, ImageOps

from gen_jax import memory
from gen_jax.errors import UserError

ORIENTATION = 0x0112  # the EXIF tag; with 5 to 8 the camera lay on its side
MODES = {1: "L", 3: "RGB", 4: "RGBA"}


class Form(NamedTuple):
    """What pictures are brought to."""

    size: tuple[int, ...]   # (height, width), or () for as they are
    fit: str                # "resize" stretches to size; "crop" scales to cover it, then cuts the middle out;
                            # "refuse" raises on any other size
    channels: int           # 1, 3 or 4, or 0 for as they are


def form(hp: ConfigDict) -> Form:
    """What config.data asks for."""
    return Form(hp.size, hp.fit, hp.channels)


def form_like(hp: ConfigDict, shape: tuple[int, int, int]) -> Form:
    """What a person's picture is brought to beside images of this shape (H,W,C).

    It is fitted as hp.fit says, and cut where config.data has no fit or refuses other sizes.
    """
    return Form(shape[:2], "resize" if hp.get("fit") == "resize" else "crop", shape[2])


def pixels(picture: Image.Image, form: Form, name: str) -> np.ndarray:
    """uint8 [H,W,C] of one picture in the given form, C in 1, 3, 4.

    UserError, with its name, where its size is refused; ValueError where it holds what 8 bits cannot.

    Sixteen bits are scaled to eight. Colour becomes grey by Rec. 601 luma; transparency is laid on white where three
    channels or one are asked for. Scaling is by Lanczos, with anti-aliasing.
    """
    picture = _channels(_eight_bit(picture), form.channels)
    if form.size and picture.size != form.size[::-1]:
        picture = _fitted(picture, form, name)
    array = np.asarray(picture)
    return array[..., None] if array.ndim == 2 else array


def stack(named: Iterable[tuple[str, np.ndarray]], most: int) -> np.ndarray:
    """uint8 [N,H,W,C] of N <= most arrays [H,W,C] of one shape, each with its name; UserError naming two that differ.
    """
    images, count, first = np.empty((0, 1, 1, 1), np.uint8), 0, ""
    for name, array in named:
        if not count:
            memory.check(most * array.size, f"data: {most:,} images of {_by(array)}",
                         "make them smaller with data.size and data.fit (resize or crop)")
            images, first = np.empty((most, *array.shape), np.uint8), name
        elif array.shape != images.shape[1:]:
            raise UserError(f"data: {first} is {_by(images[0])} and {name} is {_by(array)}; make them alike with "
                            "data.fit (crop or resize) and, where they are to be chosen, data.size and data.channels")
        images[count] = array
        count += 1
    return images[:count]


def shape_of(picture: Image.Image) -> tuple[int, int, int]:
    """(height, width, channels) that `pixels` gives of a picture as it is; its pixels are not decoded."""
    height, width = picture.size[::-1]
    if picture.getexif().get(ORIENTATION) in (5, 6, 7, 8):
        height, width = width, height
    if picture.mode in ("1", "L", "F") or picture.mode.startswith("I"):
        return height, width, 1
    return height, width, 4 if "A" in picture.getbands() or "transparency" in picture.info else 3


def _eight_bit(picture: Image.Image) -> Image.Image:
    """The picture in mode L, RGB or RGBA, whichever loses nothing. ValueError for floats and for more than 16 bits."""
    if picture.mode in ("L", "RGB", "RGBA"):
        return picture
    if picture.mode.startswith("I"):
        values = np.asarray(picture)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError(f"it has values {values.min()}..{values.max()}, more than 16 bits hold; save it with 8 or "
                             "16 bits")
        return Image.fromarray(np.round(values / 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("it holds floats, of which no range is known; save it with 8 or 16 bits")
    if picture.mode == "1":
        return picture.convert("L")
    return picture.convert("RGBA" if "A" in picture.getbands() or "transparency" in picture.info else "RGB")


def _channels(picture: Image.Image, channels: int) -> Image.Image:
    if not channels or picture.mode == MODES[channels]:
        return picture
    if picture.mode == "RGBA":
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert(MODES[channels])


def _fitted(picture: Image.Image, form: Form, name: str) -> Image.Image:
    height, width = form.size
    if form.fit == "refuse":
        raise UserError(f"data: {name} is {picture.height}x{picture.width} and data.size is {height}x{width}; "
                        "set data.fit to resize or crop")
    if form.fit == "crop":
        return ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _by(array: np.ndarray) -> str:
    return "x".join(map(str, array.shape))
