"""Tiles laid out in grids of pixels, and some of many in even distances."""
import numpy as np


def grid(x: np.ndarray, columns: int, gap: int = 1) -> np.ndarray:
    """One image [H',W',C] of the tiles x uint8 [N,H,W,C] in rows of `columns`, with white gaps of `gap` pixels.

    Rows are filled from the left; places left over at the end are white.
    """
    num, height, width, channels = x.shape
    rows = -(-num // columns)
    canvas = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, channels), 255, np.uint8)
    for i, image in enumerate(x):
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        canvas[top:top + height, left:left + width] = image
    return canvas


def evenly(num: int, most: int) -> np.ndarray:
    """Indices of at most so many of num things, in their order and in even distances: the last, and the first if two.
    """
    return np.unique(np.linspace(num - 1, 0, min(num, most)).round().astype(int))


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
