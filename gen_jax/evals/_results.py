"""What an eval gives."""
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure


class Number(NamedTuple):
    """A number with how it was measured."""

    value: float
    protocol: dict[str, Any]  # flat: "real", "real_split", "fake", "features": see gen_jax/protocol.py


class Animation(NamedTuple):
    """Pictures one after the other: a GIF."""

    frames: list[np.ndarray]  # uint8 [H,W,C] or [H,W], of one size
    captions: list[str]  # what is written above each


class Arrays(NamedTuple):
    """Arrays by name: an .npz file."""

    arrays: dict[str, np.ndarray]


class Page(NamedTuple):
    """A self-contained HTML page, which lies in the workdir itself."""

    html: bytes


# A number, a sentence, a picture (a figure, or pixels uint8 [H,W,C]), or a file.
Result = tuple[str, float | Number | str | Figure | np.ndarray | Animation | Arrays | Page]
