"""Random keys: one root from the seed, split by name into streams that never meet."""
from typing import NamedTuple

import jax

STREAMS = {"init": 0, "train": 2, "validate": 3, "evals": 4}  # fixed, so that a new one changes no run


def stream(seed: int, name: str) -> jax.Array:
    """The key of one stream of a run. seed: config.seed; name: one of STREAMS."""
    return jax.random.fold_in(jax.random.key(seed), STREAMS[name])


class MoveKeys(NamedTuple):
    """The keys that a move may draw from."""

    step: jax.Array  # the same for all moves of a step: what is drawn from it is shared between them
    move: jax.Array  # this move's alone


def move_keys(key: jax.Array, step: jax.Array, num_moves: int) -> list[MoveKeys]:
    """The keys of each move of one step. key: the train stream; step: int32 [], steps finished."""
    key = jax.random.fold_in(key, step)
    # The shared key is one fold below the step's, as the moves' own are, so that no key is both parent and source.
    shared = jax.random.fold_in(key, num_moves)
    return [MoveKeys(shared, jax.random.fold_in(key, i)) for i in range(num_moves)]
