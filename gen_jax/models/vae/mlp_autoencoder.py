"""The fully connected autoencoder: image -> widths -> latent -> widths reversed -> image.

The decoder is that of mlp_vae; the encoder gives one point instead of a distribution.
"""
from collections.abc import Callable

import jax
from flax import linen as nn
from ml_collections import ConfigDict

from gen_jax.models.vae import _mlp
from gen_jax.settings import Settings
from gen_jax.types import Net, Spec

hp = Settings(__name__, _mlp.SETTINGS)


def build(hp: ConfigDict, spec: Spec) -> dict[str, Net]:
    """{"enc": image -> latent, "dec": latent -> logits}.

    hp: see _mlp.encoder_decoder.
    """
    return _mlp.encoder_decoder(Encoder, hp, spec)


class Encoder(nn.Module):
    """The code of an image."""

    widths: tuple[int, ...]
    latent_dim: int
    activation: Callable
    kernel_init: Callable

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """z: [B,Z] of x: [B,...]."""
        h = _mlp.hidden(x.reshape(x.shape[0], -1), self.widths, self.activation, self.kernel_init)
        return nn.Dense(self.latent_dim, kernel_init=self.kernel_init, name="latent")(h)
