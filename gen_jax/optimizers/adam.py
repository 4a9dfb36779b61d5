"""Adam (Kingma & Ba, arXiv:1412.6980); the defaults are its paper's."""
import optax
from ml_collections import ConfigDict

from gen_jax.optimizers._shared import SETTINGS, assemble
from gen_jax.settings import POSITIVE, Setting, Settings, share

hp = Settings(__name__, {
    **SETTINGS,
    "b1": Setting(0.9, "decay of the mean gradient", share()),
    "b2": Setting(0.999, "decay of the mean squared gradient", share()),
    "eps": Setting(1e-8, "added to the denominator", POSITIVE),
})


def build(hp: ConfigDict, total_steps: int) -> optax.GradientTransformation:
    """The optimizer of one player. total_steps: of the run, over which the learning rate is scheduled."""
    return assemble(lambda lr: optax.adam(lr, hp.b1, hp.b2, hp.eps), hp, total_steps)
