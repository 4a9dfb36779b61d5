"""Where the test images lie in latent space."""
from collections.abc import Iterator

from gen_jax.evals.draw import figure, scatter
from gen_jax.evals.plane import faults, latent_plane
from gen_jax.evals.trained import Result, Trained

NEEDS = ("encode",)
__all__ = ("evaluate", "faults")


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "latent_scatter": codes of the test images, coloured by class."""
    plane = latent_plane(trained)
    fig, [[axes]] = figure(6.2, 5)
    scatter(axes, plane.project(trained.test_codes), trained.test.labels, trained.test.classes,
            f"codes of {len(trained.test_codes):,} test images\n{plane.title}")
    yield "latent_scatter", fig
