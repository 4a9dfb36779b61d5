"""The book chapter's game, in three moves a step.

That of Goodfellow et al., "Generative Adversarial Nets", 2014 (arXiv:1406.2661), with the generator's non-saturating
loss and one-sided label smoothing s (Salimans et al., arXiv:1606.03498):

1. disc on a real batch:  -(1 - s) log D(x) - s log(1 - D(x)),
2. disc on a fake batch:  -log(1 - D(G(z))), G in inference mode,
3. gen:                   -log D(G(z)), through the discriminator as move 2 has left it.

Moves 2 and 3 see the same z, drawn from the step's key; dropout draws from each move's own. BatchNorm sees each batch
alone, never real and fake ones together: the discriminator's at every move (what move 3 would make of its running
statistics is dropped), the generator's at move 3.
"""
from collections.abc import Iterator, Mapping

import jax
from ml_collections import ConfigDict

from gen_jax.models.net import Net, apply
from gen_jax.objectives import adversarial
from gen_jax.objectives.objective import Aux, Batch, Move, Objective
from gen_jax.objectives.terms import bernoulli_nll


def build(nets: Mapping[str, Net], hp: ConfigDict) -> Objective:
    """The objective over nets "gen" and "disc". hp: label_smoothing. measure, predict: see adversarial.py."""
    def real_loss(logits):
        return bernoulli_nll(logits, 0 * logits + (1 - hp.label_smoothing))

    def fake_loss(logits):
        return bernoulli_nll(logits, 0 * logits)

    def gen_loss(logits):
        return bernoulli_nll(logits, 0 * logits + 1)

    def on_real(params, stats, batch: Batch, keys):
        logits, stats = adversarial.logits(nets, params, stats, adversarial.real(batch), keys.move)
        loss = real_loss(logits).mean()
        return loss, Aux({"loss": loss, "real": jax.nn.sigmoid(logits).mean()}, stats)

    def on_fake(params, stats, batch: Batch, keys):
        z = adversarial.prior(nets, keys.step, len(batch.pixels))
        fake, _ = apply(nets, "gen", params, stats, z, train=False)
        logits, stats = adversarial.logits(nets, params, stats, fake, keys.move)
        loss = fake_loss(logits).mean()
        return loss, Aux({"loss": loss, "fake": jax.nn.sigmoid(logits).mean()}, stats)

    def through_disc(params, stats, batch: Batch, keys):
        z = adversarial.prior(nets, keys.step, len(batch.pixels))
        fake, stats = apply(nets, "gen", params, stats, z, train=True)
        logits, _ = adversarial.logits(nets, params, stats, fake, keys.move)
        loss = gen_loss(logits).mean()
        return loss, Aux({"loss": loss, "fake": jax.nn.sigmoid(logits).mean()}, stats)

    return Objective(nets=nets, owns=adversarial.OWNS,
                     moves=(Move("disc", on_real), Move("disc", on_fake), Move("gen", through_disc)),
                     measure=adversarial.measure(nets, real_loss, fake_loss, gen_loss),
                     predict=adversarial.predict(nets))


def faults(hp: ConfigDict) -> Iterator[str]:
    """A line for each value of hp out of range."""
    if not 0 <= hp.label_smoothing < 1:
        yield f"objective.label_smoothing={hp.label_smoothing}: must be at least 0 and below 1"
