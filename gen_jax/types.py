"""The types that pass between rooms: data, nets, games. Arrays and functions, and no code of their own.

N counts the examples of a data set, B those of a batch. x is what is modelled; what is *given* goes with it by name: a
"label", "tokens", a "low"-resolution partner.
"""
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from flax import linen as nn
from flax import struct

PyTree = Any
Given = Mapping[str, Any]  # by name, arrays [B,...]; {} where nothing is given


class Source(NamedTuple):
    """One split of a data set."""

    x: np.ndarray  # [N,...], as it is stored, in its kind's range
    given: dict[str, np.ndarray] = {}  # by name, [N,...]: "label" is int32 [N]
    names: dict[str, tuple[str, ...]] = {}  # what whole numbers of given stand for: the classes of "label"

    @property
    def labels(self) -> np.ndarray | None:
        """int32 [N], or None where there are none."""
        return self.given.get("label")

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names by label; () where there are no labels."""
        return self.names.get("label", ())


class Batch(NamedTuple):
    """Some examples. The feed gives x as it is stored; losses see it as its kind's `to_model` makes it."""

    x: jax.Array  # [B,...]
    given: dict[str, jax.Array] = {}  # by name, [B,...]


class Kind(NamedTuple):
    """A kind of data: its ranges, how its samples are drawn and saved, and what near means.

    "Stored" is what a Source holds, "model" what losses and evals see (float32), "generator" where the outputs of a
    generator end. The four maps between them take JAX arrays and numpy arrays of any batch.
    """

    name: str
    fault: Callable  # (x stored [N,...]) -> what is wrong with its type or shape, "" if nothing
    to_model: Callable  # stored -> model
    to_stored: Callable  # model -> stored, by numpy; values out of range are clipped
    to_generator: Callable  # model -> generator
    from_generator: Callable  # generator -> model
    clip: Callable  # model -> model, with values out of range brought to its ends
    distances: Callable  # (a [N,...], b [M,...] model, by numpy) -> squared distances [N,M]
    draw: Callable  # (x [N,...] model, columns, data) -> a picture: uint8 [H,W,C] or a matplotlib figure; data() is the
    #                 training data [M,...] model, for samples that are drawn over them, or None without them
    tile: Callable | None  # x [N,...] model -> uint8 [N,H,W,C]; None where one alone shows nothing
    file: tuple[str, Callable] | None  # (".csv", x [...] model -> bytes): how one sample is saved, if it is


class Spec(NamedTuple):
    """What models and objectives may know of the data."""

    x: tuple[int, ...]  # the shape of one example
    given: dict[str, jax.ShapeDtypeStruct]  # of each given array, for a batch of one
    names: dict[str, tuple[str, ...]]  # as in Source
    kind: Kind
    dtype: np.dtype  # of x, as it is stored

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names by label; () where there are no labels."""
        return self.names.get("label", ())


class Vars(struct.PyTreeNode):
    """What nets are applied with."""

    params: dict[str, PyTree]  # by net
    state: dict[str, dict[str, PyTree]]  # by net: every other Flax collection by its name ("batch_stats", "codebook")


class Net(NamedTuple):
    """A module and what it is called with."""

    module: nn.Module  # __call__(*inputs, **given, train: bool)
    inputs: tuple[jax.ShapeDtypeStruct, ...]  # for a batch of one
    given: Mapping[str, jax.ShapeDtypeStruct] = {}  # what of the batch's given it takes, by name: a part of Spec.given


class MoveKeys(NamedTuple):
    """The keys that a move may draw from, and where the run stands."""

    step: jax.Array  # the same for all moves of a step: what is drawn from it is shared between them
    move: jax.Array  # this move's alone
    done: jax.Array  # float32 [] in [0,1): the share of the run's steps that are finished


class Metric(NamedTuple):
    """What a number says that a run measures: who measures it declares so in METRICS, by the number's name.

    The name is without its split: both "test/kl" and "kl/train" are of "kl". In it, * stands for anything.
    """

    unit: str = ""
    better: str = ""  # "lower" or "higher"; "": neither
    rank: int = 0  # 1: what a run is judged by; 2, 3, ...: what explains it; 0: not among the headlines of a run
    of: str = "test"  # what it is measured on where its name has no split: "train", "test" or "samples"
    real: str = ""  # the name of the number that test examples reach in the place of samples
    depends: tuple[str, ...] = ()  # settings of the objective that change what it says: where they differ, so do the
    #                                numbers' meanings


class Aux(NamedTuple):
    """What a loss gives beside its value."""

    terms: dict[str, jax.Array]  # for the log, each []; "loss" is the value that is differentiated
    state: dict[str, dict[str, PyTree]]  # Vars.state afterwards


class Move(NamedTuple):
    """One player answers one loss."""

    player: str
    loss: Callable  # (vars: Vars, batch: Batch, keys: MoveKeys) -> (loss [], Aux)
    batch: int = 0  # which of the step's fresh batches it sees: 0, 1, ...
    together: bool = False  # it sees the nets that the move before it saw: the two are simultaneous


class Objective(NamedTuple):
    """A game between players, each of whom owns some nets."""

    nets: Mapping[str, Net]  # by name: the model's, and any that the objective adds
    owns: Mapping[str, tuple[str, ...]]  # player -> names of the nets that it trains; the others stay as they are
    moves: tuple[Move, ...]  # in the order they are made in one step
    measure: Callable  # (vars, batch, keys: key[B]) -> {term: [B]}: the loss and its terms, in inference mode
    predict: Mapping[str, Callable]  # what a trained state can be asked, by name: see evals/_trained.py
    given: tuple[str, ...] = ()  # what it conditions on itself, beside what its nets take
    measure_batch: Callable | None = None  # (vars, batch, key) -> {term: []}: terms that need a whole batch

    @property
    def conditions(self) -> tuple[str, ...]:
        """The names of all that is given to the game or to one of its nets."""
        return tuple(sorted({*self.given, *(name for net in self.nets.values() for name in net.given)}))
