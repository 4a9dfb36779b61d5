"""What the games of a generator and a discriminator share: net "gen": z -> x, net "disc": x -> logit.

x is in the generator's range of its kind: images in [-1,1]. Nets that take a "label" get the batch's.
"""
from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp

from gen_jax import net
from gen_jax.terms import noise
from gen_jax.terms.losses import AdversarialLoss
from gen_jax.types import Batch, Given, Kind, Metric, Net, PyTree, Vars

OWNS = {"disc": ("disc",), "gen": ("gen",)}  # the players and their nets


class Game(NamedTuple):
    """Nets "gen" and "disc" on data of one kind."""

    nets: Mapping[str, Net]
    kind: Kind

    def sample_prior(self, key: jax.Array, num: int) -> jax.Array:
        """z [num,Z] ~ N(0,I). key: one for all, or key[num]."""
        return noise.normal(key, num, *self.nets["gen"].inputs[0].shape[1:])

    def generate(self, vars: Vars, z: jax.Array, given: Given, train: bool) -> tuple[jax.Array, dict[str, PyTree]]:
        """(fakes [B,...], state afterwards) of latents z [B,Z]."""
        return net.apply(self.nets, "gen", vars, z, given=given, train=train)

    def logits(self, vars: Vars, x: jax.Array, given: Given, key: jax.Array) -> tuple[jax.Array, dict[str, PyTree]]:
        """(logits [B], state afterwards) of the discriminator in train mode. key: for dropout."""
        return net.apply(self.nets, "disc", vars, x, given=given, train=True, rngs={"dropout": key})

    def features(self, vars: Vars, x: jax.Array, given: Given, key: jax.Array) -> PyTree:
        """What the discriminator shows of its inside, in train mode. key: for dropout."""
        return net.features(self.nets, "disc", vars, x, given=given, train=True, rngs={"dropout": key})

    def judge(self, vars: Vars, x: jax.Array, given: Given) -> jax.Array:
        """logits [B] of the discriminator in inference mode."""
        return net.apply(self.nets, "disc", vars, x, given=given, train=False)[0]


def metrics(unit: str) -> dict[str, Metric]:
    """What the terms of such a game are. unit: of its losses."""
    players = ("disc/", "gen/", "")
    weighed = ("loss", "label_smoothing")
    return {"*/loss": Metric(unit, of="train", depends=weighed), "*_loss": Metric(unit, depends=weighed),
            "accuracy": Metric("share that the discriminator sees through"),
            **{f"{player}{term}": Metric(meaning, of="train") for player in players
               for term, meaning in (("real", "probability of being real"), ("fake", "probability of being real"),
                                     ("real_logit", "logit"), ("fake_logit", "logit"))}}


def measure(game: Game, loss: AdversarialLoss) -> Callable:
    """An Objective's measure: both players' losses on an example and on a fake of its own noise, in inference mode.

    real and fake are D(x) and D(G(z)), the discriminator's probabilities of being real; real_logit and fake_logit where
    the loss gives no probabilities. accuracy: the share of both that it sees through.
    """
    def terms_of(vars: Vars, batch: Batch, keys: jax.Array) -> dict[str, jax.Array]:
        fake, _ = game.generate(vars, game.sample_prior(keys, batch.x.shape[0]), batch.given, train=False)
        on_real, on_fake = (game.judge(vars, x, batch.given) for x in (game.kind.to_generator(batch.x), fake))
        threshold = 0.0 if loss.probability else (on_real + on_fake) / 2
        right = jnp.stack([on_real > threshold, on_fake < threshold])
        return {"disc_loss": loss.disc(on_real, on_fake), "gen_loss": loss.gen(on_fake, on_real),
                **seen_as(loss, real=on_real, fake=on_fake), "accuracy": right.astype(jnp.float32).mean(0)}
    return terms_of


def seen_as(loss: AdversarialLoss, **logits: jax.Array) -> dict[str, jax.Array]:
    """For each of the logits by name, the probability of being real, or the logit itself where that is none."""
    if loss.probability:
        return {name: jax.nn.sigmoid(values) for name, values in logits.items()}
    return {f"{name}_logit": values for name, values in logits.items()}


def predict(game: Game, loss: AdversarialLoss) -> dict[str, Callable]:
    """An Objective's predict.

    sample_prior, decode: see evals/_trained.py. discriminate (x -> logits [B]); descent (x -> [B,...], the direction in
    which each x, taken for a fake, lowers the generator's loss).
    """
    def decode(vars: Vars, z: jax.Array, given: Given) -> jax.Array:
        return game.kind.from_generator(game.generate(vars, z, given, train=False)[0])

    def discriminate(vars: Vars, x: jax.Array, given: Given) -> jax.Array:
        return game.judge(vars, game.kind.to_generator(x), given)

    def descent(vars: Vars, x: jax.Array, given: Given) -> jax.Array:
        def total(x):
            logits = discriminate(vars, x, given)
            return loss.gen(logits, jax.lax.stop_gradient(logits)).sum()
        return -jax.grad(total)(x)
    return {"sample_prior": lambda vars, key, num, given: game.sample_prior(key, num), "decode": decode,
            "discriminate": discriminate, "descent": descent}
