"""A conditional VQ-VAE's nets: encoder, a codebook that follows the codes by averages, a decoder that sees labels."""
import jax
import jax.numpy as jnp
from flax import linen as nn

from gen_jax.settings import Setting, Settings, at_least
from gen_jax.types import Net

hp = Settings(__name__, {
    "entries": Setting(8, "vectors in the codebook", at_least(2)),
    "width": Setting(4, "of a vector", at_least(1)),
    "decay": Setting(0.9, "of the codebook's averages, per step"),
})


def build(hp, spec):
    """{"enc": x -> vectors [B,4,width], "book": vectors -> (codes, nearest), "dec": vectors, label -> logits}."""
    x, codes = jax.ShapeDtypeStruct((1, *spec.x), jnp.float32), jax.ShapeDtypeStruct((1, 4, hp.width), jnp.float32)
    return {"enc": Net(Encoder(hp.width), (x,)), "book": Net(Book(hp.entries, hp.width, hp.decay), (codes,)),
            "dec": Net(Decoder(spec.x, len(spec.names["label"])), (codes,), {"label": spec.given["label"]})}


class Encoder(nn.Module):
    width: int

    @nn.compact
    def __call__(self, x, train):
        return nn.Dense(4 * self.width)(x.reshape(x.shape[0], -1)).reshape(-1, 4, self.width)


class Book(nn.Module):
    entries: int
    width: int
    decay: float

    def setup(self):
        start = nn.initializers.normal(1.0)
        self.vectors = self.variable("codebook", "vectors", lambda: start(self.make_rng("params"),
                                                                          (self.entries, self.width)))
        self.used = self.variable("codebook", "used", lambda: jnp.zeros(self.entries, jnp.int32))
        self.alive = self.variable("codebook", "alive", lambda: jnp.zeros(self.entries, bool))

    def __call__(self, h, train):
        codes = jnp.square(h[:, :, None] - self.vectors.value[None, None]).sum(-1).argmin(-1)
        if train:
            hits = jax.nn.one_hot(codes.ravel(), self.entries)
            mean = hits.T @ h.reshape(-1, self.width) / jnp.maximum(hits.sum(0), 1)[:, None]
            hit = hits.sum(0)[:, None] > 0
            moved = self.decay * self.vectors.value + (1 - self.decay) * mean
            self.vectors.value = jax.lax.stop_gradient(jnp.where(hit, moved, self.vectors.value))
            self.used.value += hits.sum(0).astype(jnp.int32)
            self.alive.value |= hit[:, 0]
        return codes, self.vectors.value[codes]

    def look_up(self, codes, train):
        return self.vectors.value[codes]


class Decoder(nn.Module):
    shape: tuple
    num_classes: int

    @nn.compact
    def __call__(self, h, label, train):
        h = jnp.concatenate([h.reshape(h.shape[0], -1), jax.nn.one_hot(label, self.num_classes)], -1)
        height, width, channels = self.shape
        return nn.Dense(height * width * channels)(h).reshape(-1, *self.shape)
