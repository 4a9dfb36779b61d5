"""Batch normalisation (Ioffe & Szegedy, arXiv:1502.03167)."""
import jax
from flax import linen as nn


def norm(h: jax.Array, train: bool, momentum: float, epsilon: float) -> jax.Array:
    """BatchNorm over all axes but the last. momentum: share of the running statistics that stays at each step."""
    return nn.BatchNorm(not train, momentum=momentum, epsilon=epsilon)(h)
