"""Batches from memory: which image comes when is a pure function of (seed, step), on device and host alike."""
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gen_jax.data import Source
from gen_jax.objectives.objective import Batch


class Block(NamedTuple):
    """Images on the device that serve the steps first <= step < end, all of one epoch."""

    pixels: jax.Array  # uint8 [N,H,W,C]
    labels: jax.Array | None  # int32 [N]
    order: jax.Array  # int32 [M]: step s takes the rows order[(s-first)*B : (s-first+1)*B]
    first: int
    end: int


def epoch_order(seed: int, epoch: int, num: int) -> np.ndarray:
    """The order [num], int32, in which an epoch visits the images: a permutation, a pure function of its arguments.

    Drawn by numpy, whose RandomState promises its stream for ever: jax.random.permutation, a sort, takes 22 ms for
    60,000 images on a CPU, 5% of an epoch of a small VAE.
    """
    return np.random.RandomState([seed, epoch]).permutation(num).astype(np.int32)


def batch_at(block: Block, step: jax.Array, batch_size: int) -> Batch:
    """The batch of one step; traced inside the training loop."""
    rows = jax.lax.dynamic_slice(block.order, ((step - block.first) * batch_size,), (batch_size,))
    # Taken as rows of bytes: XLA's CPU gather is four times as slow over a last axis of one channel.
    pixels = block.pixels.reshape(len(block.pixels), -1)[rows].reshape(batch_size, *block.pixels.shape[1:])
    return Batch(pixels, None if block.labels is None else block.labels[rows])


class DeviceFeed:
    """All images live on the device; an epoch is one block."""

    def __init__(self, source: Source, seed: int, batch_size: int):
        self.pixels = jnp.asarray(source.images)
        self.labels = None if source.labels is None else jnp.asarray(source.labels)
        self.seed = seed
        self.steps_per_epoch = len(source.images) // batch_size
        self.current: Block | None = None

    def block(self, step: int) -> Block:
        """The block that serves this step."""
        if self.current is None or not self.current.first <= step < self.current.end:
            epoch = step // self.steps_per_epoch
            first = epoch * self.steps_per_epoch
            order = jnp.asarray(epoch_order(self.seed, epoch, len(self.pixels)))
            self.current = Block(self.pixels, self.labels, order, first, first + self.steps_per_epoch)
        return self.current


class HostFeed:
    """Images stay on the host; a block is the next few batches, gathered and sent."""

    def __init__(self, source: Source, seed: int, batch_size: int, steps_per_block: int = 32):
        self.source, self.seed, self.batch_size = source, seed, batch_size
        self.steps_per_epoch = len(source.images) // batch_size
        self.steps_per_block = min(steps_per_block, self.steps_per_epoch)
        self.order = jnp.arange(self.steps_per_block * batch_size, dtype=jnp.int32)
        self.current: Block | None = None

    def block(self, step: int) -> Block:
        """The block that serves this step."""
        if self.current is None or not self.current.first <= step < self.current.end:
            epoch, at = divmod(step, self.steps_per_epoch)
            rows = epoch_order(self.seed, epoch, len(self.source.images))[at * self.batch_size:]
            steps = min(self.steps_per_block, self.steps_per_epoch - at)
            # Blocks have one shape, so that the loop has one trace: a short last one repeats images that no step takes.
            rows = np.resize(rows[:steps * self.batch_size], len(self.order))
            labels = None if self.source.labels is None else jnp.asarray(self.source.labels[rows])
            self.current = Block(jnp.asarray(self.source.images[rows]), labels, self.order, step, step + steps)
        return self.current


def feed(source: Source, seed: int, batch_size: int, on_device_gb: float) -> DeviceFeed | HostFeed:
    """A DeviceFeed if the images take up to on_device_gb, else a HostFeed: both give every step the same batch."""
    kind = DeviceFeed if source.images.nbytes <= on_device_gb * 1e9 else HostFeed
    return kind(source, seed, batch_size)
