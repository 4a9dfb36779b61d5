"""Fully connected generator and discriminator, of data of any shape.

The defaults suit points in the plane. With widths (400, 400, 400, 400) and BatchNorm against (200, 200, 200) of maxout
units (Goodfellow et al., arXiv:1302.4389) of 5 pieces they are the nets of PacGAN's mixtures (Lin et al.,
arXiv:1712.04086).
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
from gen_jax.settings import POSITIVE, Setting, Settings, at_least, between, each, one_of, share
from gen_jax.types import Net, Spec

ACTIVATIONS = {"relu": nn.relu, "leaky_relu": lambda h: nn.leaky_relu(h, 0.2), "silu": nn.silu, "gelu": nn.gelu,
               "tanh": nn.tanh}

hp = Settings(__name__, {
    "latent_dim": Setting(2, "latents", at_least(1)),
    "gen_widths": Setting((128, 128), "units of the generator's hidden layers", each()),
    "disc_widths": Setting((128, 128), "units of the discriminator's hidden layers", each()),
    "gen_activation": Setting("leaky_relu", ", ".join(ACTIVATIONS), one_of(*ACTIVATIONS)),
    "disc_activation": Setting("leaky_relu", ", ".join(ACTIVATIONS), one_of(*ACTIVATIONS)),
    "disc_pieces": Setting(0, "the discriminator's units are maxima of so many linear ones; 0: activations instead",
                           between(0, 1000)),
    "gen_norm": norms.setting("none", "the generator's hidden layers"),
    "disc_norm": norms.setting("none", "the discriminator's hidden layers"),
    "norm_momentum": Setting(0.9, "BatchNorm: share of the running statistics that stays at each step", share()),
    "norm_eps": Setting(1e-5, "norms: added to the variance", POSITIVE),
    "kernel_init": Setting("he_normal", "of the hidden layers: he_normal, lecun_normal, normal (of kernel_std)",
                           one_of("he_normal", "lecun_normal", "normal")),
    "kernel_std": Setting(0.02, "normal: standard deviation of the first weights", POSITIVE),
    "gen_bias": Setting(True, "biases in the generator's hidden layers"),
    "gen_spread": Setting(0.0, "its biases start uniform, up to this far from 0", at_least(0)),
    "disc_spread": Setting(0.0, "the discriminator's biases start uniform, up to this far from 0", at_least(0)),
    "gen_scale": Setting(1.0, "the generator's last layer is multiplied by this", POSITIVE),
    "disc_scale": Setting(1.0, "what the discriminator sees is multiplied by this", POSITIVE),
    "conditional": Setting(False, "both nets see the label"),
}, smoke={"gen_widths": (16,), "disc_widths": (16,)})


def build(hp: ConfigDict, spec: Spec) -> dict[str, Net]:
    """{"gen": latent -> x, "disc": x -> logit}. x is in the generator's range, and images end in a tanh."""
    given = {"label": spec.given.get("label")} if hp.conditional else {}
    if hp.conditional and given["label"] is None:
        raise UserError("model.conditional: the data have no labels; set model.conditional=False")
    kernel_init = {"normal": nn.initializers.normal(hp.kernel_std), "he_normal": nn.initializers.he_normal(),
                   "lecun_normal": nn.initializers.lecun_normal()}[hp.kernel_init]
    style = {"norm_momentum": hp.norm_momentum, "norm_eps": hp.norm_eps, "kernel_init": kernel_init,
             "num_classes": len(spec.names.get("label", ()))}
    gen = Generator(**style, widths=tuple(hp.gen_widths), pieces=0, activation=hp.gen_activation, norm_name=hp.gen_norm,
                    bias=hp.gen_bias, spread=hp.gen_spread, scale=hp.gen_scale, shape=spec.x,
                    bounded=spec.kind.name == "image")
    disc = Discriminator(**style, widths=tuple(hp.disc_widths), pieces=hp.disc_pieces, activation=hp.disc_activation,
                         norm_name=hp.disc_norm, bias=True, spread=hp.disc_spread, scale=hp.disc_scale)
    return {"gen": Net(gen, (jax.ShapeDtypeStruct((1, hp.latent_dim), jnp.float32),), given),
            "disc": Net(disc, (jax.ShapeDtypeStruct((1, *spec.x), jnp.float32),), given)}


class Stack(nn.Module):
    """Hidden layers, and what both nets have in common."""

    widths: tuple[int, ...]
    pieces: int  # of maxout units; 0: activations instead
    activation: str
    norm_name: str
    norm_momentum: float
    norm_eps: float
    kernel_init: Callable
    bias: bool  # in the hidden layers
    spread: float  # biases start uniform, up to this far from 0
    scale: float
    num_classes: int

    def last(self, features: int) -> nn.Module:
        """The last layer, with biases of 0."""
        return nn.Dense(features, kernel_init=self.kernel_init)

    def hidden(self, h: jax.Array, label: jax.Array | None, train: bool) -> jax.Array:
        """The last hidden layer [B,F] of h [B,...]."""
        h = h.reshape(h.shape[0], -1)
        if label is not None:
            h = jnp.concatenate([h, jax.nn.one_hot(label, self.num_classes)], -1)
        norm = find("layers.norms", self.norm_name).norm
        for width in self.widths:
            h = nn.Dense(width * max(self.pieces, 1), use_bias=self.bias, kernel_init=self.kernel_init,
                         bias_init=self._spread)(h)
            if self.pieces:
                h = h.reshape(-1, self.pieces, width).max(1)
            h = norm(h, train, self.norm_momentum, self.norm_eps)
            h = h if self.pieces else ACTIVATIONS[self.activation](h)
        return h

    def _spread(self, key, shape, dtype=jnp.float32):
        return self.spread * jax.random.uniform(key, shape, dtype, -1, 1)


class Generator(Stack):
    """x of latents."""

    shape: tuple[int, ...] = ()  # of one x
    bounded: bool = False  # x ends in a tanh

    @nn.compact
    def __call__(self, z: jax.Array, label: jax.Array | None = None, train: bool = False) -> jax.Array:
        """x [B,*shape] of latents z [B,Z] ~ N(0,I), and of labels int32 [B] where it is conditional."""
        x = self.last(prod(self.shape))(self.hidden(z, label, train)) * self.scale
        return (jnp.tanh(x) if self.bounded else x).reshape(-1, *self.shape)


class Discriminator(Stack):
    """Logits of being real."""

    @nn.compact
    def __call__(self, x: jax.Array, label: jax.Array | None = None, train: bool = False) -> jax.Array:
        """logits [B] of x [B,...], and of labels int32 [B] where it is conditional."""
        h = self.hidden(x * self.scale, label, train)
        self.sow("intermediates", "features", h)
        return self.last(1)(h)[:, 0]
