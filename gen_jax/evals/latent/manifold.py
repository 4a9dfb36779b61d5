"""The decoder's images over a plane of latent space."""
from collections.abc import Iterator

import numpy as np
from ml_collections import ConfigDict
from scipy.stats import norm

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import show_rows
from gen_jax.evals.latent._plane import PLANE, data_faults_of, latent_plane
from gen_jax.settings import Settings
from gen_jax.style import figure
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
    across, up = quantiles * plane.scale[0], quantiles[::-1] * plane.scale[1]
    z = plane.embed(np.stack(np.meshgrid(across, up), -1).reshape(-1, 2))
    x = trained.spec.kind.tile(trained.decode(z))
    fig, [[axes]] = figure(7.0, width=6.5)
    title = f"images decoded over\n{plane.title}\nat equal steps of a normal's probability, from 5% to 95%"
    show_rows(axes, x.reshape(SIDE, SIDE, *x.shape[1:]), title, _every_other(up),
              _every_other(across), xlabel=plane.names[0], ylabel=plane.names[1], gap=int(x.shape[1] < 16))
    yield "manifold", fig


def _every_other(values: np.ndarray) -> list[str]:
    """Labels of every second of an axis's values."""
    return [f"{value:.1f}" if i % 2 == 0 else "" for i, value in enumerate(values)]


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line if evals.manifold.plane is not two of the latents."""
    yield from data_faults_of("manifold", config)
