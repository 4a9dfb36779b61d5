"""What an eval sees of a run."""
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from matplotlib.figure import Figure
from ml_collections import ConfigDict

from gen_jax import images
from gen_jax.data import Source
from gen_jax.data.source import stratified_order
from gen_jax.find import find
from gen_jax.keys import stream
from gen_jax.objectives.objective import Batch, Objective
from gen_jax.training.interrupt import Interrupts


class Animation(NamedTuple):
    """Pictures one after the other."""

    frames: list[np.ndarray]  # uint8 [H,W,C] or [H,W], of one size


Result = tuple[str, float | str | Figure | np.ndarray | Animation]  # a number, a sentence, or a picture


@dataclass
class Trained:
    """A trained state with its data: what evals draw and measure. Images are float32 in [0,1], in and out."""

    config: ConfigDict
    objective: Objective
    params: dict[str, Any]
    stats: dict[str, Any]
    train: Source
    test: Source
    history: list[dict]  # the records of metrics.jsonl
    other: "Trained | None" = None  # the run that config.evals.other names
    raw: dict[str, Any] | None = None  # params without the averages
    drawn: Callable[[str], list[Path]] = lambda name: []  # the PNGs of a picture drawn during training, by epoch
    interrupts: Interrupts = field(default_factory=Interrupts)  # what long evals heed

    @cached_property
    def train_x(self) -> np.ndarray:
        """The training images [N,H,W,C]."""
        return np.asarray(images.to_unit(self.train.images))

    @cached_property
    def test_x(self) -> np.ndarray:
        """The test images [N,H,W,C]."""
        return np.asarray(images.to_unit(self.test.images))

    @property
    def hp(self) -> ConfigDict:
        """config.evals."""
        return self.config.evals

    @property
    def latent_dim(self) -> int:
        """Z."""
        return self.config.model.latent_dim

    def key(self, name: str) -> jax.Array:
        """A key of one eval's own, by its name."""
        return jax.random.fold_in(stream(self.config.seed, "evals"), zlib.crc32(name.encode()))

    def apply(self, name: str, rows: np.ndarray) -> Any:
        """predict[name] of rows [N,...], as numpy arrays [N,...]; computed evals.batch_size rows at a time."""
        size = min(self.hp.batch_size, len(rows))
        parts = []
        for start in range(0, len(rows), size):
            part = rows[start:start + size]
            padded = np.concatenate([part, np.repeat(part[-1:], size - len(part), 0)])
            answer = _jit(self.objective.predict[name])(self.params, self.stats, padded)
            parts.append(jax.tree.map(np.asarray, answer))
        return jax.tree.map(lambda *arrays: np.concatenate(arrays)[:len(rows)], *parts)

    def measure(self, batch: Batch, keys: jax.Array) -> dict[str, np.ndarray]:
        """The objective's terms, [B] each, of a batch. keys: key[B]."""
        return jax.tree.map(np.asarray, _jit(self.objective.measure)(self.params, self.stats, batch, keys))

    def prior(self, key: jax.Array, num: int) -> np.ndarray:
        """Latents [num,Z] from the prior."""
        return np.asarray(self.objective.predict["prior"](self.params, self.stats, key, num))

    @cached_property
    def train_codes(self) -> np.ndarray:
        """Codes [N,Z] of the training images."""
        return self.apply("encode", self.train_x)

    @cached_property
    def test_codes(self) -> np.ndarray:
        """Codes [N,Z] of the test images."""
        return self.apply("encode", self.test_x)


@cache
def _jit(function: Callable) -> Callable:
    """function, compiled: once for all evals of a run."""
    return jax.jit(function)


def some(source: Source, most: int) -> np.ndarray:
    """Rows of at most `most` images, with the classes in their proportions whatever the order of the images."""
    return np.sort(stratified_order(source.labels, len(source.images))[:most])


def run(name: str, trained: Trained) -> Iterator[Result]:
    """What the eval of this name gives."""
    return find("evals", name).evaluate(trained)


def lacks(name: str, trained: Trained) -> str:
    """The first thing of the eval's NEEDS that this run lacks, or "": something of predict, "labels" or "other"."""
    has = {*trained.objective.predict, *(["labels"] if trained.test.labels is not None else []),
           *(["other"] if trained.other else [])}
    return next((need for need in find("evals", name).NEEDS if need not in has), "")
