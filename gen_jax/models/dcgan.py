"""The deep convolutional GAN: a generator of transposed convolutions against a discriminator of strided ones.

Radford, Metz & Chintala, arXiv:1511.06434. With the defaults of configs/base.py and 32x32x3 images they are the book
chapter's nets: 100 latents -> 4x4x192 -> 8x8x256 -> 16x16x128 -> 32x32x3, and 64, 128, 256 channels back to one logit.
"""
from collections.abc import Iterator
from math import prod

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from gen_jax.models.conv import Conv, ConvTranspose
from gen_jax.models.net import Net


def build(hp: ConfigDict, image_shape: tuple[int, int, int]) -> dict[str, Net]:
    """{"gen": latent -> image in [-1,1], "disc": image in [-1,1] -> logit}.

    hp: latent_dim, gen_widths, disc_widths, kernel_size, slope, dropout, norm_momentum, norm_eps, conv_std, bias.
    image_shape: (H, W, C), any; the generator starts from H / 2**len(gen_widths), rounded up, and cuts what is over.
    """
    style = {"kernel_size": hp.kernel_size, "slope": hp.slope, "norm_momentum": hp.norm_momentum,
             "norm_eps": hp.norm_eps, "conv_std": hp.conv_std, "bias": hp.bias}
    generator = Generator(widths=tuple(hp.gen_widths), image_shape=image_shape, **style)
    discriminator = Discriminator(widths=tuple(hp.disc_widths), dropout=hp.dropout, **style)
    return {"gen": Net(generator, (jax.ShapeDtypeStruct((1, hp.latent_dim), jnp.float32),)),
            "disc": Net(discriminator, (jax.ShapeDtypeStruct((1, *image_shape), jnp.float32),))}


def faults(hp: ConfigDict) -> Iterator[str]:
    """A line for each value of hp out of range."""
    for key in ("gen_widths", "disc_widths"):
        if not hp[key] or not all(isinstance(n, int) and n > 0 for n in hp[key]):
            yield f"model.{key}={hp[key]!r}: must be positive whole numbers, as in (64,128) or (256,)"
    for key in ("latent_dim", "kernel_size"):
        if hp[key] < 1:
            yield f"model.{key}={hp[key]}: must be 1 or more"
    for key in ("dropout", "norm_momentum"):
        if not 0 <= hp[key] < 1:
            yield f"model.{key}={hp[key]}: must be at least 0 and below 1"
    for key in ("norm_eps", "conv_std"):
        if hp[key] <= 0:
            yield f"model.{key}={hp[key]}: must be positive"


class Style(nn.Module):
    """What both nets have in common."""

    kernel_size: int
    slope: float  # of LeakyReLU below 0
    norm_momentum: float  # BatchNorm: share of the running statistics that stays at each step
    norm_eps: float
    conv_std: float  # convolution kernels start N(0, conv_std); dense ones are Glorot-uniform, as Keras has them
    bias: bool  # biases also in front of BatchNorm, where they have no effect but that Adam moves them

    def activation(self, h: jax.Array) -> jax.Array:
        return nn.leaky_relu(h, self.slope)

    def norm(self, h: jax.Array, train: bool) -> jax.Array:
        """BatchNorm over all axes but the last."""
        return nn.BatchNorm(not train, momentum=self.norm_momentum, epsilon=self.norm_eps)(h)

    def convolution(self, kind: type, features: int, bias: bool) -> nn.Module:
        """A Conv or ConvTranspose of stride 2 that halves or doubles a side."""
        return kind(features, (self.kernel_size, self.kernel_size), (2, 2), use_bias=bias,
                    kernel_init=nn.initializers.normal(self.conv_std))


class Generator(Style):
    """Images of latents."""

    widths: tuple[int, ...] = ()  # channels of the dense layer's image, then of each convolution but the last
    image_shape: tuple[int, int, int] = ()

    @nn.compact
    def __call__(self, z: jax.Array, train: bool) -> jax.Array:
        """x: [B,H,W,C] in [-1,1] of latents z: [B,Z] ~ N(0,I)."""
        height, width, channels = self.image_shape
        start = [-(-size // 2 ** len(self.widths)) for size in (height, width)]
        h = nn.Dense(prod(start) * self.widths[0], use_bias=self.bias, kernel_init=nn.initializers.glorot_uniform())(z)
        h = self.activation(self.norm(h.reshape(-1, *start, self.widths[0]), train))
        for features in self.widths[1:]:
            h = self.activation(self.norm(self.convolution(ConvTranspose, features, self.bias)(h), train))
        return jnp.tanh(self.convolution(ConvTranspose, channels, bias=True)(h)[:, :height, :width])


class Discriminator(Style):
    """Logits of images being real."""

    widths: tuple[int, ...] = ()  # channels of each convolution; the first has no BatchNorm
    dropout: float = 0.0  # in front of the logit

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """logits: [B] of images x: [B,H,W,C] in [-1,1]. In train mode it draws from rngs["dropout"]."""
        h = self.activation(self.convolution(Conv, self.widths[0], bias=True)(x))
        for features in self.widths[1:]:
            h = self.activation(self.norm(self.convolution(Conv, features, self.bias)(h), train))
        h = nn.Dropout(self.dropout, deterministic=not train)(h.reshape(len(h), -1))
        return nn.Dense(1, kernel_init=nn.initializers.glorot_uniform())(h)[:, 0]
