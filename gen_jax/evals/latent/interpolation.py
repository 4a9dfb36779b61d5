"""From one test image to another, along a line and along an arc."""
from collections.abc import Iterator

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import image_rows
from gen_jax.evals.latent._paths import linear, spherical
from gen_jax.settings import Setting, Settings
from gen_jax.types import Source

NEEDS = ("encode", "decode", "vector", "tiles")
STEPS = np.linspace(0, 1, 11)

hp = Settings(__name__, {
    "pairs": Setting((), "test images by index, in pairs: two for each row; (): the first two", item=int),
})


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "interpolation": for each pair of interpolation.pairs, a linear and a spherical row.

    Nothing where no pair is asked for and there is a single test image.
    """
    rows, labels = [], []
    indices = trained.hp.interpolation.pairs or (0, 1)
    if max(indices) >= len(trained.test.x):
        logging.warning("interpolation: left out, it takes two test images")
        return
    for first, last in zip(indices[::2], indices[1::2], strict=True):
        ends = trained.test_codes[[first, last]]
        given = {key: np.repeat(values[[first]], len(STEPS), 0) for key, values in trained.test.given.items()}
        for name, path in (("linear", linear), ("spherical", spherical)):
            rows.append(trained.spec.kind.tile(trained.decode(path(*ends, STEPS), given)))
            labels.append(f"{_called(trained, first)} → {_called(trained, last)}\n{name}")
    named = ", named by their classes" if trained.test.classes else ""
    yield "interpolation", image_rows(np.stack(rows), f"between the codes of two test images{named}", labels,
                                      [f"{step:.1f}" for step in STEPS], xlabel="share of the way")


def _called(trained: Trained, index: int) -> str:
    """The class of a test image, or its place where it has none."""
    return trained.test.classes[trained.test.labels[index]] if trained.test.classes else f"image no. {index}"


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line if evals.interpolation.pairs is not pairs of test images."""
    indices = config.evals.interpolation.pairs
    if len(indices) % 2 or not all(0 <= i < len(test.x) for i in indices):
        yield (f"evals.interpolation.pairs={indices}: must be pairs of test images, each index from 0 to "
               f"{len(test.x) - 1}, as in (0,1), or () for the first two")
