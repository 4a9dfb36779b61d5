"""Which training example is nearest to a sample."""
import numpy as np

from gen_jax.evals import Trained

BLOCK = 1000  # examples whose distances are computed at once


def nearest(trained: Trained, x: np.ndarray, stored: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(distance [N] of each of x [N,...] to the nearest of the stored examples, its row [N]), as their kind has it."""
    kind = trained.spec.kind
    distances, rows = [], []
    for start in range(0, len(stored), BLOCK):
        block = kind.distances(x, np.asarray(kind.to_model(stored[start:start + BLOCK])))
        distances.append(block.min(1))
        rows.append(start + block.argmin(1))
    best = np.argmin(distances, 0)
    return np.sqrt(np.min(distances, 0)), np.take_along_axis(np.array(rows), best[None], 0)[0]
