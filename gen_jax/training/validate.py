"""An objective's own loss over a whole split, exact whatever the batch size."""
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gen_jax.data import Source
from gen_jax.objectives.objective import Batch, Objective

MOST = 16384  # images in one call


class Chunk(NamedTuple):
    """Some batches of a split, the last padded."""

    batches: Batch  # [K,B,...]
    real: jax.Array  # bool [K,B]: False where padded
    index: jax.Array  # int32 [K,B]: which image of the split


def make_validate(objective: Objective, source: Source, batch_size: int, on_device_gb: float
                  ) -> Callable[..., dict[str, float]]:
    """validate(params, stats, key) -> {term: mean over all images of source}.

    Every image has its own key, by its index, so neither batch size nor order of evaluation changes its noise; the last
    batch is padded, and the padding left out. Sums are float64. Images stay on the device if they take up to
    on_device_gb.
    """
    @jax.jit
    def batch_sums(params, stats, chunk: Chunk, key: jax.Array) -> dict[str, jax.Array]:
        def one(chunk: Chunk):
            keys = jax.vmap(jax.random.fold_in, (None, 0))(key, chunk.index)
            terms = objective.measure(params, stats, chunk.batches, keys)
            return {name: jnp.where(chunk.real, values, 0).sum() for name, values in terms.items()}
        return jax.lax.map(one, chunk)

    kept = list(_chunks(source, batch_size)) if source.images.nbytes <= on_device_gb * 1e9 else None

    def validate(params, stats, key: jax.Array) -> dict[str, float]:
        sums = [batch_sums(params, stats, chunk, key) for chunk in kept or _chunks(source, batch_size)]
        return {name: float(sum(np.asarray(part[name], np.float64).sum() for part in sums) / len(source.images))
                for name in sums[0]}
    return validate


def _chunks(source: Source, batch_size: int) -> Iterator[Chunk]:
    """The images of source in order, on the device, in chunks of equal shape."""
    num = len(source.images)
    size = min(batch_size, num)
    batches = min(-(-num // size), max(MOST // size, 1))
    for start in range(0, num, batches * size):
        index = np.arange(start, start + batches * size)
        rows = np.minimum(index, num - 1)
        batch = Batch(*(None if array is None else jnp.asarray(array[rows].reshape(batches, size, *array.shape[1:]))
                        for array in (source.images, source.labels)))
        yield Chunk(batch, jnp.asarray((index < num).reshape(batches, size)),
                    jnp.asarray(index.reshape(batches, size), jnp.int32))
