"""Test images beside their reconstructions."""
from collections.abc import Iterator

import numpy as np

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import image_rows

NEEDS = ("encode", "decode", "tiles")


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "reconstructions": originals above what their codes decode to, two dozen test images."""
    x = trained.test_x[:24]
    half = len(x) // 2 or 1
    given = {key: values[:24] for key, values in trained.test.given.items()}
    tile = trained.spec.kind.tile
    x, decoded = tile(x), tile(trained.decode(trained.encode(x, given), given))
    rows = [part for start in (0, half) for part in (x[start:start + half], decoded[start:start + half])]
    rows = np.stack([row for row in rows if len(row) == half])
    yield "reconstructions", image_rows(rows, "test images and what their codes decode to",
                                        ["original", "decoded"] * (len(rows) // 2))
