"""The book chapter's game, in three moves a step.

That of Goodfellow et al., "Generative Adversarial Nets", 2014 (arXiv:1406.2661), with the generator's non-saturating
loss and one-sided label smoothing s (Salimans et al., arXiv:1606.03498):

1. disc on a real batch:  -(1 - s) log D(x) - s log(1 - D(x)),
2. disc on a fake batch:  -log(1 - D(G(z))), G in inference mode,
3. gen:                   -log D(G(z)), through the discriminator as move 2 has left it.

Moves 2 and 3 see the same z, drawn from the step's key; dropout draws from each move's own. BatchNorm sees each batch
alone, never real and fake ones together: the discriminator's at every move (what move 3 would make of its running
statistics is dropped), the generator's at move 3. disc/loss and test/disc_loss are the mean of moves 1 and 2.
"""
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from gen_jax.objectives import _adversarial
from gen_jax.objectives._adversarial import Game
from gen_jax.settings import Setting, Settings, share
from gen_jax.terms.densities import bernoulli_nll
from gen_jax.terms.losses import AdversarialLoss
from gen_jax.types import Aux, Batch, Move, MoveKeys, Net, Objective, Spec, Vars

METRICS = _adversarial.metrics("nats per example")

hp = Settings(__name__, {
    "label_smoothing": Setting(0.1, "the discriminator's target for real examples is 1 less this", share()),
})


def build(nets: Mapping[str, Net], hp: ConfigDict, spec: Spec) -> Objective:
    """The objective over nets "gen" and "disc". measure, predict: see _adversarial.py."""
    game = Game(nets, spec.kind)

    def real_loss(logits):
        return bernoulli_nll(logits, jnp.full_like(logits, 1 - hp.label_smoothing))

    def fake_loss(logits):
        return bernoulli_nll(logits, jnp.zeros_like(logits))

    def gen_loss(logits):
        return bernoulli_nll(logits, jnp.ones_like(logits))

    def on_real(vars: Vars, batch: Batch, keys: MoveKeys):
        logits, state = game.logits(vars, spec.kind.to_generator(batch.x), batch.given, keys.move)
        loss = real_loss(logits).mean()
        return loss, Aux({"loss": loss, "real": jax.nn.sigmoid(logits).mean()}, state)

    def on_fake(vars: Vars, batch: Batch, keys: MoveKeys):
        fake, _ = game.generate(vars, game.sample_prior(keys.step, batch.x.shape[0]), batch.given, train=False)
        logits, state = game.logits(vars, fake, batch.given, keys.move)
        loss = fake_loss(logits).mean()
        return loss, Aux({"loss": loss, "fake": jax.nn.sigmoid(logits).mean()}, state)

    def through_disc(vars: Vars, batch: Batch, keys: MoveKeys):
        fake, state = game.generate(vars, game.sample_prior(keys.step, batch.x.shape[0]), batch.given, train=True)
        logits, _ = game.logits(vars.replace(state=state), fake, batch.given, keys.move)
        loss = gen_loss(logits).mean()
        return loss, Aux({"loss": loss, "fake": jax.nn.sigmoid(logits).mean()}, state)

    loss = AdversarialLoss(disc=lambda real, fake: (real_loss(real) + fake_loss(fake)) / 2,
                           gen=lambda fake, real: gen_loss(fake))
    return Objective(nets=nets, owns=_adversarial.OWNS,
                     moves=(Move("disc", on_real), Move("disc", on_fake), Move("gen", through_disc)),
                     measure=_adversarial.measure(game, loss), predict=_adversarial.predict(game, loss))
