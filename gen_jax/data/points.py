"""Points in the plane, of a distribution whose answer is known, or of a drawing.

    ring          8 normals on a circle of radius 1, standard deviation 0.01      as PacGAN has them (Lin et al.,
    grid          25 normals at -4, -2, 0, 2, 4, standard deviation 0.05           arXiv:1712.04086)
    mixture       normals at data.centres, of standard deviation data.std
    moons, spiral, pinwheel     two half circles, two arms, five blades; labels say which
    checkerboard  every other square of a board of 4x4
    drawing       the dark pixels of the picture data.path

Labels are the modes where there are some.
"""
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict
from PIL import Image

from gen_jax import memory
from gen_jax.data._files import file_at
from gen_jax.data._settings import COMMON, PATH
from gen_jax.data._source import labelled
from gen_jax.errors import UserError
from gen_jax.folders import expanded
from gen_jax.settings import POSITIVE, Must, Setting, Settings, is_of, one_of
from gen_jax.types import Batch, Source

KIND = "points"
NUM_POINTS = {"train": 100_000, "test": 10_000}

CENTRES = Must(lambda centres: bool(centres) and all(len(centre) == 2 and all(map(is_place, centre))
                                                     for centre in centres), "points in the plane, as ((0,0),(2,1))")


def is_place(value: Any) -> bool:
    """Whether value may be a coordinate."""
    return is_of(float, value) and abs(value) <= 1e6


class Shape(NamedTuple):
    """A distribution over the plane."""

    draw: Callable  # (key, num) -> points float32 [num,2], labels int32 [num], by JAX
    names: tuple[str, ...]  # of the labels
    modes: "Modes | None" = None  # the normals that it is a mixture of


class Modes(NamedTuple):
    """The normals of a mixture, each as probable as any other."""

    centres: np.ndarray  # float32 [K,2]
    std: float


def _mixture(centres: np.ndarray, std: float) -> Shape:
    centres = np.asarray(centres, np.float32)

    def draw(key: jax.Array, num: int):
        mode_key, noise_key = jax.random.split(key)
        labels = jax.random.randint(mode_key, (num,), 0, len(centres))
        return jnp.asarray(centres)[labels] + std * jax.random.normal(noise_key, (num, 2)), labels
    return Shape(draw, tuple(map(str, range(len(centres)))), Modes(centres, std))


def _ring(hp: ConfigDict) -> Shape:
    angle = 2 * np.pi * np.arange(8) / 8
    return _mixture(np.stack([np.cos(angle), np.sin(angle)], 1), 0.01)


def _grid(hp: ConfigDict) -> Shape:
    steps = np.arange(-4, 5, 2)
    return _mixture(np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2), 0.05)


def _moons(hp: ConfigDict) -> Shape:
    def draw(key: jax.Array, num: int):
        label_key, turn_key, noise_key = jax.random.split(key, 3)
        labels = jax.random.randint(label_key, (num,), 0, 2)
        turn = jnp.pi * jax.random.uniform(turn_key, (num,)) + jnp.pi * labels
        centre = jnp.stack([labels - 0.5, labels * 0.5 - 0.25], 1)
        points = centre + jnp.stack([jnp.cos(turn), jnp.sin(turn)], 1)
        return points + hp.std * jax.random.normal(noise_key, (num, 2)), labels
    return Shape(draw, ("upper", "lower"))


def _spiral(hp: ConfigDict) -> Shape:
    def draw(key: jax.Array, num: int):
        label_key, turn_key, noise_key = jax.random.split(key, 3)
        labels = jax.random.randint(label_key, (num,), 0, 2)
        radius = jnp.sqrt(jax.random.uniform(turn_key, (num,)))
        turn = 3 * jnp.pi * radius + jnp.pi * labels
        points = 2 * radius[:, None] * jnp.stack([jnp.cos(turn), jnp.sin(turn)], 1)
        return points + hp.std * jax.random.normal(noise_key, (num, 2)), labels
    return Shape(draw, ("one", "other"))


def _pinwheel(hp: ConfigDict) -> Shape:
    def draw(key: jax.Array, num: int):
        label_key, noise_key = jax.random.split(key)
        labels = jax.random.randint(label_key, (num,), 0, 5)
        blade = jax.random.normal(noise_key, (num, 2)) * jnp.array([[0.3, 0.05]]) + jnp.array([[1.0, 0.0]])
        turn = 2 * jnp.pi * labels / 5 + 0.5 * jnp.exp(blade[:, 0])
        x, y = blade[:, 0], blade[:, 1]
        return jnp.stack([x * jnp.cos(turn) - y * jnp.sin(turn), x * jnp.sin(turn) + y * jnp.cos(turn)], 1), labels
    return Shape(draw, tuple(f"blade {i}" for i in range(5)))


def _checkerboard(hp: ConfigDict) -> Shape:
    dark = np.array([(row, column) for row in range(4) for column in range(4) if (row + column) % 2 == 0], np.float32)

    def draw(key: jax.Array, num: int):
        label_key, place_key = jax.random.split(key)
        labels = jax.random.randint(label_key, (num,), 0, len(dark))
        return jnp.asarray(dark)[labels] - 2 + jax.random.uniform(place_key, (num, 2)), labels
    return Shape(draw, tuple(f"square {i}" for i in range(len(dark))))


def _drawing(hp: ConfigDict) -> Shape:
    """The darker a pixel, the more points; the longer side goes from -1 to 1."""
    ink = _ink(hp)
    chance, (height, width) = jnp.asarray(np.cumsum(ink / ink.sum()), jnp.float32), ink.shape

    def draw(key: jax.Array, num: int):
        pixel_key, place_key = jax.random.split(key)
        at = jnp.searchsorted(chance, jax.random.uniform(pixel_key, (num,)) * chance[-1])
        rows, columns = jnp.divmod(jnp.minimum(at, ink.size - 1), width)
        points = jnp.stack([columns, -rows - 1], 1) + jax.random.uniform(place_key, (num, 2))
        return (points - jnp.array([[width / 2, -height / 2]])) / (max(height, width) / 2), jnp.zeros(num, jnp.int32)
    return Shape(draw, ("ink",))


def _ink(hp: ConfigDict) -> np.ndarray:
    """How dark each pixel of the picture hp.path is, [H,W] in [0,255], on white where it is transparent."""
    if not hp.path:
        raise UserError("data.path is not set: --config.data.path=FILE, the picture whose dark pixels are drawn from")
    path = file_at(expanded(hp.path, "data.path"))
    try:
        with Image.open(path) as picture:
            picture.thumbnail((512, 512))
            picture = picture.convert("RGBA")
            on_white = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            ink = 255 - np.asarray(on_white.convert("L"), np.float64)
    except Exception as error:  # decoders raise almost anything on a broken file
        raise UserError(f"data.path={hp.path}: cannot be read as a picture ({error})") from error
    ink = np.where(ink < 32, 0, ink)  # paper is not quite white
    if not ink.any():
        raise UserError(f"data.path={hp.path}: has no dark pixel")
    return ink


SHAPES = {"ring": _ring, "grid": _grid, "mixture": lambda hp: _mixture(hp.centres, hp.std), "moons": _moons,
          "spiral": _spiral, "pinwheel": _pinwheel, "checkerboard": _checkerboard, "drawing": _drawing}

hp = Settings(__name__, {
    **COMMON, **PATH,
    "shape": Setting("ring", ", ".join(SHAPES), one_of(*SHAPES)),
    "stream": Setting(False, "training draws new points at each step; the training set is for reference alone"),
    "centres": Setting(((-1.0, 0.0), (1.0, 0.0)), "mixture: where its normals are", CENTRES),
    "std": Setting(0.05, "mixture, moons, spiral: standard deviation of the noise, on each axis", POSITIVE),
}, smoke={"num_train": 96, "num_test": 40})


def load(hp: ConfigDict, split: str) -> Source:
    """Points float32 [N,2]: independent draws for "train" and "test", the same each time, and the mode of each.

    N: hp.num_train or hp.num_test, else 100,000 or 10,000.
    """
    num = {"train": hp.num_train, "test": hp.num_test}[split] or NUM_POINTS[split]
    memory.check(num * 24, f"data: {num:,} points", f"lower data.num_{split}")
    shape = SHAPES[hp.shape](hp)
    x, labels = jax.jit(shape.draw, static_argnums=1)(jax.random.key(["train", "test"].index(split)), num)
    return labelled(np.asarray(x, np.float32), np.asarray(labels, np.int32), shape.names)


def stream(hp: ConfigDict) -> Callable | None:
    """draw(key, num) -> Batch of new points, where hp.stream asks for it."""
    if not hp.stream:
        return None
    if hp.classes:
        raise UserError("data.classes: a stream is of all modes; set data.classes='' or data.stream=False")
    return partial(_batch, SHAPES[hp.shape](hp).draw)


def modes(hp: ConfigDict) -> Modes | None:
    """The normals that hp's distribution is a mixture of; None where it is none."""
    return SHAPES[hp.shape](hp).modes


def _batch(draw: Callable, key: jax.Array, num: int) -> Batch:
    x, labels = draw(key, num)
    return Batch(x.astype(jnp.float32), {"label": labels.astype(jnp.int32)})
