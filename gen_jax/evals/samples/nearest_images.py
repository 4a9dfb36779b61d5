"""Samples beside their nearest training images, and test images beside theirs: whether the model copies."""
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from gen_jax.data import stratified_rows
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals._draw import about, show_rows
from gen_jax.evals.samples._like import how_many
from gen_jax.evals.samples._nearest import nearest
from gen_jax.style import figure
from gen_jax.types import Metric

NEEDS = ("sample_prior", "decode", "tiles")
METRICS = {"nearest_images": Metric("median distance", of="samples")}
NUM = 256  # samples, and as many test images, that are looked up
SHOWN = 10  # of each, evenly from the nearest to the farthest


class Pairs(NamedTuple):
    """Examples and the training examples that are nearest to them, the nearest pair first."""

    x: np.ndarray  # [N,...]
    nearest: np.ndarray  # [N,...]
    distances: np.ndarray  # [N]


def evaluate(trained: Trained) -> Iterator[Result]:
    """nearest_images/samples, nearest_images/test: the median distance of 256 samples, and of as many test images, to
    their nearest training image, as the kind of data has it: of images, the root of the sum of squared differences of
    pixels in [0,1]. Samples that are much nearer than test images are copies.

    The figure "nearest_images": some of both beside their nearest training images, with the distance.
    """
    test = trained.test_x[stratified_rows(trained.test, NUM)]
    samples = pairs(trained, trained.draw(trained.key("nearest_images"), NUM))
    real = pairs(trained, test)
    about = {"real": len(trained.train.x), "real_split": "train"}
    for split, found in (("samples", samples), ("test", real)):
        yield f"nearest_images/{split}", Number(float(np.median(found.distances)),
                                                about | how_many(split, len(found.x)))
    yield "nearest_images", _figure(trained, samples, real)


def pairs(trained: Trained, x: np.ndarray) -> Pairs:
    """x [N,...] and its nearest training examples; the distances of the pairs are computed again, without rounding."""
    _, rows = nearest(trained, x, trained.train.x)
    found = np.asarray(trained.spec.kind.to_model(trained.train.x[rows]))
    squares = [trained.spec.kind.distances(a[None].astype(np.float64), b[None].astype(np.float64))[0, 0]
               for a, b in zip(x, found, strict=True)]
    order = np.argsort(squares, kind="stable")
    return Pairs(x[order], found[order], np.sqrt(squares)[order])


def _figure(trained: Trained, samples: Pairs, real: Pairs) -> Figure:
    fig, axes = figure(4.6, rows=2)
    for panel, found, what in ((axes[0, 0], samples, "sample"), (axes[1, 0], real, "test image")):
        rows = np.linspace(0, len(found.x) - 1, min(SHOWN, len(found.x))).round().astype(int)
        tiles = np.stack([trained.spec.kind.tile(x[rows]) for x in (found.x, found.nearest)])
        show_rows(panel, tiles, f"{len(found.x)} {what}s: median distance {np.median(found.distances):.2f}",
                  [what, "nearest\ntraining image"], [f"{distance:.2f}" for distance in found.distances[rows]],
                  xlabel="distance of the pair, from the nearest pair to the farthest")
    fig.suptitle(about(trained))
    return fig
