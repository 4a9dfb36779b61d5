"""A square of the image hidden at random, as in DiffAugment (Zhao et al., arXiv:2006.10738)."""
import jax
import jax.numpy as jnp


def augment(x: jax.Array, key: jax.Array) -> jax.Array:
    """A square of half a side, anywhere, made grey (0)."""
    def inside(size: int, key: jax.Array) -> jax.Array:
        """bool [B,size]."""
        length = size // 2
        first = jax.random.randint(key, (x.shape[0], 1), -(length // 2), size - length // 2)
        at = jnp.arange(size)[None]
        return (at >= first) & (at < first + length)
    rows, columns = (inside(size, k) for size, k in zip(x.shape[1:3], jax.random.split(key), strict=True))
    return jnp.where(rows[:, :, None, None] & columns[:, None, :, None], 0, x)
