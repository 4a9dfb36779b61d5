"""What the games of a generator and a discriminator share: net "gen": z -> x, net "disc": x -> logit, x in [-1,1]."""
from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

from gen_jax import images
from gen_jax.models.net import Net, apply
from gen_jax.objectives import terms
from gen_jax.objectives.objective import Batch

OWNS = {"disc": ("disc",), "gen": ("gen",)}  # the players and their nets


def prior(nets: Mapping[str, Net], key: jax.Array, num: int) -> jax.Array:
    """z [num,Z] ~ N(0,I). key: one for all, or key[num]."""
    return terms.normal(key, num, *nets["gen"].inputs[0].shape[1:])


def real(batch: Batch) -> jax.Array:
    """The batch's images [B,H,W,C] in [-1,1]."""
    return images.to_symmetric(images.to_unit(batch.pixels))


def logits(nets: Mapping[str, Net], params, stats, x: jax.Array, key: jax.Array):
    """(logits [B], stats afterwards) of the discriminator in train mode. x: [B,H,W,C] in [-1,1]; key: for dropout."""
    return apply(nets, "disc", params, stats, x, train=True, rngs={"dropout": key})


def measure(nets: Mapping[str, Net], real_loss: Callable, fake_loss: Callable, gen_loss: Callable) -> Callable:
    """An Objective's measure: both players' losses on an image and on a fake of its own noise, both in inference mode.

    real_loss, fake_loss, gen_loss: logits [B] -> [B]. disc_loss is the mean of the discriminator's two; real and fake
    are its probabilities of being real, D(x) and D(G(z)); accuracy, the share of both that it sees through.
    """
    def terms_of(params, stats, batch: Batch, keys) -> dict[str, jax.Array]:
        fake, _ = apply(nets, "gen", params, stats, prior(nets, keys, len(batch.pixels)), train=False)
        on_real, on_fake = (apply(nets, "disc", params, stats, x, train=False)[0] for x in (real(batch), fake))
        right = jnp.stack([on_real > 0, on_fake < 0])
        return {"disc_loss": (real_loss(on_real) + fake_loss(on_fake)) / 2, "gen_loss": gen_loss(on_fake),
                "real": jax.nn.sigmoid(on_real), "fake": jax.nn.sigmoid(on_fake),
                "accuracy": right.astype(jnp.float32).mean(0)}
    return terms_of


def predict(nets: Mapping[str, Net]) -> dict[str, Callable]:
    """An Objective's predict: prior (key, num -> z), decode (z -> x), discriminate (x -> logits); x in [0,1]."""
    def decode(params, stats, z):
        return images.from_symmetric(apply(nets, "gen", params, stats, z, train=False)[0])

    def discriminate(params, stats, x):
        return apply(nets, "disc", params, stats, images.to_symmetric(x), train=False)[0]
    return {"prior": lambda params, stats, key, num: prior(nets, key, num), "decode": decode,
            "discriminate": discriminate}
