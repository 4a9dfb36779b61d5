"""Many steps at a time on the device, until the next event on the host."""
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from gen_jax import memory
from gen_jax.training.feed import Block, Endless, Feed
from gen_jax.training.state import TrainState
from gen_jax.types import Batch

STRETCH_SECONDS = 2.0  # how long the device runs before the host looks at signals and progress


class Progress(NamedTuple):
    """What the loop carries, and all that a checkpoint must hold."""

    state: TrainState
    totals: dict[str, jax.Array]  # sums of the metrics over the steps since the last record, float32 [] each
    last: dict[str, jax.Array]  # metrics of the last step


class Diverged(Exception):
    """A loss or a gradient is not finite."""

    exit_code = 3

    def __init__(self, step: int, names: list[str]):
        super().__init__(f"step {step}: {', '.join(names)} is not finite")


def begin(state: TrainState, step: Callable, batch: Batch, key: jax.Array, trains: bool = True) -> Progress:
    """The progress before the first step.

    Args:
      batch: arrays, or their shapes, of one batch.
      trains: whether steps will be made. A step that cannot fit into the device's memory is then a UserError.
    """
    traced, (_, metrics) = jax.make_jaxpr(step, return_shape=True)(state, batch, key)
    if trains:
        memory.check_on_device(memory.of_tree(state) + memory.of_largest(traced.jaxpr), "a training step",
                               "lower train.batch_size, or make the nets smaller")
    return Progress(state, _zeros(metrics), _zeros(metrics))


def recorded(progress: Progress) -> Progress:
    """The same with the sums at zero."""
    return progress._replace(totals=_zeros(progress.totals))


def make_advance(step: Callable, batch_at: Callable[[Block | Endless, jax.Array], Batch]) -> Callable[..., Progress]:
    """advance(progress, block, until, key) -> progress after the steps up to until, or up to the first not finite.

    batch_at: the feed's.

    One compiled loop whose length is an argument: a stretch of any length runs the same machine code, so that stopping
    and resuming anywhere changes no bit, and there is one trace. (lax.scan has a fixed length, one trace for each.)
    """
    def advance(progress: Progress, block: Block | Endless, until: jax.Array, key: jax.Array) -> Progress:
        def unfinished(progress: Progress):
            finite = jnp.isfinite(jnp.stack(list(progress.last.values()))).all()
            return (progress.state.step < until) & finite

        def one(progress: Progress):
            state, metrics = step(progress.state, batch_at(block, progress.state.step), key)
            totals = {name: progress.totals[name] + value for name, value in metrics.items()}
            return Progress(state, totals, metrics)
        return jax.lax.while_loop(unfinished, one, progress)
    return jax.jit(advance, donate_argnums=0, compiler_options=compiler_options())


def compiler_options() -> dict[str, int]:
    """XLA's options for the training loop. On a CPU, vectors as wide as there are: XLA uses half of AVX-512 unasked."""
    return {"xla_cpu_prefer_vector_width": 512} if jax.default_backend() == "cpu" else {}


def run(progress: Progress, advance: Callable, feed: Feed, key: jax.Array, total_steps: int, record_steps: int,
        on_stretch: Callable[[Progress, int], Any], on_record: Callable[[Progress, int], Progress],
        stopped: Callable[[], bool]) -> Progress:
    """The progress after total_steps, or at the first step boundary at which stopped() is true.

    on_stretch(progress, step): after each stretch. on_record(progress, step): after each record_steps and at the end;
    gives the progress to go on with. Raises Diverged.
    """
    step, stretch = int(progress.state.step), 1
    while step < total_steps and not stopped():
        block, record = feed.block(step), (step // record_steps + 1) * record_steps
        began, until = time.perf_counter(), min(step + stretch, block.end, record, total_steps)
        progress = advance(progress, block, until, key)
        done = int(progress.state.step)  # waits for the device
        if names := not_finite(progress.last):
            raise Diverged(done, names)
        per_step = (time.perf_counter() - began) / (done - step)
        stretch = max(1, min(2 * stretch, int(STRETCH_SECONDS / per_step)))
        step = done
        on_stretch(progress, step)
        if step in (record, total_steps):
            progress = on_record(progress, step)
    return progress


def fit(progress: Progress, step: Callable, feed: Feed, key: jax.Array, total_steps: int) -> Progress:
    """The progress after total_steps; nothing is recorded. Raises Diverged."""
    return run(progress, make_advance(step, feed.batch_at), feed, key, total_steps, total_steps,
               on_stretch=lambda *_: None, on_record=lambda progress, _: progress, stopped=lambda: False)


def not_finite(metrics: dict[str, jax.Array]) -> list[str]:
    """The names of the metrics that are not finite; of several seeds', under some seed."""
    return [name for name, value in metrics.items() if not bool(jnp.isfinite(value).all())]


def mean_metrics(progress: Progress, steps: int) -> dict[str, float]:
    """Each metric's mean over the steps since the last record."""
    return {name: float(total) / steps for name, total in progress.totals.items()}


def _zeros(metrics):
    return {name: jnp.zeros(value.shape, jnp.float32) for name, value in metrics.items()}
