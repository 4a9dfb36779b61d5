"""The game of two moves that GANs play today, with augmentation and R1 penalty where they are asked for.

With T the augmentation (augment.py), f = D's logit, and the loss of Goodfellow et al., 2014 (arXiv:1406.2661), its
generator non-saturating, or the hinge loss (Lim & Ye, arXiv:1705.02894):

            logistic                                       hinge
1. disc:    softplus(-f(T(x))) + softplus(f(T(G(z))))      max(0, 1 - f(T(x))) + max(0, 1 + f(T(G(z))))
2. gen:     softplus(-f(T(G(z))))                          -f(T(G(z)))

plus r1 / 2 * |grad_x f(T(x))|^2 at move 1 (Mescheder, Geiger & Nowozin, arXiv:1801.04406). Where D has BatchNorm, as
models/dcgan.py does, an image's slope has in it what the image does to the other logits of its batch. As held-out
losses are, the reported disc/loss is the mean over real images and fakes, half of the above; the penalty is disc/r1, a
term of its own.

Each move draws its own z, T and dropout; move 1 is made disc_moves times, on the same real images. BatchNorm sees each
batch alone, never real and fake ones together; G is in train mode in both moves, and only the mover's running
statistics stay.
"""
from collections.abc import Iterator, Mapping

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from gen_jax.find import nearest
from gen_jax.models.net import Net, apply
from gen_jax.objectives import adversarial, terms
from gen_jax.objectives import augment as augmentation
from gen_jax.objectives.objective import Aux, Batch, Move, Objective

LOSSES = {  # of logits [B], each [B]: on real images, on fakes, and the generator's
    "logistic": (lambda f: jax.nn.softplus(-f), jax.nn.softplus, lambda f: jax.nn.softplus(-f)),
    "hinge": (lambda f: jax.nn.relu(1 - f), lambda f: jax.nn.relu(1 + f), lambda f: -f),
}


def build(nets: Mapping[str, Net], hp: ConfigDict) -> Objective:
    """The objective over nets "gen" and "disc".

    hp: loss, augment, r1, disc_moves. measure, predict: see adversarial.py.
    """
    real_loss, fake_loss, gen_loss = LOSSES[hp.loss]
    augment = augmentation.augment(hp.augment)

    def fake(params, stats, num, key):
        """(a batch of fakes, stats afterwards)."""
        return apply(nets, "gen", params, stats, adversarial.prior(nets, key, num), train=True)

    def disc(params, stats, batch: Batch, keys):
        z_key, real_key, fake_key, real_dropout, fake_dropout = jax.random.split(keys.move, 5)

        def on_real(x):
            logits, after = adversarial.logits(nets, params, stats, augment(x, real_key), real_dropout)
            return logits.sum(), (logits, after)
        x = adversarial.real(batch)
        if hp.r1:
            slope, (real, after) = jax.grad(on_real, has_aux=True)(x)
            penalty = terms.sum_features(jnp.square(slope)).mean()
        else:
            _, (real, after) = on_real(x)
            penalty = jnp.float32(0)
        made, _ = fake(params, stats, len(x), z_key)
        judged, after = adversarial.logits(nets, params, after, augment(made, fake_key), fake_dropout)
        loss = (real_loss(real) + fake_loss(judged)).mean()
        report = {"loss": loss / 2, "real": jax.nn.sigmoid(real).mean(), "fake": jax.nn.sigmoid(judged).mean()}
        return loss + hp.r1 / 2 * penalty, Aux({**report, "r1": penalty} if hp.r1 else report, after)

    def gen(params, stats, batch: Batch, keys):
        z_key, augment_key, dropout_key = jax.random.split(keys.move, 3)
        made, stats = fake(params, stats, len(batch.pixels), z_key)
        judged, _ = adversarial.logits(nets, params, stats, augment(made, augment_key), dropout_key)
        loss = gen_loss(judged).mean()
        return loss, Aux({"loss": loss, "fake": jax.nn.sigmoid(judged).mean()}, stats)

    return Objective(nets=nets, owns=adversarial.OWNS,
                     moves=(*[Move("disc", disc)] * hp.disc_moves, Move("gen", gen)),
                     measure=adversarial.measure(nets, real_loss, fake_loss, gen_loss),
                     predict=adversarial.predict(nets))


def faults(hp: ConfigDict) -> Iterator[str]:
    """A line for each value of hp out of range."""
    if hp.loss not in LOSSES:
        yield f"objective.loss={hp.loss!r}: there is no such loss{nearest(hp.loss, sorted(LOSSES))}"
    if hp.disc_moves < 1:
        yield f"objective.disc_moves={hp.disc_moves}: must be 1 or more"
    if hp.r1 < 0:
        yield f"objective.r1={hp.r1}: must be 0 or more"
    yield from augmentation.faults(hp.augment)
