"""Penalties of a discriminator: one file each, found by its name.

Each defines penalty(critic, real, fake, key, hp) -> [B], and hp, its Settings, with a "weight" for the sum.
critic: x [B,...] -> logits [B], as the discriminator's move sees it; real, fake: x [B,...] in the generator's range.
"""
from gen_jax.settings import Setting, at_least

WEIGHT = {"weight": Setting(1.0, "what the penalty is multiplied by", at_least(0))}
