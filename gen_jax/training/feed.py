"""Batches: which example comes when is a pure function of (seed, step), on device and host alike.

Every feed has block(step), what the device needs for some steps, and batch_at(block, step), the batch of one of them,
which is traced inside the training loop; steps_per_epoch, 0 where there are no epochs; and axes, which says of each
field of a block whether it is another under another seed, 0 or None, as vmap takes it.
"""
import copy
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gen_jax.keys import stream
from gen_jax.types import Batch, Source


class Block(NamedTuple):
    """Examples on the device that serve the steps first <= step < end, all of one epoch."""

    data: Batch  # [N,...] as stored
    order: jax.Array  # int32 [M]: step s takes the rows order[(s-first)*B : (s-first+1)*B]
    first: int
    end: int


class Endless(NamedTuple):
    """What serves every step of a stream."""

    key: jax.Array  # of the data
    first: int = 0
    end: int = 2**31 - 1


def epoch_order(seed: int, epoch: int, num: int) -> np.ndarray:
    """The order [num], int32, in which an epoch visits the examples: a permutation, a pure function of its arguments.

    Drawn by numpy, whose RandomState promises its stream for ever: jax.random.permutation, a sort, takes 22 ms for
    60,000 images on a CPU, 5% of an epoch of a small VAE.
    """
    return np.random.RandomState([seed, epoch]).permutation(num).astype(np.int32)


class MemoryFeed:
    """What the feeds of a data set in memory share. batch_size: examples in a step."""

    def __init__(self, source: Source, seed: int, batch_size: int):
        self.source, self.seed, self.batch_size = source, seed, batch_size
        self.steps_per_epoch = len(source.x) // batch_size
        self.current: Block | None = None

    def with_seed(self, seed: int) -> "MemoryFeed":
        """The same data, which are shared, in the order of another seed."""
        other = copy.copy(self)
        other.seed, other.current = seed, None
        return other

    def block(self, step: int) -> Block:
        """The block that serves this step."""
        if self.current is None or not self.current.first <= step < self.current.end:
            self.current = self._make(step)
        return self.current

    def batch_at(self, block: Block, step: jax.Array) -> Batch:
        """The batch of one step; traced inside the training loop."""
        start = (step - block.first) * self.batch_size
        rows = jax.lax.dynamic_slice(block.order, (start,), (self.batch_size,))

        def taken(array: jax.Array) -> jax.Array:
            # Taken as rows: XLA's CPU gather is four times as slow over a last axis of one channel.
            flat = array.reshape(array.shape[0], -1) if array.ndim > 1 else array
            return flat[rows].reshape(self.batch_size, *array.shape[1:])
        return jax.tree.map(taken, block.data)


class DeviceFeed(MemoryFeed):
    """All examples live on the device; an epoch is one block."""

    axes = Block(None, 0, None, None)

    def __init__(self, source: Source, seed: int, batch_size: int):
        super().__init__(source, seed, batch_size)
        self.data = jax.tree.map(jnp.asarray, Batch(source.x, source.given))

    def _make(self, step: int) -> Block:
        epoch = step // self.steps_per_epoch
        first = epoch * self.steps_per_epoch
        order = jnp.asarray(epoch_order(self.seed, epoch, len(self.source.x)))
        return Block(self.data, order, first, first + self.steps_per_epoch)


class HostFeed(MemoryFeed):
    """Examples stay on the host; a block is the next few batches, gathered and sent."""

    axes = Block(0, None, None, None)

    def __init__(self, source: Source, seed: int, batch_size: int, steps_per_block: int = 32):
        super().__init__(source, seed, batch_size)
        self.steps_per_block = min(steps_per_block, self.steps_per_epoch)
        self.order = jnp.arange(self.steps_per_block * batch_size, dtype=jnp.int32)

    def _make(self, step: int) -> Block:
        epoch, at = divmod(step, self.steps_per_epoch)
        rows = epoch_order(self.seed, epoch, len(self.source.x))[at * self.batch_size:]
        steps = min(self.steps_per_block, self.steps_per_epoch - at)
        # Blocks have one shape, so that the loop has one trace: a short last one repeats examples that no step takes.
        rows = np.resize(rows[:steps * self.batch_size], len(self.order))
        data = jax.tree.map(lambda array: jnp.asarray(array[rows]), Batch(self.source.x, self.source.given))
        return Block(data, self.order, step, step + steps)


class StreamFeed:
    """Examples are drawn anew at each step, on the device."""

    steps_per_epoch = 0
    axes = Endless(0, None, None)

    def __init__(self, draw: Callable[[jax.Array, int], Batch], seed: int, batch_size: int):
        self.draw, self.batch_size = draw, batch_size
        self.endless = Endless(stream(seed, "data"))

    def with_seed(self, seed: int) -> "StreamFeed":
        """The stream of another seed."""
        return StreamFeed(self.draw, seed, self.batch_size)

    def block(self, step: int) -> Endless:
        """What serves this step, and every other."""
        return self.endless

    def batch_at(self, block: Endless, step: jax.Array) -> Batch:
        """The batch of one step; traced inside the training loop."""
        return self.draw(jax.random.fold_in(block.key, step), self.batch_size)


Feed = DeviceFeed | HostFeed | StreamFeed


def memory_feed(source: Source, seed: int, batch_size: int, on_device_gb: float) -> DeviceFeed | HostFeed:
    """A DeviceFeed if the data take up to on_device_gb, else a HostFeed: both give every step the same batch."""
    return (DeviceFeed if num_bytes(source) <= on_device_gb * 1e9 else HostFeed)(source, seed, batch_size)


def num_bytes(source: Source) -> int:
    """The size of a data set in memory."""
    return source.x.nbytes + sum(values.nbytes for values in source.given.values())
