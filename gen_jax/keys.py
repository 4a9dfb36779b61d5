"""Random keys: one root from the seed, split by name into streams that never meet."""
import jax
import jax.numpy as jnp

from gen_jax.types import MoveKeys

STREAMS = {"init": 0, "data": 1, "train": 2, "validate": 3, "evals": 4}  # fixed, so that a new one changes no run


def stream(seed: int, name: str) -> jax.Array:
    """The key of one stream of a run. seed: config.seed; name: one of STREAMS."""
    return jax.random.fold_in(jax.random.key(seed), STREAMS[name])


def move_keys(key: jax.Array, step: jax.Array, num_moves: int, total_steps: int) -> list[MoveKeys]:
    """The keys of each move of one step. key: the train stream; step: int32 [], steps finished."""
    key = jax.random.fold_in(key, step)
    # The shared key is one fold below the step's, as the moves' own are, so that no key is both parent and source.
    shared = jax.random.fold_in(key, num_moves)
    done = step.astype(jnp.float32) / max(total_steps, 1)
    return [MoveKeys(shared, jax.random.fold_in(key, i), done) for i in range(num_moves)]
