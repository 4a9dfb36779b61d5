"""What optimizers share: learning rate schedules and clipping."""
from collections.abc import Callable

import optax
from ml_collections import ConfigDict

from gen_jax.settings import POSITIVE, Setting, at_least, one_of, share

SETTINGS = {
    "lr": Setting(1e-3, "learning rate at its highest", POSITIVE),
    "schedule": Setting("constant", "constant, linear, cosine: how lr falls to lr * end over the run",
                        one_of("constant", "linear", "cosine")),
    "warmup": Setting(0.0, "share of the run's steps in which lr rises from 0",
                      share("a share of the run, at least 0 and below 1")),
    "end": Setting(0.0, "linear, cosine: last learning rate as a share of lr", at_least(0)),
    "clip_norm": Setting(0.0, "gradients are scaled to at most this global norm; 0: never", at_least(0)),
}


def assemble(rule: Callable, hp: ConfigDict, total_steps: int) -> optax.GradientTransformation:
    """The optimizer of rule: learning rate -> transformation, with hp's schedule, after hp's clipping."""
    optimizer = rule(schedule(hp, total_steps))
    return optax.chain(optax.clip_by_global_norm(hp.clip_norm), optimizer) if hp.clip_norm else optimizer


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
