"""The same samples across training: a strip, and an animation."""
from collections.abc import Iterator
from math import isqrt
from pathlib import Path

import numpy as np
from absl import logging
from PIL import Image

from gen_jax import grids
from gen_jax.evals import Animation, Result, Trained
from gen_jax.evals._draw import about, image_rows, unit
from gen_jax.evals.samples.samples import MAX_CLASSES

NEEDS = ("sample_prior", "decode", "tiles")
ROWS = 8  # epochs in the strip
COLUMNS = 16  # samples in it, at most


def evaluate(trained: Trained) -> Iterator[Result]:
    """From the pictures that the eval samples drew in training; nothing where it drew none.

    Those drawn with another evals.samples.num, and damaged ones, are left out.

    The figure "samples_over_time" has a row for each of some epochs, spaced by about equal factors, and the animation
    of that name has all of them.
    """
    if "samples" not in trained.hp:
        return
    last = max((record.get("epoch", record["step"]) for record in trained.history), default=0)
    num, shape = trained.hp.samples.num, trained.tile_shape
    columns = isqrt(num)
    num = min(len(trained.spec.classes), MAX_CLASSES) * columns if "label" in trained.objective.conditions else num
    like = grids.enlarge(grids.grid(np.zeros((num, *shape), np.uint8), columns)).squeeze()
    drawn = [(path, _pixels(path)) for path in trained.saved("samples") if _number(path) <= last]
    drawn = [(path, frame) for path, frame in drawn if frame is not None and frame.shape == like.shape]
    if not drawn:
        logging.warning("samples_over_time: left out, training has drawn no samples yet; see evals.during")
        return
    files, frames = zip(*drawn, strict=True)
    of = unit(trained.history)
    yield "samples_over_time", Animation(list(frames), [f"{of} {_number(path):,}" for path in files])
    chosen = np.unique(np.geomspace(1, len(files), ROWS).round().astype(int) - 1)
    x = [grids.tiles(frames[i], columns, shape)[:COLUMNS] for i in chosen]
    title = f"the same {len(x[0])} latents after some {of}s\n{about(trained)}"
    yield "samples_over_time", image_rows(np.stack(x), title, [f"{_number(files[i]):,}" for i in chosen], ylabel=of)


def _pixels(path: Path) -> np.ndarray | None:
    """uint8 [H,W,C] or [H,W] of a picture; None, with a warning, where it is damaged."""
    try:
        with Image.open(path) as picture:
            return np.asarray(picture)
    except Exception as error:  # decoders raise almost anything on a broken file
        logging.warning("samples_over_time: %s is left out, it cannot be read (%s)", path, error)
        return None


def _number(path: Path) -> int:
    """The epoch, or step, of a picture drawn during training."""
    return int(path.stem.rpartition("_")[2])
