"""Test images beside their reconstructions."""
from collections.abc import Iterator

import numpy as np

from gen_jax.evals.draw import image_rows
from gen_jax.evals.trained import Result, Trained

NEEDS = ("encode", "decode")


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "reconstructions": originals above what their codes decode to, two dozen test images."""
    x = trained.test_x[:24]
    half = len(x) // 2 or 1
    decoded = trained.apply("decode", trained.apply("encode", x))
    rows = [part for start in (0, half) for part in (x[start:start + half], decoded[start:start + half])]
    rows = np.stack([row for row in rows if len(row) == half])
    yield "reconstructions", image_rows("test images and their reconstructions", rows,
                                        ["original", "decoded"] * (len(rows) // 2))
