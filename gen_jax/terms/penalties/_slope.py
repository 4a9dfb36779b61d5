"""Slopes of a critic."""
from collections.abc import Callable

import jax
import jax.numpy as jnp

from gen_jax.terms.densities import sum_features


def squared_slope(critic: Callable, x: jax.Array) -> jax.Array:
    """|grad_x critic(x)|^2 [B], of each example: summed over all axes of x [B,...] but the batch."""
    return sum_features(jnp.square(jax.grad(lambda x: critic(x).sum())(x)))
