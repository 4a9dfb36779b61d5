"""R1: half the squared slope of the discriminator at real examples (Mescheder, Geiger & Nowozin, arXiv:1801.04406)."""
from collections.abc import Callable

import jax
from ml_collections import ConfigDict

from gen_jax.settings import Settings
from gen_jax.terms.penalties import WEIGHT
from gen_jax.terms.penalties._slope import squared_slope

hp = Settings(__name__, WEIGHT)


def penalty(critic: Callable, real: jax.Array, fake: jax.Array, key: jax.Array, hp: ConfigDict) -> jax.Array:
    """|grad f(x)|^2 / 2 [B] at real x."""
    return squared_slope(critic, real) / 2
