"""The game of a generator and a discriminator, composed of parts: a loss, penalties, augmentation, extra terms.

With T the augmentation, f the discriminator's logit and L the loss (a file of terms/losses), a step makes the moves

1. disc, disc_steps times:  L_disc(f(T(x)), f(T(G(z)))) + the sum of weight * penalty,
2. gen:                     L_gen(f(T(G(z)))) + the sum of weight * extra.

Each move draws its own z, T and dropout. BatchNorm sees each batch alone, never real examples and fakes together; G is
in train mode in both moves, and only the mover's state stays. <player>/loss is what is differentiated; each penalty and
extra term has its own line, without its weight. Where D has BatchNorm, as models/gan/dcgan.py does, an example's slope
has in it what the example does to the other logits of its batch.
"""
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from gen_jax.find import find, names
from gen_jax.objectives import _adversarial
from gen_jax.objectives._adversarial import Game, seen_as
from gen_jax.settings import Must, Setting, Settings, between
from gen_jax.terms import augment as augmentation
from gen_jax.terms.penalties import weight
from gen_jax.types import Aux, Batch, Metric, Move, MoveKeys, Net, Objective, Spec, Vars

hp = Settings(__name__, {
    "loss": Setting("logistic", "the adversarial loss: a file of gen_jax/terms/losses",
                    Must(lambda name: name in names("terms.losses"), "a file of gen_jax/terms/losses")),
    "augment": augmentation.SETTING,
    "penalties": Setting({}, "of the discriminator, by name, each with its settings", room="terms.penalties"),
    "extras": Setting({}, "further terms, by name, each with its settings", room="terms.extras"),
    "disc_steps": Setting(1, "moves of the discriminator to one of the generator", between(1, 100)),
    "fresh_batches": Setting(False, "each of the discriminator's moves sees a batch of its own"),
    "simultaneous": Setting(False, "the generator answers the discriminator as it was before its last move"),
})


def metrics(hp: ConfigDict) -> dict[str, Metric]:
    """What the game's terms are."""
    return _adversarial.metrics(find("terms.losses", hp.loss).LOSS.unit)


def build(nets: Mapping[str, Net], hp: ConfigDict, spec: Spec) -> Objective:
    """The objective over nets "gen" and "disc". measure, predict: see _adversarial.py."""
    game, loss = Game(nets, spec.kind), find("terms.losses", hp.loss).LOSS
    augment = augmentation.chain(hp.augment, spec.x)
    penalties = {name: (find("terms.penalties", name).penalty, own) for name, own in hp.penalties.items()}
    extras = {name: (find("terms.extras", name), own) for name, own in hp.extras.items()}

    def disc(vars: Vars, batch: Batch, keys: MoveKeys):
        z_key, real_key, fake_key, real_dropout, fake_dropout, *more = jax.random.split(keys.move, 5 + bool(penalties))
        x, given = spec.kind.to_generator(batch.x), batch.given
        real, state = game.logits(vars, augment(x, real_key), given, real_dropout)
        fake, _ = game.generate(vars, game.sample_prior(z_key, x.shape[0]), given, train=True)
        fake_logits, state = game.logits(vars.replace(state=state), augment(fake, fake_key), given, fake_dropout)
        total = loss.disc(real, fake_logits).mean()

        def critic(x):
            return game.logits(vars, augment(x, real_key), given, real_dropout)[0]
        report = {}
        for i, (name, (penalty, own)) in enumerate(penalties.items()):
            report[name] = penalty(critic, x, fake, jax.random.fold_in(more[0], i), own).mean()
            total += weight(own, keys.done) * report[name]
        return total, Aux({"loss": total, **_means(seen_as(loss, real=real, fake=fake_logits)), **report}, state)

    def gen(vars: Vars, batch: Batch, keys: MoveKeys):
        z_key, augment_key, dropout_key, *more = jax.random.split(keys.move, 3 + bool(loss.pairs or extras))
        x, given = spec.kind.to_generator(batch.x), batch.given
        fake, state = game.generate(vars, game.sample_prior(z_key, batch.x.shape[0]), given, train=True)
        fake_logits, _ = game.logits(vars, augment(fake, augment_key), given, dropout_key)
        real = game.logits(vars, augment(x, more[0]), given, dropout_key)[0] if loss.pairs else None
        total, report = loss.gen(fake_logits, real).mean(), {}
        for i, (name, (module, own)) in enumerate(extras.items()):
            key = jax.random.fold_in(more[0], i + 1)
            report[name] = jnp.mean(module.extra(game, vars, Batch(x, given), fake, key, own))
            total += own.weight * report[name]
        return total, Aux({"loss": total, **_means(seen_as(loss, fake=fake_logits)), **report}, state)

    last = hp.disc_steps - 1
    disc_moves = [Move("disc", disc, batch=i if hp.fresh_batches else 0) for i in range(hp.disc_steps)]
    gen_move = Move("gen", gen, batch=last if hp.fresh_batches else 0, together=hp.simultaneous)
    return Objective(nets=nets, owns=_adversarial.OWNS, moves=(*disc_moves, gen_move),
                     measure=_adversarial.measure(game, loss), predict=_adversarial.predict(game, loss))


def _means(terms: dict[str, jax.Array]) -> dict[str, jax.Array]:
    return {name: values.mean() for name, values in terms.items()}
