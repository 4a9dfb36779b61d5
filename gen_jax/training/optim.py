"""Optimizers and learning rate schedules from a config: optax's, by name."""
import optax
from ml_collections import ConfigDict


def optimizer(hp: ConfigDict, total_steps: int) -> optax.GradientTransformation:
    """The optimizer of one player. hp: configs/base.py's optimizer section; total_steps: of the run."""
    lr = schedule(hp, total_steps)
    rule = {
        "adam": lambda: optax.adam(lr, hp.b1, hp.b2, hp.eps),
        "adamw": lambda: optax.adamw(lr, hp.b1, hp.b2, hp.eps, weight_decay=hp.weight_decay),
        # Keras adds epsilon under the root, and starts the mean square at 0.
        "rmsprop": lambda: optax.rmsprop(lr, hp.decay, hp.eps, eps_in_sqrt=True, momentum=hp.momentum or None),
        "sgd": lambda: optax.sgd(lr, hp.momentum or None),
    }[hp.name]()
    return optax.chain(optax.clip_by_global_norm(hp.clip_norm), rule) if hp.clip_norm else rule


def schedule(hp: ConfigDict, total_steps: int) -> optax.Schedule | float:
    """The learning rate of each step: a rise from 0 over hp.warmup of the run, then constant, linear or cosine."""
    warmup = round(hp.warmup * total_steps)
    rest = max(total_steps - warmup, 1)
    after = {
        "constant": lambda: optax.constant_schedule(hp.lr),
        "linear": lambda: optax.linear_schedule(hp.lr, hp.lr * hp.end, rest),
        "cosine": lambda: optax.cosine_decay_schedule(hp.lr, rest, hp.end),
    }[hp.schedule]()
    if warmup:
        return optax.join_schedules([optax.linear_schedule(0.0, hp.lr, warmup), after], [warmup])
    return hp.lr if hp.schedule == "constant" else after
