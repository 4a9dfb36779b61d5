"""Density and coverage: Naeem et al., ICML 2020 (arXiv:2002.09797).

Around each real example is a ball that reaches its fifth neighbour. Density is the mean number of balls that a fake
example lies in, over five: above 1 where fake examples crowd where real ones do. Coverage is the share of balls with a
fake example in them. Unlike in precision and recall, no outlier among the fake examples has a ball.
"""
import numpy as np

from gen_jax.judges.metrics import Cloud
from gen_jax.judges.metrics._pairs import NEIGHBOURS, distances, reach
from gen_jax.types import Metric

METRICS = {"density": Metric(f"balls over {NEIGHBOURS}", "higher", of="samples"),
           "coverage": Metric("share", "higher", of="samples")}
LEAST = NEIGHBOURS + 1
PROTOCOL = {"neighbours": NEIGHBOURS}


def measure(real: Cloud, fake: Cloud) -> dict[str, float]:
    """density, from 0; coverage, from 0 to 1; at least six examples in each."""
    radii, inside, covered = real.once(reach)[:, NEIGHBOURS - 1], 0, np.zeros(len(real), bool)
    for _, block in distances(fake.x, real.x):
        within = block <= radii
        inside += int(within.sum())
        covered |= within.any(0)
    return {"density": inside / (NEIGHBOURS * len(fake)), "coverage": float(covered.mean())}
