"""The deep convolutional GAN: a generator of transposed convolutions against a discriminator of strided ones.

Radford, Metz & Chintala, arXiv:1511.06434. With the default settings and 32x32x3 images they are the book
chapter's nets: 100 latents -> 4x4x192 -> 8x8x256 -> 16x16x128 -> 32x32x3, and 64, 128, 256 channels back to one logit.
"""
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
from gen_jax.settings import POSITIVE, Setting, Settings, at_least, between, share
from gen_jax.types import Net, Spec

FIRST_WIDTH = 48  # channels after the discriminator's first halving, where the images' size chooses; then they double
MOST_WIDTH = 384

hp = Settings(__name__, {
    "latent_dim": Setting(100, "latents", at_least(1)),
    "gen_widths": Setting((192, 256, 128), "channels before each of the generator's convolutions, which double a side; "
                          "(): by the size of the images, (192,96,48) for 32x32", WIDTHS),
    "disc_widths": Setting((64, 128, 256), "channels after each of the discriminator's, which halve a side; (): by the "
                           "size of the images, (48,96,192) for 32x32", WIDTHS),
    "kernel_size": Setting(5, "of all convolutions, in pixels", between(1, 255)),
    "slope": Setting(0.2, "of LeakyReLU below 0"),
    "dropout": Setting(0.2, "share of the features in front of the logit that are dropped", share()),
    "gen_norm": norms.setting("batch", "the generator's layers"),
    "disc_norm": norms.setting("batch", "the discriminator's layers but the first"),
    "norm_momentum": Setting(0.8, "BatchNorm: share of the running statistics that stays at each step", share()),
    "norm_eps": Setting(1e-3, "norms: added to the variance", POSITIVE),
    "conv_std": Setting(0.02, "standard deviation of the convolutions' first weights", POSITIVE),
    "bias": Setting(True, "biases in front of norms too, as Keras has them"),
}, smoke={"gen_widths": (16, 16), "disc_widths": (16, 16), "kernel_size": 3})


def build(hp: ConfigDict, spec: Spec) -> dict[str, Net]:
    """{"gen": latent -> image in [-1,1], "disc": image in [-1,1] -> logit}.

    spec: of images of any size; the generator starts from H / 2**len(gen_widths), rounded up, and cuts what is over.
    """
    if len(spec.x) != 3:
        raise UserError(f"model.name='dcgan': is of images [H,W,C], and the data are {spec.kind.name} {spec.x}; choose "
                        "another model")
    chosen = widths_of(spec.x, FIRST_WIDTH, MOST_WIDTH)
    style = {"kernel_size": hp.kernel_size, "slope": hp.slope, "norm_momentum": hp.norm_momentum,
             "norm_eps": hp.norm_eps, "conv_std": hp.conv_std, "bias": hp.bias}
    generator = Generator(widths=tuple(hp.gen_widths) or chosen[::-1], image_shape=spec.x, norm_name=hp.gen_norm,
                          **style)
    discriminator = Discriminator(widths=tuple(hp.disc_widths) or chosen, dropout=hp.dropout,
                                  norm_name=hp.disc_norm, **style)
    return {"gen": Net(generator, (jax.ShapeDtypeStruct((1, hp.latent_dim), jnp.float32),)),
            "disc": Net(discriminator, (jax.ShapeDtypeStruct((1, *spec.x), jnp.float32),))}


class Style(nn.Module):
    """What both nets have in common."""

    kernel_size: int
    slope: float  # of LeakyReLU below 0
    norm_momentum: float  # BatchNorm: share of the running statistics that stays at each step
    norm_eps: float
    conv_std: float  # convolution kernels start N(0, conv_std); dense ones are Glorot-uniform, as Keras has them
    bias: bool  # biases also in front of norms, where they have no effect but that Adam moves them
    norm_name: str

    def activation(self, h: jax.Array) -> jax.Array:
        return nn.leaky_relu(h, self.slope)

    def norm(self, h: jax.Array, train: bool) -> jax.Array:
        """h after the norm."""
        return find("layers.norms", self.norm_name).norm(h, train, self.norm_momentum, self.norm_eps)

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
        first = (*start(self.image_shape, len(self.widths)), self.widths[0])
        h = nn.Dense(prod(first), use_bias=self.bias, kernel_init=nn.initializers.glorot_uniform())(z)
        h = self.activation(self.norm(h.reshape(-1, *first), train))
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
        self.sow("intermediates", "features", h)
        h = nn.Dropout(self.dropout, deterministic=not train)(h.reshape(h.shape[0], -1))
        return nn.Dense(1, kernel_init=nn.initializers.glorot_uniform())(h)[:, 0]
