"""The decoder's images over a plane of latent space."""
from collections.abc import Iterator

import numpy as np
from ml_collections import ConfigDict
from scipy.stats import norm

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import figure, show
from gen_jax.evals.latent._plane import PLANE, data_faults_of, latent_plane
from gen_jax.grids import grid
from gen_jax.settings import Settings
from gen_jax.types import Source

NEEDS = ("sample_prior", "decode", "encode", "vector", "tiles")
SIDE = 15


hp = Settings(__name__, PLANE)


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "manifold": 15x15 images at the quantiles 0.05 .. 0.95 of a normal along each axis of the plane.

    On chosen latents it is the prior's normal, as in Kingma & Welling; on principal directions that of the codes.
    """
    plane = latent_plane(trained, trained.hp.manifold.plane)
    quantiles = norm.ppf(np.linspace(0.05, 0.95, SIDE))
    horizontal, vertical = np.meshgrid(quantiles * plane.scale[0], quantiles[::-1] * plane.scale[1])
    z = plane.embed(np.stack([horizontal.ravel(), vertical.ravel()], -1))
    fig, [[axes]] = figure(6, 6.3)
    x = trained.spec.kind.tile(trained.decode(z))
    show(axes, grid(x, SIDE, gap=int(x.shape[1] < 16)), f"decoded over {plane.title}")
    yield "manifold", fig


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line if evals.manifold.plane is not two of the latents."""
    yield from data_faults_of("manifold", config)
