"""What training changes, and digests of it."""
import hashlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct

from gen_jax import net
from gen_jax.types import Objective, Vars

PyTree = Any
AVERAGED = "batch_stats"  # the collection that is averaged as parameters are; all others are copied


class TrainState(struct.PyTreeNode):
    """Arrays only: no functions, no hyperparameters, no key."""

    step: jax.Array  # int32 [], steps finished; a step is one pass over the objective's moves
    vars: Vars  # of all nets
    opt: dict[str, optax.OptState]  # by player
    ema: Vars  # of the nets that are averaged, and of no others

    def averaged(self) -> Vars:
        """The variables of all nets, the averages where there are some: what is evaluated."""
        return Vars({**self.vars.params, **self.ema.params}, {**self.vars.state, **self.ema.state})


def create(objective: Objective, optimizers: Mapping[str, optax.GradientTransformation], ema_nets: tuple[str, ...],
           key: jax.Array) -> TrainState:
    """The state before the first step. optimizers: by player; ema_nets: names of the nets to average."""
    vars = net.init(objective.nets, key)
    opt = {player: optimizers[player].init({name: vars.params[name] for name in owned})
           for player, owned in objective.owns.items()}
    # Copies: a donated state must not hold the same buffer twice.
    ema = jax.tree.map(jnp.copy, select(vars, ema_nets))
    return TrainState(jnp.zeros((), jnp.int32), vars, opt, ema)


def select(vars: Vars, names: tuple[str, ...]) -> Vars:
    """The variables of some nets."""
    return Vars({name: vars.params[name] for name in names}, {name: vars.state[name] for name in names})


def average(old: Vars, new: Vars, decay: jax.Array) -> Vars:
    """decay * old + (1 - decay) * new of parameters and of BatchNorm's statistics.

    Every other collection is new's, and so are whole numbers and flags: the mean of two counts is no count.
    """
    def mean(old, new):
        return jax.tree.map(lambda a, b: decay * a + (1 - decay) * b if jnp.issubdtype(b.dtype, jnp.floating) else b,
                            old, new)
    state = {name: {collection: mean(old.state[name][collection], tree) if collection == AVERAGED else tree
                    for collection, tree in collections.items()} for name, collections in new.state.items()}
    return Vars(mean(old.params, new.params), state)


def digests(tree: PyTree) -> dict[str, str]:
    """sha256 of every leaf of tree, with its shape and dtype, by its path."""
    def digest(leaf) -> str:
        array = np.ascontiguousarray(leaf)
        return hashlib.sha256(f"{array.dtype}{list(np.shape(leaf))}".encode() + array.tobytes()).hexdigest()
    return {jax.tree_util.keystr(path, simple=True, separator="/"): digest(leaf)
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def digest(tree: PyTree) -> str:
    """One sha256 over all leaves of tree: equal trees, and only they, have equal digests."""
    return hashlib.sha256("".join(f"{path} {leaf}\n" for path, leaf in sorted(digests(tree).items())).encode()
                          ).hexdigest()
