"""Further terms of an adversarial game: one file each, found by its name.

Each defines PLAYER, whose loss it joins; hp, its Settings, with a "weight" that it is multiplied by; and
extra(game, vars, batch, fake, key, hp) -> [] or [B]. game: objectives/_adversarial.py; batch.x and fake: [B,...] in the
generator's range.
"""
from gen_jax.settings import Setting, at_least

WEIGHT = {"weight": Setting(1.0, "what the term is multiplied by", at_least(0))}
