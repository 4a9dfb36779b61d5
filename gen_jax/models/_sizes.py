"""How deep and how wide a convolutional net is, by the size of the images."""
from math import log2

from gen_jax.settings import Must, each

WIDTHS = Must(lambda widths: not widths or each(12).holds(widths),
              f"{each(12).text}, or () for widths by the size of the images")


def widths_of(image_shape: tuple[int, int, int], first: int, most: int) -> tuple[int, ...]:
    """Channels after each halving of images [H,W,C]: `first`, then twice as many each time, up to `most`.

    Images are halved until their shorter side has 4 to 7 pixels, once at least: 32x32 and 28x40 ones 3 and 2 times.
    """
    times = max(1, int(log2(max(min(image_shape[:2]) / 4, 1))))
    return tuple(min(first * 2**i, most) for i in range(times))


def start(image_shape: tuple[int, int, int], times: int) -> tuple[int, int]:
    """(height, width), rounded up, of images [H,W,C] that have been halved so many times."""
    return tuple(-(-size // 2**times) for size in image_shape[:2])
