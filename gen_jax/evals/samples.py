"""Images decoded from the prior: the same latents every time, so that epochs compare."""
from collections.abc import Iterator
from math import isqrt

from gen_jax.evals.trained import Result, Trained
from gen_jax.images import grid

NEEDS = ("prior", "decode")


def evaluate(trained: Trained) -> Iterator[Result]:
    """The picture "samples": evals.samples images in a square."""
    num = trained.hp.samples
    yield "samples", grid(trained.apply("decode", trained.prior(trained.key("samples"), num)), columns=isqrt(num))
