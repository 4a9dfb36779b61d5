"""The fully connected VAE: image -> widths -> (mean, logvar) -> latent -> widths reversed -> image.

With widths (256,) and 2 latents on 28x28 images it is the net of the book's chapter, 784-256-2-256-784; with one hidden
layer of tanh units that of Kingma & Welling, "Auto-Encoding Variational Bayes", 2014 (arXiv:1312.6114).
"""
from collections.abc import Callable

import jax
from flax import linen as nn
from ml_collections import ConfigDict

from gen_jax.models import mlp
from gen_jax.models.net import Net


def build(hp: ConfigDict, image_shape: tuple[int, int, int]) -> dict[str, Net]:
    """{"enc": image -> (mean, logvar), "dec": latent -> logits}.

    hp: widths, latent_dim, activation, kernel_init. image_shape: (H, W, C).
    """
    return mlp.encoder_decoder(Encoder, hp, image_shape)


faults = mlp.faults


class Encoder(nn.Module):
    """The Gaussian approximation of the posterior over latents."""

    widths: tuple[int, ...]
    latent_dim: int
    activation: Callable
    kernel_init: Callable

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> tuple[jax.Array, jax.Array]:
        """mean, logvar: [B,Z] of images x: [B,H,W,C]."""
        h = mlp.hidden(x.reshape(len(x), -1), self.widths, self.activation, self.kernel_init)
        mean = mlp.Dense(self.latent_dim, kernel_init=self.kernel_init, name="mean")(h)
        logvar = mlp.Dense(self.latent_dim, kernel_init=self.kernel_init, name="logvar")(h)
        return mean, logvar
