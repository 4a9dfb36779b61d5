"""What tells how a GAN is doing, beside its losses: drawn during training, read by gan_health."""
from collections.abc import Iterator

import jax
import numpy as np

from gen_jax.config import name_list
from gen_jax.data import batch_of, stratified_rows
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals.samples._nearest import nearest
from gen_jax.types import Metric

NEEDS = ("sample_prior", "decode")
METRICS = {
    "test16/*": Metric("loss"),
    "samples/diversity": Metric("relative to test examples", "higher", rank=3, of="samples"),
    "samples/spacing": Metric("relative to test examples", "higher", of="samples"),
    "samples/nearest": Metric("relative to test examples", rank=4, of="samples"),
    "samples/copied": Metric("share above chance", "lower", rank=4, of="samples"),
    "ema/distance": Metric("share of the weights' norm", of="train"),
}
MAX_SAMPLES = 256  # and test examples that they are compared with
FEW = 16  # held-out examples, and fakes, whose losses the book's chapter prints


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers, of weights with EMA where there is one; test examples and noise are the same every time.

    test16/<term>: the test losses on 16 held-out examples and 16 fakes alone.
    samples/diversity: mean distance between samples, as a share of that between test examples (1: as diverse).
    samples/spacing: median distance of a sample to the nearest other one, likewise: near 0 where a few are repeated.
    Both are of as many samples as test examples: the more there are, the nearer the nearest one is.
    samples/nearest: median distance of a sample to its nearest training example, as a share of a test example's.
    samples/copied: how much more often than chance a sample's nearest example is a training one, from 0 (test examples
    are nearest as often as their number lets expect, or more; Meehan et al., arXiv:2004.05675) to 1 (it always is).
    ema/distance: between the averaged nets' weights with EMA and without, as a share of the latter's norm.
    """
    yield from _few_losses(trained)
    rows = stratified_rows(trained.test, MAX_SAMPLES)
    test = np.asarray(trained.spec.kind.to_model(trained.test.x[rows]))
    samples = trained.draw(trained.key("signals"), MAX_SAMPLES)
    (spread, spacing), (test_spread, test_spacing) = (_spread(trained, x) for x in (samples[:len(test)], test))
    beside = {"real": len(test), "real_split": "test", "fake": min(MAX_SAMPLES, len(test))}
    yield "samples/diversity", Number(spread / max(test_spread, 1e-12), beside)
    yield "samples/spacing", Number(spacing / max(test_spacing, 1e-12), beside)
    to_train, to_test = (nearest(trained, samples, x)[0] for x in (trained.train.x, trained.test.x))
    usual = np.median(nearest(trained, test, trained.train.x)[0])
    beside |= {"fake": MAX_SAMPLES, "training": len(trained.train.x)}
    yield "samples/nearest", Number(float(np.median(to_train) / max(usual, 1e-12)), beside)
    chance = len(trained.train.x) / (len(trained.train.x) + len(trained.test.x))
    copied = max(float(((to_train < to_test).mean() - chance) / (1 - chance)), 0.0)
    yield "samples/copied", Number(copied, beside | {"real": len(trained.test.x)})
    if trained.raw is not None and trained.config.train.ema_decay:
        nets = name_list(trained.config.train.ema_nets) or [*trained.raw.params]
        yield "ema/distance", _relative_distance([trained.vars.params[net] for net in nets],
                                                 [trained.raw.params[net] for net in nets])


def _few_losses(trained: Trained) -> Iterator[Result]:
    rows = stratified_rows(trained.test, FEW)
    keys = jax.random.split(trained.key("few"), len(rows))
    for name, values in trained.measure(batch_of(trained.test, rows), keys).items():
        if name.endswith("_loss"):
            yield f"test16/{name}", Number(float(values.mean()), {"real": len(rows), "real_split": "test"})


def _spread(trained: Trained, x: np.ndarray) -> tuple[float, float]:
    """(mean distance between two of x [N,...], median distance of one to the nearest other)."""
    if len(x) < 2:
        return np.nan, np.nan
    distances = np.sqrt(trained.spec.kind.distances(x, x))
    others = distances[~np.eye(len(x), dtype=bool)].reshape(len(x), -1)
    return float(others.mean()), float(np.median(others.min(1)))


def _relative_distance(averaged, raw) -> float:
    squares = jax.tree.map(lambda a, b: (float(np.square(a - b).sum()), float(np.square(b).sum())), averaged, raw)
    pairs = jax.tree.leaves(squares, is_leaf=lambda leaf: isinstance(leaf, tuple))
    return float(np.sqrt(sum(pair[0] for pair in pairs) / sum(pair[1] for pair in pairs)))
