"""AC-GAN (Odena, Olah & Shlens, arXiv:1610.09585): both players also want the discriminator to name the class."""
import jax
import optax

from gen_jax.find import find
from gen_jax.net import apply
from gen_jax.settings import Setting, Settings
from gen_jax.terms import noise
from gen_jax.types import Aux, Move, Objective

hp = Settings(__name__, {"loss": Setting("logistic", "the adversarial loss"), "weight": Setting(1.0, "of the classes")})
naming = optax.softmax_cross_entropy_with_integer_labels


def build(nets, hp, spec):
    """The objective over nets "gen" and "disc"."""
    adversarial, kind = find("terms.losses", hp.loss).LOSS, spec.kind

    def prior(vars, key, num, given):
        return noise.normal(key, num, *nets["gen"].inputs[0].shape[1:])

    def both(vars, batch, key, train):
        z, label = prior(vars, key, batch.x.shape[0], batch.given), batch.given["label"]
        fake, gen_state = apply(nets, "gen", vars, z, given=batch.given, train=train)
        (on_real, real_classes), _ = apply(nets, "disc", vars, kind.to_generator(batch.x), given={}, train=train)
        (on_fake, fake_classes), _ = apply(nets, "disc", vars, fake, given={}, train=train)
        named, fake_named = naming(real_classes, label), naming(fake_classes, label)
        return {"disc_loss": adversarial.disc(on_real, on_fake) + hp.weight * (named + fake_named),
                "gen_loss": adversarial.gen(on_fake, on_real) + hp.weight * fake_named, "named": named,
                "real": jax.nn.sigmoid(on_real), "fake": jax.nn.sigmoid(on_fake)}, gen_state

    def move(player):
        def loss(vars, batch, keys):
            terms, state = both(vars, batch, keys.move, True)
            value = terms[f"{player}_loss"].mean()
            return value, Aux({"loss": value, "named": terms["named"].mean()}, state)
        return Move(player, loss)

    def decode(vars, z, given):
        return kind.from_generator(apply(nets, "gen", vars, z, given=given, train=False)[0])
    return Objective(nets, {"disc": ("disc",), "gen": ("gen",)}, (move("disc"), move("gen")),
                     lambda vars, batch, keys: both(vars, batch, keys, False)[0],
                     {"sample_prior": prior, "decode": decode}, given=("label",))
