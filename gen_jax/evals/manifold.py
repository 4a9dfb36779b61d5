"""The decoder's images over a plane of latent space."""
from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from gen_jax.evals.draw import figure, show
from gen_jax.evals.plane import faults, latent_plane
from gen_jax.evals.trained import Result, Trained
from gen_jax.images import grid

NEEDS = ("prior", "decode", "encode")
__all__ = ("evaluate", "faults")
SIDE = 15


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "manifold": 15x15 images at the quantiles 0.05 .. 0.95 of a normal along each axis of the plane.

    On chosen latents it is the prior's normal, as in Kingma & Welling; on principal directions that of the codes.
    """
    plane = latent_plane(trained)
    quantiles = norm.ppf(np.linspace(0.05, 0.95, SIDE))
    horizontal, vertical = np.meshgrid(quantiles * plane.scale[0], quantiles[::-1] * plane.scale[1])
    z = plane.embed(np.stack([horizontal.ravel(), vertical.ravel()], -1))
    fig, [[axes]] = figure(6, 6.3)
    x = trained.apply("decode", z)
    show(axes, grid(x, SIDE, gap=int(x.shape[1] < 16)), f"decoded over {plane.title}")
    yield "manifold", fig
