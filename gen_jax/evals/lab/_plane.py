"""The plane that a lab run is drawn in, and what a trained state does in it."""
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from gen_jax.evals import Trained

MARGIN = 0.2  # of the data's extent, left around them
SAMPLES, HEAT, LATENTS = 300, 40, 15  # samples drawn; sides of the grids over the plane and over the latents


class Bounds(NamedTuple):
    """A part of the plane."""

    left: float
    right: float
    bottom: float
    top: float


def bounds(trained: Trained) -> Bounds:
    """The square around the training data."""
    low, high = trained.train_x.min(0), trained.train_x.max(0)
    centre, half = (low + high) / 2, (0.5 + MARGIN) * (high - low).max()
    return Bounds(*(float(value) for value in (centre[0] - half, centre[0] + half, centre[1] - half, centre[1] + half)))


def heat(trained: Trained, at: Bounds, side: int) -> np.ndarray | None:
    """D(x) in [0,1] on a grid [side,side] over the plane, the lowest row first; None without a discriminator.

    Where a logit is no probability, it is taken from the median of the plane.
    """
    if "discriminate" not in trained.objective.predict:
        return None
    x, y = np.meshgrid(np.linspace(at.left, at.right, side), np.linspace(at.bottom, at.top, side))
    points = np.stack([x.ravel(), y.ravel()], -1).astype(np.float32)
    logits = trained.apply("discriminate", points, _first_given(trained, len(points)))
    if not gives_probability(trained):
        logits = logits - np.median(logits)
    return (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).reshape(side, side)


def gives_probability(trained: Trained) -> bool:
    """Whether the discriminator's logits are those of a probability: a Wasserstein critic's are not."""
    return "test/real_logit" not in (trained.history[-1] if trained.history else {})


def samples(trained: Trained, num: int) -> np.ndarray:
    """The same num samples [num,2] at every step of a run."""
    return trained.draw(trained.key("lab"), num)


def gradients(trained: Trained, x: np.ndarray) -> np.ndarray | None:
    """The direction [N,2] in which each sample x [N,2] lowers the generator's loss; None without a discriminator."""
    if "descent" not in trained.objective.predict:
        return None
    return trained.apply("descent", x, trained.wanted(len(x)))


def latent_grid(trained: Trained, side: int) -> np.ndarray | None:
    """Where a grid of two latents goes, [side,side,2], at even quantiles of their normals; None for other latents."""
    if trained.latent_dim != 2:
        return None
    steps = norm.ppf(np.linspace(0.02, 0.98, side))
    z = np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2).astype(np.float32)
    return trained.decode(z, _first_given(trained, len(z))).reshape(side, side, 2)


def _first_given(trained: Trained, num: int) -> dict[str, np.ndarray]:
    return {name: np.repeat(values[:1], num, 0) for name, values in trained.test.given.items()}
