"""Adversarial losses: one file each, found by its name, which defines LOSS, an AdversarialLoss.

What a discriminator gives is called a logit here, also where the loss makes it a critic without a probability.
"""
from collections.abc import Callable
from typing import NamedTuple

import jax


class AdversarialLoss(NamedTuple):
    """What the two players lose, per example. All arrays: [B]."""

    disc: Callable[[jax.Array, jax.Array], jax.Array]  # (logits of real x, logits of fakes) -> the discriminator's
    gen: Callable[[jax.Array, jax.Array | None], jax.Array]  # (logits of fakes, of real x) -> the generator's
    pairs: bool = False  # the generator's loss asks for the logits of real x too; else they are None
    probability: bool = True  # sigmoid(logit) is the probability of being real
    unit: str = "nats per example"  # of both
