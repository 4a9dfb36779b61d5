"""Images moved at random, as in DiffAugment (Zhao et al., arXiv:2006.10738)."""
import jax
import jax.numpy as jnp


def augment(x: jax.Array, key: jax.Array) -> jax.Array:
    """Moved by up to an eighth of a side, what comes in grey (0)."""
    def source(size: int, key: jax.Array) -> jax.Array:
        """[B,size,size]: 1 where a row or column (first axis) comes from (second). Moving is a product with it, and so
        is the gradient; a gather's is a slow scatter."""
        most = max(size // 8, 1)
        moves = jax.random.randint(key, (x.shape[0], 1), -most, most + 1)
        return jax.nn.one_hot(jnp.arange(size)[None] + moves, size, dtype=x.dtype)
    rows, columns = (source(size, k) for size, k in zip(x.shape[1:3], jax.random.split(key), strict=True))
    return jnp.einsum("bij,bjwc->biwc", rows, jnp.einsum("bij,bhjc->bhic", columns, x))
