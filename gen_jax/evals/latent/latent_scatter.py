"""Where the test examples lie in latent space."""
from collections.abc import Iterator

import numpy as np
from ml_collections import ConfigDict

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import prior_circles, scatter
from gen_jax.evals.latent._plane import PLANE, data_faults_of, latent_plane
from gen_jax.settings import Settings
from gen_jax.style import figure
from gen_jax.types import Source

NEEDS = ("encode", "vector")


hp = Settings(__name__, PLANE)


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "latent_scatter": codes of the test examples, coloured by class, over the prior's deviations."""
    plane = latent_plane(trained, trained.hp.latent_scatter.plane)
    fig, [[axes]] = figure(6.3)
    scatter(axes, plane.project(trained.test_codes), trained.test.labels, trained.test.classes)
    title = f"codes of {len(trained.test_codes):,} test examples\n{plane.title}"
    if "sample_prior" in trained.objective.predict:
        prior_circles(axes, plane.project(np.zeros((1, trained.latent_dim)))[0])
        title += "\ncircles: 1, 2 and 3 standard deviations σ of the prior"
    axes.set(title=title, xlabel=plane.names[0], ylabel=plane.names[1], aspect="equal", adjustable="datalim")
    yield "latent_scatter", fig


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line if evals.latent_scatter.plane is not two of the latents."""
    yield from data_faults_of("latent_scatter", config)
