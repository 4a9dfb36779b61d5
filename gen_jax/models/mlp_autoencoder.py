"""The fully connected autoencoder: image -> widths -> latent -> widths reversed -> image.

The decoder is that of mlp_vae; the encoder gives one point instead of a distribution.
"""
from collections.abc import Callable

import jax
from flax import linen as nn
from ml_collections import ConfigDict

from gen_jax.models import mlp
from gen_jax.models.net import Net


def build(hp: ConfigDict, image_shape: tuple[int, int, int]) -> dict[str, Net]:
    """{"enc": image -> latent, "dec": latent -> logits}.

    hp, image_shape: see mlp.encoder_decoder.
    """
    return mlp.encoder_decoder(Encoder, hp, image_shape)


faults = mlp.faults


class Encoder(nn.Module):
    """The code of an image."""

    widths: tuple[int, ...]
    latent_dim: int
    activation: Callable
    kernel_init: Callable

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """z: [B,Z] of images x: [B,H,W,C]."""
        h = mlp.hidden(x.reshape(len(x), -1), self.widths, self.activation, self.kernel_init)
        return nn.Dense(self.latent_dim, kernel_init=self.kernel_init, name="latent")(h)
