"""A small convolutional classifier of a data set, trained once and kept: a judge that knows no model of ours."""
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from absl import logging
from flax import linen as nn
from flax import serialization
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.data.kinds.image import from_symmetric, to_symmetric, to_unit
from gen_jax.layers.conv import Conv
from gen_jax.net import apply
from gen_jax.terms.augment import chain
from gen_jax.training import loop
from gen_jax.training.feed import memory_feed
from gen_jax.training.state import TrainState, create, digest
from gen_jax.training.step import make_step
from gen_jax.types import Aux, Batch, Move, Net, Objective, Source, Vars
from gen_jax.whole import write_atomically

VERSION = 3  # raise it when the same data would train another classifier
WIDTHS = (48, 96, 192)
BATCH, RATE = 128, 2e-3  # images a step, highest learning rate
EPOCHS, STEPS = 40, 3000  # whichever is fewer
ON_DEVICE_GB = 4.0  # more images than that are fed from the host
LEAST_LEARNED = 0.2  # of what chance leaves to be named right


class Network(nn.Module):
    """Class logits and features of images."""

    num_classes: int
    widths: tuple[int, int, int]  # channels

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> tuple[jax.Array, jax.Array]:
        """logits [B,K], features [B,F] of x: [B,H,W,C] in [0,1]."""
        def layer(h, features, size, stride):
            h = Conv(features, (size, size), (stride, stride), use_bias=False)(h)
            return nn.relu(nn.BatchNorm(not train, momentum=0.9)(h))
        first, second, third = self.widths
        h = layer(to_symmetric(x), first, 5, 2)
        h = layer(h, second, 3, 1)
        h = layer(h, third, 3, 2)
        h = layer(h, third, 3, 1)
        features = h.mean((1, 2))
        return nn.Dense(self.num_classes)(features), features


class Classifier(NamedTuple):
    """A trained classifier; x: [N,H,W,C] in [0,1], or uint8 pixels."""

    answers: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # x -> (features [N,F], logits [N,K] linear in them)
    classes: tuple[str, ...]
    accuracy: float  # on the test split
    key: str  # a hash of the weights

    def logits(self, x: np.ndarray) -> np.ndarray:
        """The logits alone, [N,K]."""
        return self.answers(x)[1]


def classifier(hp: ConfigDict) -> Classifier:
    """The classifier of all classes of the data set that hp, config.data, names; from the cache where it is there.

    It depends on the data alone, not on the run's seed: numbers that it gives compare between runs.
    """
    hp = whole(hp)
    test = data.load(hp, "test")
    judge = classifier_of(data.load(hp, "train"), test, data.cache_folder(hp))
    chance = np.bincount(test.labels).max() / len(test.labels)
    if judge.accuracy < chance + LEAST_LEARNED * (1 - chance):
        logging.warning("the classifier that samples are judged by names %.0f%% of the test images right, and who says "
                        "the same of all %.0f%%: its numbers say little", 100 * judge.accuracy, 100 * chance)
    return judge


def whole(hp: ConfigDict) -> ConfigDict:
    """hp, config.data, of all classes and examples of the data set, as they are."""
    hp = hp.copy_and_resolve_references()
    hp.update({"classes": "", "num_train": None, "num_test": None} | ({"binarize": False} if "binarize" in hp else {}))
    return hp


def classifier_of(train: Source, test: Source, folder: Path, keep: bool = True) -> Classifier:
    """The classifier that learns from train, of images with labels; from the cache in folder where it is there.

    test: of the same classes; it tells the accuracy. keep: whether the cache gets it.
    """
    objective = _objective(len(train.classes), train.x.shape[1:])
    size = min(BATCH, len(train.x))
    steps = min(STEPS, EPOCHS * (len(train.x) // size))
    optimizers = {"judge": optax.adam(optax.cosine_decay_schedule(RATE, steps))}
    path = folder / f"judge-{_key(train)}.msgpack"
    state = create(objective, optimizers, (), jax.random.key(0))
    try:
        weights = serialization.from_bytes(state.vars, _whole(path))
    except (OSError, ValueError):  # not there, or not whole
        weights = _train(objective, optimizers, state, train, size, steps)
        if keep:
            _keep(path, serialization.to_bytes(weights))

    @jax.jit
    def answer(x):
        return objective.predict["both"](weights, to_unit(x) if x.dtype == jnp.uint8 else x)

    def answers(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [jax.tree.map(np.asarray, answer(x[i:i + 500])) for i in range(0, len(x), 500)]
        logits, features = (np.concatenate(part) for part in zip(*parts, strict=True))
        return features, logits
    accuracy = float((answers(test.x)[1].argmax(-1) == test.labels).mean())
    return Classifier(answers, train.classes, accuracy, digest(weights))


def _objective(num_classes: int, image_shape: tuple[int, int, int]) -> Objective:
    """The game of one player who names classes, of images that are flipped and moved at random."""
    nets = {"judge": Net(Network(num_classes, WIDTHS), (jax.ShapeDtypeStruct((1, *image_shape), jnp.float32),))}
    policies = "translation" if image_shape[2] == 1 else "flip,translation"  # digits are not to be mirrored
    changed = chain(policies, image_shape)

    def loss(vars: Vars, batch: Batch, keys):
        x = changed(to_symmetric(to_unit(batch.x)), keys.move)
        (logits, _), state = apply(nets, "judge", vars, from_symmetric(x), given={}, train=True)
        value = optax.softmax_cross_entropy_with_integer_labels(logits, batch.given["label"]).mean()
        return value, Aux({"loss": value}, state)

    def both(vars: Vars, x: jax.Array):
        return apply(nets, "judge", vars, x, given={}, train=False)[0]
    return Objective(nets, {"judge": ("judge",)}, (Move("judge", loss),), lambda *args: {}, {"both": both})


def _train(objective: Objective, optimizers, state: TrainState, train: Source, size: int, steps: int) -> Vars:
    """The variables after so many steps with batches of this size."""
    step, feed = make_step(objective, optimizers, 0.0, steps), memory_feed(train, 0, size, ON_DEVICE_GB)
    shape = jax.tree.map(lambda array: jax.ShapeDtypeStruct((size, *array.shape[1:]), array.dtype),
                         Batch(train.x, train.given))
    logging.warning("training a classifier on %d images to judge samples by, once", len(train.x))
    began, key = time.perf_counter(), jax.random.key(1)
    progress = loop.fit(loop.begin(state, step, shape, key), step, feed, key, steps)
    logging.warning("the classifier is trained, in %.0f s", time.perf_counter() - began)
    return progress.state.vars


def _key(train: Source) -> str:
    """What the cache knows a classifier by: a hash of the data, the net and how it is trained."""
    settings = (VERSION, WIDTHS, BATCH, EPOCHS, STEPS, RATE, data.fingerprint(train))
    return hashlib.sha256(repr(settings).encode()).hexdigest()[:32]


def _whole(path: Path) -> bytes:
    """What _keep was given with this name. Raises ValueError where it is damaged, or another's; OSError."""
    content = path.read_bytes()
    if _digest(path, content[32:]) != content[:32]:
        raise ValueError("damaged")
    return content[32:]


def _digest(path: Path, content: bytes) -> bytes:
    return hashlib.sha256(path.name.encode() + content).digest()


def _keep(path: Path, content: bytes) -> None:
    """Writes content to path, with a checksum. A folder that cannot be written costs a warning."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, _digest(path, content) + content)
    except OSError as error:
        logging.warning("the classifier is not kept, because %s cannot be written (%s)", path, error)
