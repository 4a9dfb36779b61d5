"""log p(x) by importance weighting."""
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from gen_jax.data import stratified_rows
from gen_jax.evals import Number, Result, Trained
from gen_jax.settings import POSITIVE, Setting, Settings, between
from gen_jax.types import Given, Metric

NEEDS = ("log_weight", "target")
METRICS = {"log_px": Metric("nats per example", "higher", rank=2, depends=("likelihood",))}

hp = Settings(__name__, {
    "weights": Setting(100, "importance weights for each example", between(1, 1_000_000)),
    "examples": Setting(2000, "at most so many test examples", POSITIVE),
})


def evaluate(trained: Trained) -> Iterator[Result]:
    """log_px/test: the mean over test examples of log 1/k sum_i w_i, with k = log_likelihood.weights weights
    each.

    In nats per example; it grows with k towards log p(x), and is the ELBO at k = 1 (Burda et al., arXiv:1509.00519). At
    most log_likelihood.examples test examples are taken.
    """
    rows = stratified_rows(trained.test, trained.hp.log_likelihood.examples)
    given = {key: values[rows] for key, values in trained.test.given.items()}
    estimates = log_px(trained, trained.test_x[rows], given, trained.hp.log_likelihood.weights)
    yield "log_px/test", Number(float(estimates.mean(dtype=np.float64)), {"real": len(rows), "real_split": "test"})


def log_px(trained: Trained, x: np.ndarray, given: Given, num_samples: int) -> np.ndarray:
    """The estimates [N] for x [N,...]; a batch and a sample at a time, each example with keys of its own."""
    predict, size = trained.objective.predict, min(trained.hp.batch_size, len(x))

    @jax.jit
    def estimate(vars, x, given, keys):
        def key(i):
            return jax.vmap(jax.random.fold_in, (0, None))(keys, i)
        target = predict["target"](vars, x, key(num_samples))  # one for all the weights

        def add(total, i):
            weight = predict["log_weight"](vars, target, given, key(i))
            return jnp.logaddexp(total, weight), None
        total, _ = jax.lax.scan(add, jnp.full(x.shape[0], -jnp.inf), jnp.arange(num_samples))
        return total - math.log(num_samples)

    keys = jax.vmap(jax.random.fold_in, (None, 0))(trained.key("log_likelihood"), jnp.arange(len(x)))
    given = {name: given[name] for name in trained.objective.conditions}
    parts = [estimate(trained.vars, x[i:i + size], {name: values[i:i + size] for name, values in given.items()},
                      keys[i:i + size]) for i in range(0, len(x), size)]
    return np.concatenate(parts)
