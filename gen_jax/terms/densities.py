"""Densities and divergences, per example, [B], in nats: summed over all axes but the batch."""
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


def sum_features(x: jax.Array) -> jax.Array:
    """[B]: x [B,...] summed over all axes but the first."""
    return flat(x).sum(-1)


def flat(x: jax.Array) -> jax.Array:
    """[B,*]: x [B,...] with all axes but the first made one: XLA's CPU loops are slow over a last axis of length 1."""
    return x.reshape(x.shape[0], -1)
