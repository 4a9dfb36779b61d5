"""lab.html: frames of a training become one page that plays them. The page needs no network and no other file.

The page's own code is page.html, beside this file. It reads the runs as JSON, whose arrays are base64 of small whole
numbers: what each code below writes, the function of the same name in page.html reads.
"""
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gen_jax.embed import as_base64, as_json

TEMPLATE = Path(__file__).with_name("page.html")
MARKER = "{{RUNS}}"  # the template has it once
QUANTILE = 0.9  # of a run's gradients, which gets an arrow of length 1
LONGEST = 1.5  # an arrow longer than this is shortened to it


class Frame(NamedTuple):
    """What is seen of one moment of a training."""

    step: int  # finished training steps
    samples: np.ndarray  # float [N,2], of the same latents in each frame
    heat: np.ndarray | None  # [G,G] in [0,1]: D(x), the bounds among its points; row 0 is the lowest y. None for a VAE
    gradients: np.ndarray | None  # float [N,2]: where each sample lowers the generator's loss. None for a VAE
    manifold: np.ndarray | None  # float [M,M,2]: where a grid of latents goes. None if latents are not 2-D
    numbers: dict[str, float]  # metrics by name


class Run(NamedTuple):
    """One training."""

    title: str
    data: np.ndarray  # float [K,2]
    bounds: tuple[float, float, float, float]  # of the picture: x_low, x_high, y_low, y_high
    frames: list[Frame]  # in the order of steps


def page(runs: list[Run]) -> bytes:
    """The page, in UTF-8. Two runs stand side by side."""
    content = as_json([_run(run) for run in runs])
    return TEMPLATE.read_text(encoding="utf-8").replace(MARKER, content).encode()


def _run(run: Run) -> dict:
    length = _usual_length([frame.gradients for frame in run.frames if frame.gradients is not None])
    return {"title": run.title, "bounds": [float(bound) for bound in run.bounds], "data": places(run.data, run.bounds),
            "frames": [_frame(frame, run.bounds, length) for frame in run.frames]}


def _frame(frame: Frame, bounds: tuple, length: float) -> dict:
    numbers = {name: float(number) if math.isfinite(number) else None for name, number in frame.numbers.items()}
    drawn = {"step": int(frame.step), "samples": places(frame.samples, bounds), "numbers": numbers}
    if frame.heat is not None:
        drawn["heat"] = shades(frame.heat)
    if frame.gradients is not None:
        drawn["gradients"] = arrows(frame.gradients, length)
    if frame.manifold is not None:
        drawn["manifold"] = places(frame.manifold, bounds)
    return drawn


def _usual_length(gradients: list[np.ndarray]) -> float:
    """The length of the longer gradients of a run. One length for all frames keeps them comparable."""
    lengths = np.concatenate([np.zeros(0), *(np.hypot(*_finite(vectors).T) for vectors in gradients)])
    lengths = lengths[np.isfinite(lengths) & (lengths > 0)]
    return float(np.quantile(lengths, QUANTILE)) if len(lengths) else 1.0


def places(points: np.ndarray, bounds: tuple) -> str:
    """Points [...,2] as uint16: 1 is a picture's size below the picture, 65535 one above; 0 is no point."""
    low, high = np.array(bounds, np.float64).reshape(2, 2).T
    share = np.clip((_finite(points) - low) / (high - low), -1, 2)  # of the picture
    return as_base64(np.where(np.isnan(share), 0, 1 + np.rint((share + 1) / 3 * 65534)), "<u2")


def arrows(vectors: np.ndarray, length: float) -> str:
    """Vectors [N,2] as int16: 20000 is length; -32768 is no vector."""
    vectors = _finite(vectors) / length
    vectors = vectors * np.minimum(1, LONGEST / np.maximum(np.hypot(*vectors.T), LONGEST))[:, None]
    return as_base64(np.where(np.isnan(vectors), -32768, np.rint(20000 * vectors)), "<i2")


def shades(heat: np.ndarray) -> str:
    """Numbers of [0,1] as uint8: 0 to 254; 255 is no number."""
    return as_base64(np.where(np.isfinite(heat), np.rint(254 * np.clip(heat, 0, 1)), 255), "u1")


def _finite(points: np.ndarray) -> np.ndarray:
    """Points [...,2] in float64; one that is not finite becomes NaN in both coordinates."""
    points = np.asarray(points, np.float64)
    return np.where(np.isfinite(points).all(-1, keepdims=True), points, np.nan)
