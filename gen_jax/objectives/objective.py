"""The types of a game: who owns which nets, who moves against which loss, what a trained state can be asked."""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax

from gen_jax.models.net import Net


class Batch(NamedTuple):
    """Some images."""

    pixels: jax.Array  # uint8 [B,H,W,C]
    labels: jax.Array | None  # int32 [B]


class Aux(NamedTuple):
    """What a loss gives beside its value."""

    terms: dict[str, jax.Array]  # for the log, each []
    stats: dict[str, Any]  # running statistics afterwards, by net


class Move(NamedTuple):
    """One player answers one loss."""

    player: str
    loss: Callable  # (params, stats, batch: Batch, keys: MoveKeys) -> (loss [], Aux)


class Objective(NamedTuple):
    """A game between players, each of whom owns some nets."""

    nets: Mapping[str, Net]  # by name: the model's, and any that the objective adds
    owns: Mapping[str, tuple[str, ...]]  # player -> names of the nets that it trains
    moves: tuple[Move, ...]  # in the order they are made in one step
    measure: Callable  # (params, stats, batch: Batch, keys: key[B]) -> {term: [B]}: the same loss, in inference mode
    predict: Mapping[str, Callable]  # what evals may ask for, by name; each takes (params, stats, ...)
