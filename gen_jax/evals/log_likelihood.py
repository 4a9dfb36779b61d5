"""log p(x) by importance weighting."""
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from gen_jax.evals.trained import Result, Trained, some

NEEDS = ("log_weight",)


def evaluate(trained: Trained) -> Iterator[Result]:
    """log_px/test: the mean over test images of log 1/k sum_i w_i, with k = evals.importance_samples weights each.

    In nats per image; it grows with k towards log p(x), and is the ELBO at k = 1 (Burda et al., arXiv:1509.00519). At
    most evals.importance_images test images are taken.
    """
    x = trained.test_x[some(trained.test, trained.hp.importance_images)]
    estimates = log_px(trained, x, trained.hp.importance_samples)
    yield "log_px/test", float(estimates.mean(dtype=np.float64))


def log_px(trained: Trained, x: np.ndarray, num_samples: int) -> np.ndarray:
    """The estimates [N] for x [N,H,W,C]; a batch and a sample at a time, each image with keys of its own."""
    predict, size = trained.objective.predict, min(trained.hp.batch_size, len(x))

    @jax.jit
    def estimate(params, stats, x, keys):
        def key(i):
            return jax.vmap(jax.random.fold_in, (0, None))(keys, i)
        target = predict["target"](params, stats, x, key(num_samples))  # one for all the weights

        def add(total, i):
            weight = predict["log_weight"](params, stats, target, key(i))
            return jnp.logaddexp(total, weight), None
        total, _ = jax.lax.scan(add, jnp.full(len(x), -jnp.inf), jnp.arange(num_samples))
        return total - math.log(num_samples)

    keys = jax.vmap(jax.random.fold_in, (None, 0))(trained.key("log_likelihood"), jnp.arange(len(x)))
    parts = [estimate(trained.params, trained.stats, x[i:i + size], keys[i:i + size]) for i in range(0, len(x), size)]
    return np.concatenate(parts)
