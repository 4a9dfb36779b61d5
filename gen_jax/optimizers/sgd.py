"""Gradient descent, with momentum where it is asked for."""
import optax
from ml_collections import ConfigDict

from gen_jax.optimizers._shared import SETTINGS, assemble
from gen_jax.settings import Setting, Settings, share

hp = Settings(__name__, {
    **SETTINGS,
    "momentum": Setting(0.0, "of the steps", share()),
})


def build(hp: ConfigDict, total_steps: int) -> optax.GradientTransformation:
    """The optimizer of one player. total_steps: of the run, over which the learning rate is scheduled."""
    return assemble(lambda lr: optax.sgd(lr, hp.momentum or None), hp, total_steps)
