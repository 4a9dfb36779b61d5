"""From one test image to another, along a line and along an arc."""
from collections.abc import Iterator

import numpy as np
from ml_collections import ConfigDict

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import image_rows
from gen_jax.settings import Setting, Settings
from gen_jax.types import Source

NEEDS = ("encode", "decode", "vector", "tiles")
STEPS = np.linspace(0, 1, 11)

hp = Settings(__name__, {"pairs": Setting((0, 1), "test images by index, in pairs: two for each row")})


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "interpolation": for each pair of interpolation.pairs, a linear and a spherical row."""
    rows, labels = [], []
    indices = trained.hp.interpolation.pairs
    for first, last in zip(indices[::2], indices[1::2], strict=True):
        ends = trained.test_codes[[first, last]]
        given = {key: np.repeat(values[[first]], len(STEPS), 0) for key, values in trained.test.given.items()}
        for name, path in (("linear", linear), ("spherical", spherical)):
            rows.append(trained.spec.kind.tile(trained.decode(path(*ends, STEPS), given)))
            labels.append(f"{first} to {last}\n{name}")
    yield "interpolation", image_rows("between codes of test images", np.stack(rows), labels,
                                      [f"{step:.1f}" for step in STEPS])


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line if evals.interpolation.pairs is not pairs of test images."""
    indices = config.evals.interpolation.pairs
    if not indices or len(indices) % 2 or not all(0 <= i < len(test.x) for i in indices):
        yield (f"evals.interpolation.pairs={indices}: must be pairs of test images, each index from 0 to "
               f"{len(test.x) - 1}, as in (0,1)")


def linear(start: np.ndarray, end: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Points [S,Z] on the line from start [Z] to end [Z]; steps: [S] in [0,1]."""
    return (start + steps[:, None] * (end - start)).astype(np.float32)


def spherical(start: np.ndarray, end: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Points [S,Z] that turn evenly from start to end while their length changes evenly (Shoemake, SIGGRAPH 1985;
    White, arXiv:1609.04468). Where an end has no direction, or the two are parallel, the line."""
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) == 0:
        return linear(start, end, steps)
    u, v = start / lengths[0], end / lengths[1]
    angle = np.arccos(np.clip(u @ v, -1, 1))
    if np.sin(angle) < 1e-6:
        return linear(start, end, steps)
    t = steps[:, None]
    direction = (np.sin((1 - t) * angle) * u + np.sin(t * angle) * v) / np.sin(angle)
    return (direction * ((1 - t) * lengths[0] + t * lengths[1])).astype(np.float32)
