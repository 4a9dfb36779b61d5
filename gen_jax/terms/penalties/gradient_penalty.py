"""The gradient penalty of WGAN-GP (Gulrajani et al., arXiv:1704.00028): slopes of 1 between real examples and fakes."""
from collections.abc import Callable

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from gen_jax.settings import Setting, Settings, at_least
from gen_jax.terms.penalties import WEIGHT
from gen_jax.terms.penalties._slope import squared_slope

hp = Settings(__name__, {**WEIGHT, "target": Setting(1.0, "the slope that is wanted", at_least(0))})


def penalty(critic: Callable, real: jax.Array, fake: jax.Array, key: jax.Array, hp: ConfigDict) -> jax.Array:
    """(|grad f| - target)^2 [B] at one random place for each example, on the line between it and a fake."""
    share = jax.random.uniform(key, (real.shape[0], *[1] * (real.ndim - 1)))  # one for an example, not one for a pixel
    slope = jnp.sqrt(squared_slope(critic, share * real + (1 - share) * fake) + 1e-12)
    return jnp.square(slope - hp.target)
