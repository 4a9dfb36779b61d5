"""The distance between two sets of features that Heusel et al. (arXiv:1706.08500) compare Inception's by."""
import numpy as np


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """The squared 2-Wasserstein distance of normals fitted to the rows of a [N,F] and b [M,F]."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    (mean, cov), (other_mean, other_cov) = ((x.mean(0), np.atleast_2d(np.cov(x, rowvar=False))) for x in (a, b))
    root = _root(cov)
    cross = np.linalg.eigvalsh(root @ other_cov @ root)
    trace = np.trace(cov) + np.trace(other_cov) - 2 * np.sqrt(np.maximum(cross, 0)).sum()
    return float(np.square(mean - other_mean).sum() + trace)


def _root(cov: np.ndarray) -> np.ndarray:
    """The symmetric square root of a covariance."""
    values, vectors = np.linalg.eigh(cov)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
