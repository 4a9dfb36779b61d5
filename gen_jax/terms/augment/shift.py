"""Images moved at random, with their edges repeated: for a VAE, which would learn a grey border."""
import jax
import jax.numpy as jnp


def augment(x: jax.Array, key: jax.Array) -> jax.Array:
    """Moved by up to a sixteenth of a side; a row or column that comes in is a copy of the edge."""
    def source(size: int, key: jax.Array) -> jax.Array:
        """[B,size,size]: 1 where a row or column (first axis) comes from (second)."""
        most = max(size // 16, 1)
        moves = jax.random.randint(key, (x.shape[0], 1), -most, most + 1)
        return jax.nn.one_hot(jnp.clip(jnp.arange(size)[None] + moves, 0, size - 1), size, dtype=x.dtype)
    rows, columns = (source(size, k) for size, k in zip(x.shape[1:3], jax.random.split(key), strict=True))
    return jnp.einsum("bij,bjwc->biwc", rows, jnp.einsum("bij,bhjc->bhic", columns, x))
