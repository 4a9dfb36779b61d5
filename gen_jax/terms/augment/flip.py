"""Left and right exchanged at random, as in DiffAugment (Zhao et al., arXiv:2006.10738)."""
import jax
import jax.numpy as jnp


def augment(x: jax.Array, key: jax.Array) -> jax.Array:
    """Left and right exchanged in half of the images."""
    return jnp.where(jax.random.bernoulli(key, shape=(x.shape[0], 1, 1, 1)), x[:, :, ::-1], x)
