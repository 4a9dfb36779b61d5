"""Where the test examples lie in latent space."""
from collections.abc import Iterator

from ml_collections import ConfigDict

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import figure, scatter
from gen_jax.evals.latent._plane import PLANE, data_faults_of, latent_plane
from gen_jax.settings import Settings
from gen_jax.types import Source

NEEDS = ("encode", "vector")


hp = Settings(__name__, PLANE)


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "latent_scatter": codes of the test examples, coloured by class."""
    plane = latent_plane(trained, trained.hp.latent_scatter.plane)
    fig, [[axes]] = figure(6.2, 5)
    scatter(axes, plane.project(trained.test_codes), trained.test.labels, trained.test.classes,
            f"codes of {len(trained.test_codes):,} test examples\n{plane.title}")
    yield "latent_scatter", fig


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line if evals.latent_scatter.plane is not two of the latents."""
    yield from data_faults_of("latent_scatter", config)
