"""Adam with decoupled weight decay (Loshchilov & Hutter, arXiv:1711.05101)."""
import optax
from ml_collections import ConfigDict

from gen_jax.optimizers._shared import SETTINGS, assemble
from gen_jax.settings import POSITIVE, Setting, Settings, at_least, share

hp = Settings(__name__, {
    **SETTINGS,
    "b1": Setting(0.9, "decay of the mean gradient", share()),
    "b2": Setting(0.999, "decay of the mean squared gradient", share()),
    "eps": Setting(1e-8, "added to the denominator", POSITIVE),
    "weight_decay": Setting(1e-4, "share of the weights that is taken off at each step, times the learning rate",
                            at_least(0)),
})


def build(hp: ConfigDict, total_steps: int) -> optax.GradientTransformation:
    """The optimizer of one player. total_steps: of the run, over which the learning rate is scheduled."""
    return assemble(lambda lr: optax.adamw(lr, hp.b1, hp.b2, hp.eps, weight_decay=hp.weight_decay), hp, total_steps)
