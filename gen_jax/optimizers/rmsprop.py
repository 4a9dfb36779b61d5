"""RMSprop as Keras has it: epsilon under the root, and a mean square that starts at 0."""
import optax
from ml_collections import ConfigDict

from gen_jax.optimizers._shared import SETTINGS, assemble
from gen_jax.settings import POSITIVE, Setting, Settings, share

hp = Settings(__name__, {
    **SETTINGS,
    "decay": Setting(0.9, "decay of the mean squared gradient (Keras: rho)", share()),
    "eps": Setting(1e-7, "added under the root", POSITIVE),
    "momentum": Setting(0.0, "of the steps", share()),
})


def build(hp: ConfigDict, total_steps: int) -> optax.GradientTransformation:
    """The optimizer of one player. total_steps: of the run, over which the learning rate is scheduled."""
    return assemble(lambda lr: optax.rmsprop(lr, hp.decay, hp.eps, eps_in_sqrt=True, momentum=hp.momentum or None),
                    hp, total_steps)
