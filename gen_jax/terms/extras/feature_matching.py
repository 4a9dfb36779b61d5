"""Feature matching: fakes have the mean features of real examples (Salimans et al., arXiv:1606.03498).

The features are what the discriminator shows of its inside: all that its modules sow.
"""
import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from gen_jax.settings import Settings
from gen_jax.terms.extras import WEIGHT
from gen_jax.types import Batch, Vars

PLAYER = "gen"
hp = Settings(__name__, WEIGHT)


def extra(game, vars: Vars, batch: Batch, fake: jax.Array, key: jax.Array, hp: ConfigDict) -> jax.Array:
    """The squared distance [] between the mean features of real examples and of fakes, the mean over features."""
    real, made = (game.features(vars, x, batch.given, key) for x in (batch.x, fake))
    distances = jax.tree.map(lambda a, b: jnp.square(a.mean(0) - b.mean(0)).mean(), real, made)
    return sum(jax.tree.leaves(distances))
