"""Whether samples copy training examples: the test of Meehan, Chaudhuri & Dasgupta (AISTATS 2020, arXiv:2004.05675).

Space is cut into cells, by k-means of the training examples. In each cell, Mann and Whitney's test compares the
distance of samples to their nearest training example with that of test examples: its z is below 0 where samples are
nearer. C_T is the mean of these z, weighted by the shares of test examples; cells with too few of either are left out.
Where samples are as test examples are, the standard deviation of C_T is not 1 but the root of the sum of the squared
weights: C_T is divided by it to give z, and z gives the p-value.

C_T is about all samples together: a few copies among samples that are too far away do not lower it. So the share of
samples that are nearer than all but 5% of the test examples has a test of its own, which the others cannot hide from.
"""
from typing import NamedTuple

import numpy as np
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

NEAREST = 0.05  # of the test examples: samples that are nearer than all others may be copies
ENOUGH = 20  # samples, and test examples, that a cell must have: fewer have no normal z
PARTITIONED = 10_000  # training examples that the cells are found by, at most
LEVEL = 1e-3  # of a p-value that is taken for a difference
POWER = 0.9  # the probability that a share of copies is found that is said to show


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
    nearest_p_value: float  # how probable so high a share is where samples are as test examples are
    cells: int
    seen: float  # the share of the test examples that is in these cells
    least: float  # the share of exact copies that nearest_p_value finds in 9 of 10 cases, if the other samples are as
    #               test examples are


def copying(train: np.ndarray, real: np.ndarray, fake: np.ndarray, num_cells: int) -> Copying:
    """The tests of samples fake [M,D] against test examples real [N,D], N, M >= 20, and training examples train [T,D].

    All of them are one cell where no cell has enough of both.
    """
    some = np.random.RandomState(0).permutation(len(train))[:PARTITIONED]
    with threadpool_limits(1):  # threads add up in any order
        where = KMeans(min(num_cells, len(some)), n_init=1, random_state=0).fit(train[some])
    of_train, of_real, of_fake = (where.predict(x) for x in (train, real, fake))
    parts = ((train[of_train == i], real[of_real == i], fake[of_fake == i]) for i in range(where.n_clusters))
    cells = [compared(*part) for part in parts if len(part[0]) and min(map(len, part[1:])) >= ENOUGH]
    return combined(cells or [compared(train, real, fake)], len(real))


def compared(train: np.ndarray, real: np.ndarray, fake: np.ndarray) -> Cell:
    """One cell: its training examples, test examples and samples, [_,D] each."""
    neighbours = NearestNeighbors(n_neighbors=1).fit(train)
    of_fake, of_real = (_to_nearest(neighbours, train, x) for x in (fake, real))
    num_fake, num_real = len(fake), len(real)
    ranks = stats.rankdata(np.concatenate([of_fake, of_real]))
    pairs = num_fake * num_real
    farther = ranks[:num_fake].sum() - num_fake * (num_fake + 1) / 2  # pairs, ties by half: Mann and Whitney's U
    std = np.sqrt(pairs * (num_fake + num_real + 1) / 12 * stats.tiecorrect(ranks))
    z = (farther - pairs / 2) / std if std else 0.0
    return Cell(num_real, num_fake, float(z), float(1 - farther / pairs), nearest_share(of_real, of_fake))


def _to_nearest(neighbours: NearestNeighbors, train: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The distance [N] of each row of x to the nearest of train: 0 of a copy, and what rounding makes unequal a tie."""
    rows = neighbours.kneighbors(x, return_distance=False)[:, 0]
    return np.linalg.norm(x.astype(np.float64) - train[rows], axis=1).astype(np.float32)


def nearest_share(real: np.ndarray, fake: np.ndarray) -> float:
    """The share of the distances fake [M] that are below all but 5% of the distances real [N], N >= 19.

    Where both are draws of one distribution, it is 5% on average, exactly, for any N and with ties: a distance that
    some of real are equal to has any place among these with the same probability.
    """
    real, last = np.sort(real), NEAREST * (len(real) + 1)
    below, upto = (np.searchsorted(real, fake, side) for side in ("left", "right"))
    return float(((np.minimum(last, upto + 1) - np.minimum(last, below)) / (upto + 1 - below)).mean())


def combined(cells: list[Cell], num_real: int) -> Copying:
    """The cells together. num_real: test examples, of all cells."""
    real, fake, z, nearer, nearest = np.array(cells).T
    weights = real / real.sum()
    c_t, share, chance = float(weights @ z), float(weights @ nearest), by_chance(weights, real, fake)
    z = c_t / float(np.sqrt(np.square(weights).sum()))  # by the standard deviation of C_T
    shows = chance.isf(LEVEL) + stats.norm.ppf(POWER) * chance.std()  # a share s of copies adds 0.95 s to the nearest
    return Copying(float(stats.norm.cdf(z)), z, c_t, float(weights @ nearer), share, float(chance.sf(share)),
                   len(cells), float(real.sum() / num_real), float(min(1, (shows - NEAREST) / (1 - NEAREST))))


def by_chance(weights: np.ndarray, real: np.ndarray, fake: np.ndarray):
    """The distribution of the weighted nearest_share [] where samples are as test examples are.

    A cell's share is that of a beta-binomial count. Their weighted mean is taken for the beta distribution of the same
    mean and variance.

    Args:
      weights, real, fake: of each cell [C], its weight, test examples and samples.
    """
    one = NEAREST * (1 - NEAREST)
    variance = np.square(weights) @ (one * (real + fake + 1) / (fake * (real + 2)))
    total = one / variance - 1
    return stats.beta(NEAREST * total, (1 - NEAREST) * total)
