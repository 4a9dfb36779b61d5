"""The Fréchet distance: Heusel et al., NeurIPS 2017 (arXiv:1706.08500).

The squared 2-Wasserstein distance of the normals that have the means and the covariances of two sets. In the features
of the original Inception it is the FID. Estimates from few examples are too large, and the more so the more features
there are: two of them compare only where both have the same number of examples.

The usual form takes the root of a product of covariances, which loses half of the digits where one is singular. Here
each covariance is R^T R: the trace of the root of C1 C2 is the sum of the singular values of R1 R2^T, and no root of a
rounding error is taken.
"""
import numpy as np

from gen_jax.judges.metrics import Cloud
from gen_jax.types import Metric

METRICS = {"FD": Metric("squared distance", "lower", rank=1, of="samples")}
OFFICIAL = {"FD": "FID"}
REGULAR = 1e-5  # smallest to largest standard deviation of a feature given earlier ones, above which Cholesky is exact


def measure(real: Cloud, fake: Cloud) -> dict[str, float]:
    """FD: 0 is equal."""
    (mean, factor), (other_mean, other_factor) = real.once(_normal), fake.once(_normal)
    shared = np.linalg.svd(factor @ other_factor.T, compute_uv=False).sum()
    traces = np.square(factor).sum() + np.square(other_factor).sum()
    return {"FD": float(np.square(mean - other_mean).sum() + traces - 2 * shared)}


def refuses(real: Cloud, fake: Cloud) -> str:
    """Fewer examples than features leave a covariance singular, and the distance mostly tells how few they are."""
    fewest, features = min(len(real), len(fake)), real.x.shape[1]
    return f"{fewest:,} examples are fewer than the {features:,} features" if fewest < features else ""


def _normal(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(mean [D], R [min(N,D),D] with R^T R the covariance) of x [N,D]; N > 1."""
    mean = x.mean(0, dtype=np.float64)
    return mean, _factor((x - mean) / np.sqrt(len(x) - 1))


def _factor(x: np.ndarray) -> np.ndarray:
    """R with R^T R = x^T x: x itself where it has no more rows than columns; else by Cholesky's way, or where that is
    nearly singular by QR of x, which takes ten times as long and does not square what is small."""
    if len(x) <= x.shape[1]:
        return x
    try:
        factor = np.linalg.cholesky(x.T @ x).T
    except np.linalg.LinAlgError:
        return np.linalg.qr(x, mode="r")
    spread = factor.diagonal()
    return factor if spread.min() > REGULAR * spread.max() else np.linalg.qr(x, mode="r")
