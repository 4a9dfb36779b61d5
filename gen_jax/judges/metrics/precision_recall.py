"""Improved precision and recall: Kynkäänniemi et al., NeurIPS 2019 (arXiv:1904.06991).

A set's manifold is the union of balls around its examples, each as large as to reach the example's third neighbour.
Precision is the share of fake examples in the real ones' manifold: how many are realistic. Recall is the share of real
examples in the fake ones' manifold: how much of the data is covered.
"""
import numpy as np

from gen_jax.judges.metrics import Cloud
from gen_jax.judges.metrics._pairs import distances, reach
from gen_jax.types import Metric

METRICS = {"precision": Metric("share", "higher", rank=2, of="samples"),
           "recall": Metric("share", "higher", rank=2, of="samples")}
NEIGHBOURS, LEAST = 3, 4
PROTOCOL = {"neighbours": NEIGHBOURS}


def measure(real: Cloud, fake: Cloud) -> dict[str, float]:
    """precision, recall: from 0 to 1; at least four examples in each."""
    of_real, of_fake = real.once(reach)[:, NEIGHBOURS - 1], fake.once(reach)[:, NEIGHBOURS - 1]
    realistic, covered = np.zeros(len(fake), bool), np.zeros(len(real), bool)
    for rows, block in distances(fake.x, real.x):
        realistic[rows] = (block <= of_real).any(1)
        covered |= (block <= of_fake[rows, None]).any(0)
    return {"precision": float(realistic.mean()), "recall": float(covered.mean())}
