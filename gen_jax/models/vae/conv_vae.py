"""The convolutional VAE: image -> strided convolutions -> (mean, logvar) -> latent -> transposed ones -> image.

For photos: neighbouring pixels share their weights, so that it has fewer of them than a fully connected net, and its
samples have no noise of single pixels. With `gaussian_learned`, one learned scale for all pixels, it is the sigma-VAE
of Rybkin et al., arXiv:2006.13202.
"""
from collections.abc import Callable
from math import prod

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.layers import norms
from gen_jax.layers.conv import Conv, ConvTranspose
from gen_jax.models._sizes import WIDTHS, start, widths_of
from gen_jax.settings import POSITIVE, Setting, Settings, at_least, between, one_of, share
from gen_jax.types import Net, Spec

FIRST_WIDTH = 32  # channels after the first halving, where the widths are chosen by the images' size; then they double
MOST_WIDTH = 256
ACTIVATIONS = {"relu": nn.relu, "silu": nn.silu, "gelu": nn.gelu, "leaky_relu": nn.leaky_relu}

hp = Settings(__name__, {
    "widths": Setting((), "channels after each halving of the encoder; the decoder has them in reverse; (): by the "
                      "size of the images, (32,64,128) for 32x32", WIDTHS, item=int),
    "latent_dim": Setting(64, "latents", at_least(1)),
    "kernel_size": Setting(4, "of all convolutions, in pixels", between(1, 255)),
    "activation": Setting("silu", ", ".join(ACTIVATIONS), one_of(*ACTIVATIONS)),
    "norm": norms.setting("none", "all layers but the last of each net"),
    "norm_momentum": Setting(0.9, "BatchNorm: share of the running statistics that stays at each step", share()),
    "norm_eps": Setting(1e-5, "norms: added to the variance", POSITIVE),
}, smoke={"widths": (8,), "latent_dim": 4})


def build(hp: ConfigDict, spec: Spec) -> dict[str, Net]:
    """{"enc": image -> (mean, logvar), "dec": latent -> logits, or means}. spec: of images of any size."""
    if len(spec.x) != 3:
        raise UserError(f"model.name='conv_vae': is of images [H,W,C], and the data are {spec.kind.name} {spec.x}; "
                        "choose another model, mlp_vae say")
    style = {"widths": tuple(hp.widths) or widths_of(spec.x, FIRST_WIDTH, MOST_WIDTH), "kernel_size": hp.kernel_size,
             "activation": ACTIVATIONS[hp.activation], "norm_name": hp.norm, "norm_momentum": hp.norm_momentum,
             "norm_eps": hp.norm_eps}
    return {"enc": Net(Encoder(**style, latent_dim=hp.latent_dim), (jax.ShapeDtypeStruct((1, *spec.x), jnp.float32),)),
            "dec": Net(Decoder(**style, image_shape=spec.x), (jax.ShapeDtypeStruct((1, hp.latent_dim), jnp.float32),))}


class Stack(nn.Module):
    """What both nets have in common."""

    widths: tuple[int, ...]  # of the encoder
    kernel_size: int
    activation: Callable
    norm_name: str
    norm_momentum: float
    norm_eps: float

    def convolution(self, kind: type, features: int) -> nn.Module:
        """A Conv or ConvTranspose of stride 2 that halves or doubles a side."""
        return kind(features, (self.kernel_size, self.kernel_size), (2, 2), kernel_init=nn.initializers.he_normal())

    def after(self, h: jax.Array, train: bool) -> jax.Array:
        """h after the norm and the activation."""
        norm = find("layers.norms", self.norm_name).norm
        return self.activation(norm(h, train, self.norm_momentum, self.norm_eps))


class Encoder(Stack):
    """The Gaussian approximation of the posterior over latents."""

    latent_dim: int = 0

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> tuple[jax.Array, jax.Array]:
        """mean, logvar: [B,Z] of images x: [B,H,W,C] in [0,1]."""
        h = 2 * x - 1
        for width in self.widths:
            h = self.after(self.convolution(Conv, width)(h), train)
        mean, logvar = jnp.split(nn.Dense(2 * self.latent_dim, name="posterior")(h.reshape(h.shape[0], -1)), 2, axis=-1)
        return mean, logvar


class Decoder(Stack):
    """What images are like, of latents."""

    image_shape: tuple[int, int, int] = ()

    @nn.compact
    def __call__(self, z: jax.Array, train: bool) -> jax.Array:
        """logits, or means: [B,H,W,C] of latents z: [B,Z]."""
        height, width, channels = self.image_shape
        first = (*start(self.image_shape, len(self.widths)), self.widths[-1])
        h = nn.Dense(prod(first), kernel_init=nn.initializers.he_normal(), name="latents")(z)
        h = self.after(h.reshape(-1, *first), train)
        for features in self.widths[-2::-1]:
            h = self.after(self.convolution(ConvTranspose, features)(h), train)
        return self.convolution(ConvTranspose, channels)(h)[:, :height, :width]
