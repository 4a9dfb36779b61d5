"""What every experiment has. Its parts have their settings beside their code.

`python launch.py --config=configs/x.py --help` prints every key of a config with its meaning; so does --mode=dry.
"""
from ml_collections import ConfigDict

from gen_jax.config import RUN
from gen_jax.data import digits, kind, made_up
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.parts import complete, parts


def get_config() -> ConfigDict:
    """The embedded digits; the model, the objective, and an optimizer for each of its players are to be added."""
    config = ConfigDict({"seed": 0, "data": digits.hp(), "model": {}, "objective": {}, "optim": {}})
    config.update({name: ConfigDict(settings.values()) for name, settings in RUN.items()})
    return config


def variant(config: ConfigDict, name: str, *others: str) -> ConfigDict:
    """The config itself, or for the variant "smoke" a tiny run of it on made-up images, in seconds.

    others: variants that the config makes itself, to be named to a user who asks for one that there is not.
    """
    if name not in ("", "smoke", *others):
        there_is = ", ".join(f":{known}" for known in ("smoke", *others))
        raise UserError(f"--config: there is no variant {name!r} of this config; there is {there_is}")
    complete(config)
    return smoke(config) if name == "smoke" else config


def smoke(config: ConfigDict) -> ConfigDict:
    """config as a tiny run: made-up images, each part as it shrinks itself, few steps."""
    if kind(config.data).name == "image":
        config.data = made_up.hp(num_train=96, num_test=40)
    for part in parts(config):
        if part.hp:
            part.section.update(part.hp.smoke)
    config.evals.end = tuple(name for name in config.evals.end if getattr(find("evals", name), "SMOKE", True))
    config.train.update({"batch_size": 16, "epochs": 2})
    config.checkpoint.every_epochs = 1
    config.evals.update({"batch_size": 16, "every_epochs": min(config.evals.every_epochs, 1)})
    config.report.dpi = 50
    if config.train.steps:
        config.train.steps = 12
    for section in (config.log, config.evals, config.checkpoint):
        if section.every_steps:
            section.every_steps = 6
    return config
