"""The kernel distance: Bińkowski et al., "Demystifying MMD GANs", ICLR 2018 (arXiv:1801.01401).

The unbiased estimate of the squared maximum mean discrepancy with the kernel (x.y / D + 1)^3. It can be below 0 where
the sets are alike. The paper averages it over subsets of 1,000 and more; here it is over all pairs, which estimates the
same number with less noise. The estimate is a U-statistic: its variance has a part for what each example adds on its
own (Hoeffding's first projection) and one for what a pair adds beyond that, which is all there is where the sets are
alike. Both are estimated here, so that the standard error needs no subsets.
"""
from typing import NamedTuple

import numpy as np

from gen_jax.judges.metrics import Cloud
from gen_jax.judges.metrics._pairs import products
from gen_jax.types import Metric

METRICS = {"KID": Metric("squared kernel distance", "lower", rank=2, of="samples"),
           "KID_std": Metric("standard error", of="samples")}
OFFICIAL = {"KID": "KID", "KID_std": "KID_std"}


class Kernel(NamedTuple):
    """The kernel over all pairs of two sets."""

    of_rows: np.ndarray  # [N], its mean over each example's pairs
    of_columns: np.ndarray  # [M]
    of_pairs: float  # variance of what a pair adds to its two examples' means


def measure(real: Cloud, fake: Cloud) -> dict[str, float]:
    """KID, KID_std; at least two examples in each."""
    own, other, between = real.once(_within), fake.once(_within), _kernel(real.x, fake.x)
    value = own.of_rows.mean() + other.of_rows.mean() - 2 * between.of_rows.mean()
    return {"KID": float(value), "KID_std": float(np.sqrt(_variance(own, other, between)))}


def _variance(own: Kernel, other: Kernel, between: Kernel) -> float:
    """The variance of the estimate. That of the examples' parts counts the pairs' twice, which is taken off again.

    Where the sets are alike the examples' part is 0, and its estimate may be below that; the pairs' is there always.
    """
    n, m = len(own.of_rows), len(other.of_rows)
    examples = 4 * (own.of_rows - between.of_rows).var(ddof=1) / n
    examples += 4 * (other.of_rows - between.of_columns).var(ddof=1) / m
    pairs = 2 * own.of_pairs / n**2 + 2 * other.of_pairs / m**2 + 4 * between.of_pairs / (n * m)
    return max(examples - pairs, pairs)


def _within(x: np.ndarray) -> Kernel:
    """The kernel of x [N,D] with itself; no example with itself."""
    return _kernel(x, x, same=True)


def _kernel(a: np.ndarray, b: np.ndarray, same: bool = False) -> Kernel:
    rows, columns, squares = np.empty(len(a)), np.zeros(len(b)), 0.0
    for at, block in products(a, b):
        block /= a.shape[1]
        block += 1
        block *= block * block
        if same:
            block[np.arange(len(block)), np.arange(at.start, at.stop)] = 0
        rows[at] = block.sum(1)
        columns += block.sum(0)
        squares += np.vdot(block, block)
    rows, columns = rows / (len(b) - same), columns / (len(a) - same)
    square = squares / (len(a) * (len(b) - same))
    return Kernel(rows, columns, square - np.square(rows).mean() - np.square(columns).mean() + rows.mean()**2)
