"""Layer normalisation (Ba, Kiros & Hinton, arXiv:1607.06450)."""
import jax
from flax import linen as nn


def norm(h: jax.Array, train: bool, momentum: float, epsilon: float) -> jax.Array:
    """LayerNorm of each example over all axes but the batch. It has no running statistics: momentum is not used."""
    return nn.LayerNorm(epsilon=epsilon, reduction_axes=tuple(range(1, h.ndim)))(h)
