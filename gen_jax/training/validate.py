"""An objective's own loss over a whole split, exact whatever the batch size."""
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from gen_jax.data import Source
from gen_jax.objectives.objective import Batch, Objective

CHUNK = 16384  # images that are on the device at a time


def make_validate(objective: Objective, batch_size: int) -> Callable[..., dict[str, float]]:
    """validate(params, stats, source, key) -> {term: mean over all images of source}.

    Every image has its own key, by its index, so neither batch size nor order of evaluation changes its noise; the last
    batch is padded, and the padding left out. Sums are float64.
    """
    @jax.jit
    def batch_sums(params, stats, batches: Batch, real: jax.Array, keys: jax.Array) -> dict[str, jax.Array]:
        def one(item):
            batch, real, keys = item
            terms = objective.measure(params, stats, batch, keys)
            return {name: jnp.where(real, values, 0).sum() for name, values in terms.items()}
        return jax.lax.map(one, (batches, real, keys))

    def validate(params, stats, source: Source, key: jax.Array) -> dict[str, float]:
        num, sums = len(source.images), {}
        size = min(batch_size, num)
        chunk = min(CHUNK, -(-num // size) * size) // size * size or size
        for start in range(0, num, chunk):
            index = np.arange(start, start + chunk)
            rows, shape = np.minimum(index, num - 1), (chunk // size, size)
            batches = Batch(*(None if array is None else array[rows].reshape(*shape, *array.shape[1:])
                              for array in (source.images, source.labels)))
            keys = jax.vmap(jax.random.fold_in, (None, 0))(key, jnp.asarray(index)).reshape(shape)
            for name, values in batch_sums(params, stats, batches, (index < num).reshape(shape), keys).items():
                sums[name] = sums.get(name, 0.0) + np.asarray(values, np.float64).sum()
        return {name: float(total / num) for name, total in sums.items()}
    return validate
