"""What training changes, and digests of it."""
import hashlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import struct

from gen_jax.models import net
from gen_jax.objectives.objective import Objective

PyTree = Any


class TrainState(struct.PyTreeNode):
    """Arrays only: no functions, no hyperparameters, no key."""

    step: jax.Array  # int32 [], steps finished; a step is one pass over the objective's moves
    params: dict[str, PyTree]  # by net
    stats: dict[str, PyTree]  # by net: running statistics, {} where there are none
    opt: dict[str, optax.OptState]  # by player
    ema: dict[str, PyTree]  # by net, only those that are averaged: {"params": ..., "stats": ...}

    def averaged(self) -> tuple[dict[str, PyTree], dict[str, PyTree]]:
        """(params, stats) by net, those of the EMA where there is one: what is evaluated."""
        return ({name: self.ema[name]["params"] if name in self.ema else tree for name, tree in self.params.items()},
                {name: self.ema[name]["stats"] if name in self.ema else tree for name, tree in self.stats.items()})


def create(objective: Objective, optimizers: Mapping[str, optax.GradientTransformation], ema_nets: tuple[str, ...],
           key: jax.Array) -> TrainState:
    """The state before the first step. optimizers: by player; ema_nets: names of the nets to average."""
    params, stats = net.init(objective.nets, key)
    opt = {player: optimizers[player].init({name: params[name] for name in owned})
           for player, owned in objective.owns.items()}
    # Copies: a donated state must not hold the same buffer twice.
    ema = {name: jax.tree.map(jnp.copy, {"params": params[name], "stats": stats[name]}) for name in ema_nets}
    return TrainState(jnp.zeros((), jnp.int32), params, stats, opt, ema)


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
