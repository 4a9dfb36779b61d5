"""Several seeds of one experiment in one program: their arrays side by side, [S,...], their steps counted once.

Only rounding tells it from training them one by one: XLA sums in another order.
"""
from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp

from gen_jax.training.feed import Block, Endless, Feed
from gen_jax.training.loop import Progress
from gen_jax.training.state import TrainState
from gen_jax.types import Batch

AXES = TrainState(None, 0, 0, 0)  # of vmap: every seed has its own arrays, and all have the same step


class SeedsFeed:
    """The batches of several seeds, [S,B,...]. feeds: one for each seed, over the same data."""

    def __init__(self, feeds: Sequence[Feed]):
        self.feeds, self.axes, self.steps_per_epoch = feeds, feeds[0].axes, feeds[0].steps_per_epoch
        self.current: Block | Endless | None = None

    def block(self, step: int) -> Block | Endless:
        """The block that serves this step."""
        if self.current is None or not self.current.first <= step < self.current.end:
            blocks = [feed.block(step) for feed in self.feeds]
            self.current = type(self.axes)(*(values[0] if axis is None else stacked(values)
                                             for axis, *values in zip(self.axes, *blocks, strict=True)))
        return self.current

    def batch_at(self, block: Block | Endless, step: jax.Array) -> Batch:
        """The batches of one step; traced inside the training loop."""
        return jax.vmap(self.feeds[0].batch_at, (self.axes, None))(block, step)


def make_step(step: Callable) -> Callable:
    """step of S seeds at once. step: of one, as training/step.py makes it."""
    return jax.vmap(step, (AXES, 0, 0), (AXES, 0))


def stacked(trees: Sequence) -> jax.Array:
    """The trees as one, each leaf [S,...]."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)


@jax.jit
def together(progresses: Sequence[Progress]) -> Progress:
    """The progress of several seeds that are at the same step."""
    return _with_step(stacked(progresses), jnp.copy(progresses[0].state.step))  # the loop gives it away


@partial(jax.jit, static_argnums=1)
def apart(progress: Progress, num: int) -> list[Progress]:
    """The progress of each of num seeds."""
    whole = _with_step(progress, jnp.broadcast_to(progress.state.step, (num,)))
    return [jax.tree.map(lambda leaf, i=i: leaf[i], whole) for i in range(num)]


def _with_step(progress: Progress, step: jax.Array) -> Progress:
    return progress._replace(state=progress.state.replace(step=step))
