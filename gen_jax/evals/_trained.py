"""What an eval sees of a run."""
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure
from ml_collections import ConfigDict

from gen_jax.data import Splits
from gen_jax.errors import NoData, UserError
from gen_jax.keys import stream
from gen_jax.style import styled
from gen_jax.types import Batch, Given, Objective, PyTree, Source, Spec, Vars


@dataclass
class Trained:
    """A trained state with its data. x is as models see it, in and out: images are float32 in [0,1].

    Of the objective's predict, evals know, all taking the Vars first:
      sample_prior(vars, key, num, given) -> a code: any tree of arrays [num,...]
      decode(vars, code, given) -> x [B,...]
      encode(vars, x, given) -> a code
    and an objective may have others, each of rows [B,...] and given.
    """

    config: ConfigDict
    objective: Objective
    spec: Spec
    vars: Vars  # with the averages where there are some
    data: Splits  # loaded when they are needed; NoData where they cannot be had
    history: list[dict]  # the records of metrics.jsonl
    find_other: Callable[[], "Trained | None"] = lambda: None  # loads the run that config.evals.other names
    raw: Vars | None = None  # without the averages
    saved: Callable[[str], list[Path]] = lambda name: []  # what an eval saved during training under a name, in order
    name: str = ""  # of the run: its folder's
    step: int = 0  # steps that the state has seen
    training: bool = False  # whether it goes on: a grid of images is then its pixels alone, without a title
    known: dict | None = None  # of how the numbers of records were measured, what evals said, by the number's name
    codes: dict | None = None  # of the training data's codes, what the checkpoint says: see evals/latent/_codes.py

    @property
    def train(self) -> Source:
        """The training data as stored. Raises NoData."""
        return self.data.train

    @property
    def test(self) -> Source:
        """The test data as stored. Raises NoData."""
        return self.data.test

    @cached_property
    def train_x(self) -> np.ndarray:
        """The training data [N,...]."""
        return np.asarray(self.spec.kind.to_model(self.train.x))

    @cached_property
    def test_x(self) -> np.ndarray:
        """The test data [N,...]."""
        return np.asarray(self.spec.kind.to_model(self.test.x))

    @cached_property
    def other(self) -> "Trained | None":
        """The run that config.evals.other names, loaded when it is asked for. Raises NoOther where it cannot be."""
        return self.find_other()

    @property
    def hp(self) -> ConfigDict:
        """config.evals."""
        return self.config.evals

    @cached_property
    def code_shape(self) -> PyTree:
        """Shapes of the code of one example: a tree of (1,...)."""
        given = {name: self.spec.given[name] for name in self.objective.conditions}
        if "encode" in self.objective.predict:
            x = jax.eval_shape(self.spec.kind.to_model, jax.ShapeDtypeStruct((1, *self.spec.x), self.spec.dtype))
            return jax.eval_shape(self.objective.predict["encode"], self.vars, x, given)
        return jax.eval_shape(lambda vars, key, given: self.objective.predict["sample_prior"](vars, key, 1, given),
                              self.vars, jax.random.key(0), given)

    @property
    def latent_dim(self) -> int:
        """Z, where codes are vectors."""
        return self.code_shape.shape[-1]

    @property
    def tile_shape(self) -> tuple[int, int, int]:
        """(H,W,C) of a tile, where the kind of data has tiles."""
        return self.spec.kind.tile(np.zeros((1, *self.spec.x), np.float32)).shape[1:]

    def key(self, name: str, seed: int | None = None) -> jax.Array:
        """A key of one eval's own, by its name. seed: config.seed where it is None."""
        seed = self.config.seed if seed is None else seed
        return jax.random.fold_in(stream(seed, "evals"), zlib.crc32(name.encode()))

    def wanted(self, num: int, known: Given | None = None) -> dict[str, np.ndarray]:
        """What each of num samples is given, [num,...] by name, for all that the model conditions on.

        known: what the caller chooses, [num,...] by name. A label that is not known is each class in turn. Anything
        else that is not known is that of the test examples, in their order; raises NoData where these are needed.
        """
        given, in_turn = dict(known or {}), np.arange(num)
        for name in (name for name in self.objective.conditions if name not in given):
            given[name] = ((in_turn % len(self.spec.classes)).astype(np.int32) if name == "label" else
                           self.test.given[name][in_turn % len(self.test.x)])
        return given

    def apply(self, name: str, rows: PyTree, given: Given) -> Any:
        """predict[name] of rows [N,...], as numpy arrays [N,...]; computed evals.batch_size rows at a time.

        given: of each row; what the model does not condition on is left out.
        """
        given = {key: given[key] for key in self.objective.conditions}
        num = len(jax.tree.leaves(rows)[0])
        size, parts = min(self.hp.batch_size, num), []
        for start in range(0, num, size):
            part = jax.tree.map(lambda array, at=start: _padded(array[at:at + size], size), (rows, given))
            parts.append(jax.tree.map(np.asarray, _jit(self.objective.predict[name])(self.vars, *part)))
        return jax.tree.map(lambda *arrays: np.concatenate(arrays)[:num], *parts)

    def encode(self, x: np.ndarray, given: Given) -> PyTree:
        """Codes of x [N,...]."""
        return self.apply("encode", x, given)

    def decode(self, code: PyTree, given: Given | None = None) -> np.ndarray:
        """x [N,...] of codes. given: of each; None: all as the first test example is, where the model asks for that."""
        if given is None:
            num = len(jax.tree.leaves(code)[0])
            given = {name: np.repeat(self.test.given[name][:1], num, 0) for name in self.objective.conditions}
        return self.apply("decode", code, given)

    def sample_prior(self, key: jax.Array, num: int, given: Given) -> PyTree:
        """num codes drawn from the prior, as numpy arrays."""
        given = {name: given[name] for name in self.objective.conditions}
        return jax.tree.map(np.asarray, self.objective.predict["sample_prior"](self.vars, key, num, given))

    def draw(self, key: jax.Array, num: int, given: Given | None = None) -> np.ndarray:
        """num samples x [num,...], all finite; a UserError where the model gives others.

        given: as wanted() gives it where it is None.
        """
        given = self.wanted(num) if given is None else given
        x = self.decode(self.sample_prior(key, num, given), given)
        if lost := num - int(np.isfinite(x).reshape(num, -1).all(1).sum()):
            raise UserError(f"{lost:,} of {num:,} samples have values that are not finite: the model has diverged; "
                            "measure an earlier --checkpoint, or train with a lower learning rate")
        return x

    def measure(self, batch: Batch, keys: jax.Array) -> dict[str, np.ndarray]:
        """The objective's terms, [B] each, of a batch as it is stored. keys: key[B]."""
        return jax.tree.map(np.asarray, _jit(self.objective.measure)(self.vars, batch, keys))

    def picture(self, x: np.ndarray, columns: int) -> np.ndarray | Figure:
        """Samples x [N,...] as their kind draws them."""
        with styled():
            return self.spec.kind.draw(x, columns, self._train_x_or_none)

    def _train_x_or_none(self) -> np.ndarray | None:
        try:
            return self.train_x
        except NoData:
            return None

    @cached_property
    def train_codes(self) -> PyTree:
        """Codes of the training data."""
        return self.encode(self.train_x, self.train.given)

    @cached_property
    def test_codes(self) -> PyTree:
        """Codes of the test data."""
        return self.encode(self.test_x, self.test.given)


@cache
def _jit(function: Callable) -> Callable:
    """function, compiled: once for all evals of a run."""
    return jax.jit(function)


def _padded(array: np.ndarray, size: int) -> np.ndarray:
    """array [size,...], its last row repeated where it is shorter."""
    return np.concatenate([array, np.repeat(array[-1:], size - len(array), 0)])
