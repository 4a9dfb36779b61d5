"""What the lab plays back: a frame each time it is run during training."""
from collections.abc import Iterator

from gen_jax.evals import Arrays, Result, Trained
from gen_jax.evals.lab._plane import HEAT, LATENTS, SAMPLES, bounds, gradients, heat, latent_grid, samples

NEEDS = ("sample_prior", "decode", "kind:points", "vector")


def evaluate(trained: Trained) -> Iterator[Result]:
    """The arrays "lab_frames": samples, the discriminator over the plane, gradients, where a grid of latents goes."""
    yield "lab_frames", Arrays(frame(trained))


def frame(trained: Trained) -> dict:
    """The arrays of one frame; what the run has not is left out."""
    x = samples(trained, SAMPLES)
    arrays = {"samples": x, "heat": heat(trained, bounds(trained), HEAT), "gradients": gradients(trained, x),
              "manifold": latent_grid(trained, LATENTS)}
    return {name: array for name, array in arrays.items() if array is not None}
