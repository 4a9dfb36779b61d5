"""What a few numbers, one a training seed, can tell: intervals, tests, and a correction for many of them.

All is exact where so few values allow it: every resample, every choice of signs, every division into groups is
counted. Of more, DRAWS are drawn, always the same.
"""
import itertools
import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.special import ndtr, stdtrit

LEVEL, ALPHA = 0.95, 0.05  # of intervals; what a p-value must not exceed for a difference to count
DRAWS = 20_000
MOST_RESAMPLED = 8  # values, up to which every resample is counted
MOST_SIGNS, MOST_DIVISIONS = 14, 60_000  # differences, and divisions into two groups, up to which all are counted
MOST_PAIRED = 200_000  # pairs of resamples of two groups, likewise
SIGNED = 8  # pairs, from which on their signs are tested: they give no less than p = 0.0078, as 5 and 5 permuted do
ROUNDING = 1e-9  # statistics so near to each other, relatively, are equal

Interval = tuple[float, float]


def mean_interval(values: np.ndarray) -> Interval | None:
    """The bootstrap interval of the mean of values [n]: the expanded percentiles (arXiv:1411.5279). None for n=1.

    They lie as far out as Student's t would have them, since plain percentiles of few values are too narrow. They never
    go beyond the values: see `held`.
    """
    if len(values) < 2:
        return None
    counts, probability = _resamples(len(values))
    return _percentiles(counts @ values / len(values), probability, _tail(len(values)))


def difference_interval(a: np.ndarray, b: np.ndarray) -> Interval | None:
    """The same of mean(a) - mean(b), a [n] and b [m] resampled apart. None where either has one value."""
    if min(len(a), len(b)) < 2:
        return None
    (in_a, p), (in_b, q) = _resamples(len(a)), _resamples(len(b))
    means_a, means_b = in_a @ a / len(a), in_b @ b / len(b)
    if len(p) * len(q) <= MOST_PAIRED:
        differences, probability = np.subtract.outer(means_a, means_b).ravel(), np.outer(p, q).ravel()
    else:
        rng = np.random.default_rng(0)
        differences = rng.choice(means_a, DRAWS, p=p) - rng.choice(means_b, DRAWS, p=q)
        probability = np.full(DRAWS, 1 / DRAWS)
    return _percentiles(differences, probability, _tail(min(len(a), len(b))))


def held(n: int) -> float:
    """How often n values of a symmetric distribution have its mean between them: no bootstrap interval holds more."""
    return 1 - 2.0 ** (1 - n)


def sign_flips(differences: np.ndarray) -> float:
    """The two-sided p-value of differences [n] of pairs: how often random signs give a mean as far from 0."""
    return _share_as_far(_signs(len(differences)) @ differences, differences.sum(), np.abs(differences).sum())


def permutation(a: np.ndarray, b: np.ndarray) -> float:
    """The two-sided p-value of mean(a) - mean(b): how often random groups of the same sizes differ as much."""
    every = np.concatenate([a, b])
    every = every - every.mean()
    sums = every[_divisions(len(a), len(b))].sum(1)
    return _share_as_far(sums, every[:len(a)].sum(), np.abs(every).sum())


def least_of_sign_flips(n: int) -> float:
    """The smallest p-value that sign_flips can give."""
    return min(1.0, 2.0 ** (1 - n)) if n <= MOST_SIGNS else 1 / (DRAWS + 1)


def least_of_permutation(n: int, m: int) -> float:
    """The smallest p-value that permutation can give."""
    divisions = math.comb(n + m, n)
    return min(1.0, (2 if n == m else 1) / divisions) if divisions <= MOST_DIVISIONS else 1 / (DRAWS + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values made larger, so that one false find among all of them is as rare as each says (Holm, 1979)."""
    order = np.argsort(p_values, kind="stable")
    times = np.arange(len(p_values), 0, -1)
    adjusted = np.minimum(1, np.maximum.accumulate(times * np.array(p_values, float)[order]))
    return list(map(float, adjusted[np.argsort(order, kind="stable")]))


def seeds_needed(num_pairs: int, have: int = 1, is_paired: bool = False) -> int:
    """How many seeds in each of two groups, more than `have`, let their test find one of so many differences."""
    return next(n for n in itertools.count(max(have, 1) + 1) if (
        n >= pairs_needed(num_pairs) if is_paired and n >= SIGNED else num_pairs * 2 / math.comb(2 * n, n) <= ALPHA))


def pairs_needed(num_pairs: int) -> int:
    """How many paired seeds let `sign_flips` find one of so many differences: SIGNED at least."""
    return next(n for n in itertools.count(SIGNED) if num_pairs * 2.0 ** (1 - n) <= ALPHA)


@cache
def _resamples(n: int) -> tuple[np.ndarray, np.ndarray]:
    """(how often each of n values is in a resample [m,n], how probable the resample is [m])."""
    if n > MOST_RESAMPLED:
        return np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), DRAWS), np.full(DRAWS, 1 / DRAWS)
    drawn = itertools.combinations_with_replacement(range(n), n)
    counts = np.array([np.bincount(indices, minlength=n) for indices in drawn])
    orders = [math.factorial(n) / math.prod(map(math.factorial, row)) for row in counts.tolist()]
    return counts, np.array(orders) / n**n


def _tail(n: int) -> float:
    """The probability outside of each end of an expanded percentile interval of n values."""
    return float(ndtr(math.sqrt(n / (n - 1)) * stdtrit(n - 1, (1 - LEVEL) / 2)))


def _percentiles(statistics: np.ndarray, probability: np.ndarray, tail: float) -> Interval:
    """The statistics beyond which lies at most `tail`, at each end."""
    order = np.argsort(statistics)
    statistics, probability = statistics[order], probability[order]
    above = np.cumsum(probability) > tail
    below = np.cumsum(probability[::-1]) > tail
    return float(statistics[np.argmax(above)]), float(statistics[::-1][np.argmax(below)])


def _share_as_far(statistics: np.ndarray, seen: float, size: float) -> float:
    return float((np.abs(statistics) >= abs(seen) - ROUNDING * size).mean())


@cache
def _signs(n: int) -> np.ndarray:
    """Every choice of n signs [2**n,n]; or DRAWS of them below the one that is seen, so that no p-value is 0."""
    if n <= MOST_SIGNS:
        return np.array(list(itertools.product((1, -1), repeat=n)))
    return np.concatenate([np.ones((1, n), int), np.random.default_rng(0).choice((1, -1), (DRAWS, n))])


@cache
def _divisions(n: int, m: int) -> np.ndarray:
    """Which n of n + m values a first group has, in every division [divisions,n]; or in DRAWS, as _signs has them."""
    if math.comb(n + m, n) <= MOST_DIVISIONS:
        return np.array(list(itertools.combinations(range(n + m), n)))
    drawn = np.random.default_rng(0).permuted(np.tile(np.arange(n + m), (DRAWS, 1)), axis=1)[:, :n]
    return np.concatenate([np.arange(n)[None], drawn])
