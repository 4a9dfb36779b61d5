"""Noise, by one key for a batch, or by key[B], one for each example: with those, batching changes nothing."""
import jax
import jax.numpy as jnp


def reparameterise(mean: jax.Array, logvar: jax.Array, eps: jax.Array) -> jax.Array:
    """z = mean + exp(logvar / 2) * eps [B,Z], a differentiable sample of N(mean, exp(logvar)). eps: [B,Z] ~ N(0,I).

    The standard deviation is the root of the variance, exp(logvar / 2). The chapter prints exp(logvar) * eps, whose
    variance is exp(2 logvar): its KL term then belongs to another distribution than the one that is sampled, and the
    sum is no bound on log p(x) any more.
    """
    return mean + jnp.exp(logvar / 2) * eps


def normal(key: jax.Array, batch: int, *shape: int) -> jax.Array:
    """N(0,1) noise [batch,*shape]. key: one for the batch, or key[batch], with which batching changes nothing."""
    if key.ndim:
        return jax.vmap(lambda k: jax.random.normal(k, shape))(key)
    return jax.random.normal(key, (batch, *shape))


def split(key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Two keys of one. key: one for the batch, or key[B]."""
    if key.ndim:
        pairs = jax.vmap(jax.random.split)(key)
        return pairs[:, 0], pairs[:, 1]
    return tuple(jax.random.split(key))


def bernoulli(key: jax.Array, x: jax.Array) -> jax.Array:
    """0 or 1 [B,...], 1 with probability x in [0,1]. key: one for the batch, or key[B]."""
    if key.ndim:
        return jax.vmap(jax.random.bernoulli)(key, x).astype(x.dtype)
    return jax.random.bernoulli(key, x).astype(x.dtype)
