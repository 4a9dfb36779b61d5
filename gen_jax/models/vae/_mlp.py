"""What the fully connected models share: the dense layer, the hidden stack, the decoder, and their style."""
from collections.abc import Callable
from math import prod

import jax
import jax.numpy as jnp
from flax import linen as nn
from ml_collections import ConfigDict

from gen_jax.settings import Setting, at_least, each, one_of
from gen_jax.types import Net, Spec

ACTIVATIONS = {"relu": nn.relu, "tanh": nn.tanh, "leaky_relu": nn.leaky_relu, "gelu": nn.gelu, "silu": nn.silu,
               "elu": nn.elu}
KERNEL_INITS = {"glorot_uniform": nn.initializers.glorot_uniform(), "he_normal": nn.initializers.he_normal(),
                "he_uniform": nn.initializers.he_uniform(), "lecun_normal": nn.initializers.lecun_normal()}

SETTINGS = {
    "widths": Setting((256,), "units of each hidden layer of the encoder; the decoder has them in reverse", each()),
    "latent_dim": Setting(2, "latents", at_least(1)),
    "latent_gain": Setting(1.0, "the decoder's first kernel starts this many times as large", at_least(0)),
    "latent_folds": Setting(0.0, "and its biases spread this many standard deviations of the prior to both sides of 0",
                            at_least(0)),
    "activation": Setting("relu", ", ".join(ACTIVATIONS), one_of(*ACTIVATIONS)),
    "kernel_init": Setting("glorot_uniform", "glorot_uniform (Keras's default), he_normal, he_uniform, lecun_normal",
                           one_of(*KERNEL_INITS)),
}


def encoder_decoder(encoder: type[nn.Module], hp: ConfigDict, spec: Spec) -> dict[str, Net]:
    """{"enc": an `encoder`, "dec": a Decoder with the same widths in reverse}.

    hp: of SETTINGS. x may have any shape.
    """
    style = {"activation": ACTIVATIONS[hp.activation], "kernel_init": KERNEL_INITS[hp.kernel_init]}
    x = jax.ShapeDtypeStruct((1, *spec.x), jnp.float32)
    latent = jax.ShapeDtypeStruct((1, hp.latent_dim), jnp.float32)
    decoder = Decoder(tuple(hp.widths)[::-1], spec.x, hp.latent_gain, hp.latent_folds, **style)
    return {"enc": Net(encoder(tuple(hp.widths), hp.latent_dim, **style), (x,)), "dec": Net(decoder, (latent,))}


def hidden(h: jax.Array, widths: tuple[int, ...], activation: Callable, kernel_init: Callable) -> jax.Array:
    """The hidden layers' output [B,widths[-1]]; called inside a module's compact method. h: [B,*]."""
    for i, width in enumerate(widths):
        h = activation(nn.Dense(width, kernel_init=kernel_init, name=f"hidden{i}")(h))
    return h


class Decoder(nn.Module):
    """What x is like, of latents.

    A ReLU of a few latents is a fold along a line, and with biases of 0 all folds of the first layer meet in one point.
    latent_folds draws them from a strip of that half-width instead, in standard deviations of the prior, and
    latent_gain makes them steeper: together worth over 1 nat with 2 latents. At 0 and 1 the layer is as any other.
    """

    widths: tuple[int, ...]
    shape: tuple[int, ...]  # of one x
    latent_gain: float
    latent_folds: float
    activation: Callable
    kernel_init: Callable

    @nn.compact
    def __call__(self, z: jax.Array, train: bool) -> jax.Array:
        """logits, or means: [B,*shape] of latents z: [B,Z]."""
        first = nn.Dense(self.widths[0], kernel_init=self._steep, bias_init=self._spread, name="latents")
        h = hidden(self.activation(first(z)), self.widths[1:], self.activation, self.kernel_init)
        logits = WideDense(prod(self.shape), self.kernel_init, name="logits")(h)
        return logits.reshape(z.shape[0], *self.shape)

    def _steep(self, key, shape, dtype=jnp.float32):
        return self.latent_gain * self.kernel_init(key, shape, dtype)

    def _spread(self, key, shape, dtype=jnp.float32):
        return self.latent_gain * self.latent_folds * jax.random.uniform(key, shape, dtype, -1, 1)


class WideDense(nn.Module):
    """A dense layer with more outputs than inputs.

    Its kernel is stored [outputs, inputs], the other way round than nn.Dense's: so XLA's CPU products are faster in all
    three directions, together by 5% of a small VAE's step.
    """

    features: int
    kernel_init: Callable  # for the shape (inputs, outputs), as everywhere

    @nn.compact
    def __call__(self, h: jax.Array) -> jax.Array:
        """[B,features] of h: [B,inputs]."""
        kernel = self.param("kernel", lambda key, *shape: self.kernel_init(key, shape).T, h.shape[-1], self.features)
        bias = self.param("bias", nn.initializers.zeros, (self.features,))
        return jax.lax.dot_general(h, kernel, (((1,), (1,)), ((), ()))) + bias[None]
