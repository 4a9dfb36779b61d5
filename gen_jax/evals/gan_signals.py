"""What tells how a GAN is doing, beside its losses: drawn during training, read by gan_health."""
from collections.abc import Iterator

import jax
import numpy as np

from gen_jax import images
from gen_jax.data import Source
from gen_jax.evals.trained import Result, Trained, some
from gen_jax.objectives.objective import Batch

NEEDS = ("prior", "decode", "discriminate")
MOST = 256  # samples, and test images that they are compared with
FEW = 16  # held-out images, and fakes, whose losses the book's chapter prints
BLOCK = 1000  # images whose distances are computed at once


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers, of weights with EMA where there is one; test images and noise are the same every time.

    few/<term>: the test losses on 16 held-out images and 16 fakes alone.
    samples/diversity: mean distance between samples, as a share of that between test images (1: as diverse).
    samples/spacing: median distance of a sample to the nearest other one, likewise: near 0 where a few are repeated.
    samples/nearest: median distance of a sample to its nearest training image, as a share of a test image's.
    samples/copied: how much more often than chance a sample's nearest image is a training one, from 0 (test images are
    nearest as often as their number lets expect, or more; after Meehan et al., arXiv:2004.05675) to 1 (it always is).
    ema/distance: between the generator's weights with EMA and without, as a share of the latter's norm.
    """
    yield from _few_losses(trained)
    train, test = trained.train, trained.test
    some_test = np.asarray(images.to_unit(test.images[some(test, MOST)]))
    samples = trained.apply("decode", trained.prior(trained.key("signals"), MOST))
    (spread, spacing), (test_spread, test_spacing) = _spread(samples), _spread(some_test)
    yield "samples/diversity", spread / max(test_spread, 1e-12)
    yield "samples/spacing", spacing / max(test_spacing, 1e-12)
    to_train, to_test = _nearest(samples, train), _nearest(samples, test)
    yield "samples/nearest", float(np.median(to_train) / max(np.median(_nearest(some_test, train)), 1e-12))
    chance = len(train.images) / (len(train.images) + len(test.images))
    yield "samples/copied", max(float(((to_train < to_test).mean() - chance) / (1 - chance)), 0.0)
    if trained.raw is not None and trained.config.train.ema_decay:
        yield "ema/distance", _relative_distance(trained.params["gen"], trained.raw["gen"])


def _few_losses(trained: Trained) -> Iterator[Result]:
    rows = some(trained.test, FEW)
    batch = Batch(trained.test.images[rows], None if trained.test.labels is None else trained.test.labels[rows])
    keys = jax.random.split(trained.key("few"), len(rows))
    for name, values in trained.measure(batch, keys).items():
        if name.endswith("_loss"):
            yield f"few/{name}", float(values.mean())


def _spread(x: np.ndarray) -> tuple[float, float]:
    """(mean distance between two of the images x [N,H,W,C], median distance of one to the nearest other)."""
    if len(x) < 2:
        return np.nan, np.nan
    distances = np.sqrt(_squared_distances(x, x))
    others = distances[~np.eye(len(x), dtype=bool)].reshape(len(x), -1)
    return float(others.mean()), float(np.median(others.min(1)))


def _nearest(x: np.ndarray, source: Source) -> np.ndarray:
    """The distance [N] of each of the images x [N,H,W,C] to the nearest of source's."""
    blocks = (source.images[start:start + BLOCK] for start in range(0, len(source.images), BLOCK))
    return np.sqrt(np.min([_squared_distances(x, np.asarray(images.to_unit(block))).min(1) for block in blocks], 0))


def _squared_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    return np.maximum(np.square(a).sum(1)[:, None] + np.square(b).sum(1)[None] - 2 * a @ b.T, 0)


def _relative_distance(averaged, raw) -> float:
    squares = jax.tree.map(lambda a, b: (float(np.square(a - b).sum()), float(np.square(b).sum())), averaged, raw)
    pairs = jax.tree.leaves(squares, is_leaf=lambda leaf: isinstance(leaf, tuple))
    return float(np.sqrt(sum(pair[0] for pair in pairs) / sum(pair[1] for pair in pairs)))
