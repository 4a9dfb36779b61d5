"""What is computed of all pairs of two sets, a block of rows at a time: 10,000 x 10,000 would take 800 MB at once."""
from collections.abc import Iterator

import numpy as np

BLOCK = 1000  # rows at once
NEIGHBOURS = 5  # that are looked up for each example: the most that a metric asks for
TIE = 1e-9  # of the mean squared norm: pairs whose distances differ by less are equally far


def products(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows of a, their dot products float64 [n,M] with all rows of b), of a [N,D] and b [M,D]."""
    b = b.astype(np.float64, copy=False)
    for start in range(0, len(a), BLOCK):
        rows = slice(start, min(start + BLOCK, len(a)))
        yield rows, a[rows].astype(np.float64, copy=False) @ b.T


def distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """(rows of a, their squared distances float64 [n,M] to all rows of b), of a [N,D] and b [M,D]."""
    centre = b.mean(0, dtype=np.float64)  # moved there, products are small and lose little to rounding
    a, b = a - centre, b - centre
    to_own, to_other = np.square(a).sum(1), np.square(b).sum(1)
    for rows, block in products(a, b):
        block *= -2
        block += to_own[rows, None]
        block += to_other
        yield rows, np.maximum(block, 0, out=block)


def reach(x: np.ndarray) -> np.ndarray:
    """The squared distances [N,K] of each row of x [N,D] to its K nearest other rows, the nearest first.

    K is NEIGHBOURS, or N - 1 where there are fewer others. The distances are a tie's width larger, so that what is as
    far as a neighbour is within its distance, whatever the rounding.
    """
    found = np.empty((len(x), most := min(NEIGHBOURS, len(x) - 1)))
    for rows, block in distances(x, x):
        block[np.arange(len(block)), np.arange(rows.start, rows.stop)] = np.inf  # not itself
        found[rows] = np.sort(np.partition(block, most - 1, axis=1)[:, :most], axis=1)
    return found + TIE * np.square(x - x.mean(0, dtype=np.float64)).sum(1).mean()
