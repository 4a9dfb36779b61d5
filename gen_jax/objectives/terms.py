"""The pure maths of the objectives. Terms are per example, [B], in nats per image: summed over all but the batch."""
import math

import jax
import jax.numpy as jnp

LOG_2PI = math.log(2 * math.pi)


def bernoulli_nll(logits: jax.Array, x: jax.Array) -> jax.Array:
    """-log p(x) [B] under independent Bernoullis; of grey values x in [0,1], the cross entropy that the chapter uses.

    logits, x: [B,...]. Value and gradient are finite for any finite logit. optax.sigmoid_binary_cross_entropy is the
    same function; its gradient, which goes through two log-sigmoids, takes 4 times as long on a CPU, a quarter of the
    whole step of a small VAE.
    """
    logits, x = flat(logits), flat(x)
    positive = logits >= 0  # one side at 0 for both terms, where maximum and abs would each choose their own
    softplus = jnp.where(positive, logits, 0) + jnp.log1p(jnp.exp(jnp.where(positive, -logits, logits)))
    return (softplus - logits * x).sum(-1)


def gaussian_nll(mean: jax.Array, log_scale: jax.Array, x: jax.Array) -> jax.Array:
    """-log N(x; mean, exp(log_scale)^2) [B]: of a density, so it can be below 0. mean, x: [B,...]; log_scale: []."""
    return sum_features(0.5 * jnp.square((x - mean) * jnp.exp(-log_scale)) + log_scale + 0.5 * LOG_2PI)


def gaussian_kl(mean: jax.Array, logvar: jax.Array) -> jax.Array:
    """KL(N(mean, exp(logvar)) || N(0, I)) of each latent, [B,Z]. mean, logvar: [B,Z].

    Kingma & Welling 2014, appendix B.
    """
    return 0.5 * (jnp.square(mean) + jnp.exp(logvar) - 1 - logvar)


def gaussian_logpdf(z: jax.Array, mean: jax.Array, logvar: jax.Array) -> jax.Array:
    """log N(z; mean, exp(logvar)) [B]. All: [B,Z]."""
    return sum_features(-0.5 * (jnp.square(z - mean) * jnp.exp(-logvar) + logvar + LOG_2PI))


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


def sum_features(x: jax.Array) -> jax.Array:
    """[B]: x [B,...] summed over all axes but the first."""
    return flat(x).sum(-1)


def flat(x: jax.Array) -> jax.Array:
    """[B,*]: x [B,...] with all axes but the first made one: XLA's CPU loops are slow over a last axis of length 1."""
    return x.reshape(len(x), -1)
