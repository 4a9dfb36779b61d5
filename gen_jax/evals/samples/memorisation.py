"""Whether samples copy training examples: the test of Meehan, Chaudhuri & Dasgupta (AISTATS 2020, arXiv:2004.05675).

Space is cut into cells, by k-means of the training examples. In each cell, Mann and Whitney's test compares the
distance of samples to their nearest training example with that of test examples: its z is below 0 where samples are
nearer. C_T is the mean of these z, weighted by the shares of test examples; cells with too few of either are left out.
Where samples are as test examples are, the standard deviation of C_T is not 1 but the root of the sum of the squared
weights: C_T is divided by it to give z, and z gives the p-value.
"""
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from absl import logging
from ml_collections import ConfigDict
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from gen_jax import data
from gen_jax.data import stratified_rows
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals.samples._like import draw_like
from gen_jax.find import find
from gen_jax.settings import POSITIVE, Setting, Settings, at_least, one_of, placeholder
from gen_jax.types import Metric, Source

NEEDS = ("sample_prior", "decode")
NEAREST = 0.05  # of the test examples: samples that are nearer than all others may be copies
METRICS = {
    "memorisation/p_value": Metric("probability", rank=3, of="samples"),
    "memorisation/z": Metric("standard deviations", of="samples"),
    "memorisation/c_t": Metric("mean z of cells", of="samples"),
    "memorisation/nearer": Metric("share of pairs; 0.5 is equal", of="samples"),
    "memorisation/nearest": Metric(f"share of samples; {NEAREST} is equal", of="samples"),
}
ENOUGH = 20  # samples, and test examples, that a cell must have: fewer have no normal z
IN_A_CELL = 200  # test examples of a cell on average, as in the paper's MNIST: 50 cells of 10,000
PARTITIONED = 10_000  # training examples that the cells are found by, at most
LEVEL = 1e-3  # of a p-value that is taken for a difference

hp = Settings(__name__, {
    "features": Setting("values", "what distances are taken in: the values themselves, or gen_jax/judges/features/",
                        one_of("values", "classifier", "random")),
    "samples": Setting(10_000, "test examples, and as many samples, at most", at_least(ENOUGH)),
    "cells": Setting(placeholder(int), f"of space; unset: one for each {IN_A_CELL} test examples, one at least",
                     POSITIVE),
}, smoke={"samples": 40})


class Cell(NamedTuple):
    """What is found in one cell."""

    real: int  # test examples
    fake: int  # samples
    z: float  # of the samples' ranks; below 0: nearer
    nearer: float  # share of pairs of a sample and a test example of which the sample is nearer
    nearest: float  # share of the samples that are nearer than all but 5% of the test examples


class Copying(NamedTuple):
    """What is found in all cells that have enough."""

    p_value: float  # how probable so low a z is where samples are as test examples are
    z: float
    c_t: float
    nearer: float  # as in a cell, weighted in the same way
    nearest: float  # likewise
    cells: int
    seen: float  # the share of the test examples that is in these cells
    least: float  # the share of copies among the samples from which on a p-value of LEVEL is likely


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers, for as many samples as there are test examples; none of fewer than 20 of these.

    memorisation/p_value: near 0 where samples are nearer to training examples than test examples are: copies are, and
    so are samples that are smoother than the data. Any value from 0 to 1 is as probable as any other where they are as
    test examples are. It is near 1 where they are farther.
    memorisation/z, memorisation/c_t: the statistic, with standard deviation 1, and as published.
    memorisation/nearer: the probability that a sample is nearer to a training example than a test example is; unlike p,
    it does not depend on how many there are. memorisation/nearest: the share of samples that are nearer than all but 5%
    of the test examples, which tells a few copies from many samples that are somewhat nearer.
    memorisation/verdict: a sentence, with the share of copies from which on so many examples would show them.
    """
    own = trained.hp.memorisation
    rows = stratified_rows(trained.test, own.samples)
    if len(rows) < ENOUGH:
        logging.warning("memorisation: left out, it takes %d test examples or more", ENOUGH)
        return
    features = find("judges.features", own.features).features(trained.config, trained.spec, own)
    if features is None:
        return
    samples = draw_like(trained, trained.key("memorisation"), trained.test, rows)
    # Samples are rounded as the data are, so that this tells none from the others.
    train, real, fake = (features.of(x) for x in (trained.train.x, trained.test.x[rows],
                                                  trained.spec.kind.to_stored(samples)))
    num_cells = own.cells or max(1, len(rows) // IN_A_CELL)
    found = copying(train, real, fake, num_cells)
    protocol = {"real": len(real), "real_split": "test", "fake": len(fake), "training": len(train),
                "features": features.name, "cells": num_cells}
    for name in ("p_value", "z", "c_t", "nearer", "nearest"):
        yield f"memorisation/{name}", Number(getattr(found, name), protocol)
    yield "memorisation/verdict", verdict(found)


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line where these data do not have the features that are asked for."""
    name, spec = config.evals.memorisation.features, data.spec(train, data.kind(config.data))
    for need in getattr(find("judges.features", name), "NEEDS", ()):
        if not data.has(spec, need):
            yield f"evals.memorisation.features: {name} needs {need}, which these data do not have; take values"


def copying(train: np.ndarray, real: np.ndarray, fake: np.ndarray, num_cells: int) -> Copying:
    """The test of samples fake [M,D] against test examples real [N,D], N, M >= 20, and training examples train [T,D].

    All of them are one cell where no cell has enough of both.
    """
    some = np.random.RandomState(0).permutation(len(train))[:PARTITIONED]
    where = KMeans(min(num_cells, len(some)), n_init=1, random_state=0).fit(train[some])
    of_train, of_real, of_fake = (where.predict(x) for x in (train, real, fake))
    parts = ((train[of_train == i], real[of_real == i], fake[of_fake == i]) for i in range(where.n_clusters))
    cells = [compared(*part) for part in parts if len(part[0]) and min(map(len, part[1:])) >= ENOUGH]
    return combined(cells or [compared(train, real, fake)], len(real))


def compared(train: np.ndarray, real: np.ndarray, fake: np.ndarray) -> Cell:
    """One cell: its training examples, test examples and samples, [_,D] each."""
    neighbours = NearestNeighbors(n_neighbors=1).fit(train)
    distances = np.concatenate([neighbours.kneighbors(x)[0][:, 0] for x in (fake, real)])
    distances = distances.astype(np.float32)  # what rounding alone makes unequal is a tie
    num_fake, num_real = len(fake), len(real)
    ranks = stats.rankdata(distances)
    nearest = (distances[:num_fake] < np.quantile(distances[num_fake:], NEAREST)).mean()
    pairs = num_fake * num_real
    farther = ranks[:num_fake].sum() - num_fake * (num_fake + 1) / 2  # pairs, ties by half: Mann and Whitney's U
    std = np.sqrt(pairs * (num_fake + num_real + 1) / 12 * stats.tiecorrect(ranks))
    z = (farther - pairs / 2) / std if std else 0.0
    return Cell(num_real, num_fake, float(z), float(1 - farther / pairs), float(nearest))


def combined(cells: list[Cell], num_real: int) -> Copying:
    """The cells together. num_real: test examples, of all cells."""
    real, fake, z, nearer, nearest = np.array(cells).T
    weights = real / real.sum()
    spread = np.sqrt(np.square(weights).sum())  # the standard deviation of C_T
    c_t = float(weights @ z)
    # A share s of copies lowers a cell's expected z by s times this.
    power = weights @ np.sqrt(3 * real * fake / (real + fake + 1))
    return Copying(float(stats.norm.cdf(c_t / spread)), float(c_t / spread), c_t, float(weights @ nearer),
                   float(weights @ nearest), len(cells), float(real.sum() / num_real),
                   float(min(1, -stats.norm.ppf(LEVEL) * spread / power)))


def verdict(found: Copying) -> str:
    """In words."""
    pairs = f"({found.nearer:.0%} of pairs, p {found.p_value:.2g})"
    if found.p_value < LEVEL:
        return (f"nearer: samples are nearer to training examples than test examples are {pairs}; {found.nearest:.0%} "
                f"are nearer than all but {NEAREST:.0%} of the test examples. They are copies, or smoother than the "
                "data: look at nearest_images")
    if found.p_value > 1 - LEVEL:
        return f"farther: samples are farther from training examples than test examples are {pairs}: no copies"
    return (f"as near: samples are as near to training examples as test examples are {pairs}; a share of "
            f"{found.least:.0%} of exact copies would show")
