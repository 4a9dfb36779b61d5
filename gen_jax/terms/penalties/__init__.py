"""Penalties of a discriminator: one file each, found by its name.

Each defines penalty(critic, real, fake, key, hp) -> [B], and hp, its Settings, with a "weight" for the sum.
critic: x [B,...] -> logits [B], as the discriminator's move sees it; real, fake: x [B,...] in the generator's range.
"""
import jax
from ml_collections import ConfigDict

from gen_jax.settings import POSITIVE, Setting, at_least

WEIGHT = {
    "weight": Setting(1.0, "what the penalty is multiplied by", at_least(0)),
    "end": Setting(1.0, "share of the weight that is left at the run's end; it falls by even factors", POSITIVE),
}


def weight(hp: ConfigDict, done: jax.Array) -> jax.Array | float:
    """What the penalty is multiplied by when a share `done` of the run is finished."""
    return hp.weight if hp.end == 1 else hp.weight * hp.end**done
