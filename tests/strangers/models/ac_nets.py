"""An AC-GAN's nets: a generator that sees the label, a discriminator that names it."""
import jax
import jax.numpy as jnp
from flax import linen as nn

from gen_jax.settings import Setting, Settings, at_least
from gen_jax.types import Net

hp = Settings(__name__, {"latent_dim": Setting(4, "latents", at_least(1))})


def build(hp, spec):
    """{"gen": z, label -> x, "disc": x -> (logit, class logits)}."""
    num_classes = len(spec.names["label"])
    return {"gen": Net(Generator(spec.x, num_classes), (jax.ShapeDtypeStruct((1, hp.latent_dim), jnp.float32),),
                       {"label": spec.given["label"]}),
            "disc": Net(Discriminator(num_classes), (jax.ShapeDtypeStruct((1, *spec.x), jnp.float32),))}


class Generator(nn.Module):
    shape: tuple
    num_classes: int

    @nn.compact
    def __call__(self, z, label, train):
        h = jnp.concatenate([z, jax.nn.one_hot(label, self.num_classes)], -1)
        h = nn.relu(nn.BatchNorm(not train)(nn.Dense(32)(h)))
        height, width, channels = self.shape
        return jnp.tanh(nn.Dense(height * width * channels)(h)).reshape(-1, *self.shape)


class Discriminator(nn.Module):
    num_classes: int

    @nn.compact
    def __call__(self, x, train):
        h = nn.leaky_relu(nn.Dense(32)(x.reshape(x.shape[0], -1)), 0.2)
        return nn.Dense(1)(h)[:, 0], nn.Dense(self.num_classes)(h)
