"""The same samples across training: a strip, and an animation."""
from collections.abc import Iterator
from math import isqrt
from pathlib import Path

import numpy as np
from PIL import Image

from gen_jax import images
from gen_jax.evals.draw import image_rows
from gen_jax.evals.trained import Animation, Result, Trained

NEEDS = ("prior", "decode")
ROWS = 8  # epochs in the strip
COLUMNS = 16  # samples in it, at most


def evaluate(trained: Trained) -> Iterator[Result]:
    """From the pictures that the eval samples drew in training; nothing where it drew none.

    Those drawn with another evals.samples are left out.

    The figure "samples_over_time" has a row for each of some epochs, spaced by about equal factors, and the animation
    of that name has all of them.
    """
    last = max((record["epoch"] for record in trained.history), default=0)
    shape, columns = trained.train.images.shape[1:], isqrt(trained.hp.samples)
    size = images.enlarge(images.grid(np.zeros((trained.hp.samples, *shape)), columns)).shape[:2]
    drawn = [(path, np.asarray(Image.open(path))) for path in trained.drawn("samples") if _epoch(path) <= last]
    drawn = [(path, frame) for path, frame in drawn if frame.shape[:2] == size]
    if not drawn:
        return
    files, frames = zip(*drawn, strict=True)
    yield "samples_over_time", Animation(list(frames))
    chosen = np.unique(np.geomspace(1, len(files), ROWS).round().astype(int) - 1)
    x = [images.tiles(frames[i], columns, shape)[:COLUMNS] for i in chosen]
    yield "samples_over_time", image_rows("the same latents after so many epochs", np.stack(x) / np.float32(255),
                                          [str(_epoch(files[i])) for i in chosen])


def _epoch(path: Path) -> int:
    """Of a picture drawn during training."""
    return int(path.stem.rpartition("_")[2])
