"""An objective's own loss over a whole split, exact whatever the batch size."""
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gen_jax.training.feed import num_bytes
from gen_jax.types import Batch, Objective, Source, Vars

MAX_EXAMPLES = 16384  # in one call


class Chunk(NamedTuple):
    """Some batches of a split, the last padded."""

    batches: Batch  # [K,B,...]
    real: jax.Array  # bool [K,B]: False where padded
    index: jax.Array  # int32 [K,B]: which example of the split


def make_validate(objective: Objective, source: Source, batch_size: int, on_device_gb: float
                  ) -> Callable[..., dict[str, float]]:
    """validate(vars, key) -> {term: mean over all examples of source}.

    Every example has its own key, by its index, so neither batch size nor order changes its noise; the last
    batch is padded, and the padding left out. Sums are float64. Data stay on the device if they take up to
    on_device_gb. What the objective measures on whole batches is the mean over those of batch_size, the last one left
    out where it is smaller.
    """
    @jax.jit
    def batch_sums(vars: Vars, chunk: Chunk, key: jax.Array) -> dict[str, jax.Array]:
        def one(chunk: Chunk):
            keys = jax.vmap(jax.random.fold_in, (None, 0))(key, chunk.index)
            terms = objective.measure(vars, chunk.batches, keys)
            return {name: jnp.where(chunk.real, values, 0).sum() for name, values in terms.items()}
        return jax.lax.map(one, chunk)

    kept = list(_chunks(source, batch_size)) if num_bytes(source) <= on_device_gb * 1e9 else None
    on_batches = _make_on_batches(objective, source, batch_size)

    def validate(vars: Vars, key: jax.Array) -> dict[str, float]:
        sums = [batch_sums(vars, chunk, key) for chunk in kept or _chunks(source, batch_size)]
        means = {name: float(sum(np.asarray(part[name], np.float64).sum() for part in sums) / len(source.x))
                 for name in sums[0]}
        return means | on_batches(vars, key)
    return validate


def _make_on_batches(objective: Objective, source: Source, batch_size: int) -> Callable[..., dict[str, float]]:
    """on_batches(vars, key) -> {term: mean over the batches of source} of what is measured on whole batches."""
    if objective.measure_batch is None:
        return lambda vars, key: {}
    measure, size = jax.jit(objective.measure_batch), min(batch_size, len(source.x))

    def on_batches(vars: Vars, key: jax.Array) -> dict[str, float]:
        parts = [measure(vars, jax.tree.map(lambda array, i=i: jnp.asarray(array[i:i + size]),
                                            Batch(source.x, source.given)), jax.random.fold_in(key, i))
                 for i in range(0, len(source.x) - size + 1, size)]
        return {name: float(np.mean([part[name] for part in parts])) for name in parts[0]}
    return on_batches


def _chunks(source: Source, batch_size: int) -> Iterator[Chunk]:
    """The examples of source in order, on the device, in chunks of equal shape."""
    num = len(source.x)
    size = min(batch_size, num)
    batches = min(-(-num // size), max(MAX_EXAMPLES // size, 1))
    for start in range(0, num, batches * size):
        index = np.arange(start, start + batches * size)
        rows = np.minimum(index, num - 1)
        batch = jax.tree.map(lambda array, rows=rows: jnp.asarray(array[rows].reshape(batches, size, *array.shape[1:])),
                             Batch(source.x, source.given))
        yield Chunk(batch, jnp.asarray((index < num).reshape(batches, size)),
                    jnp.asarray(index.reshape(batches, size), jnp.int32))
