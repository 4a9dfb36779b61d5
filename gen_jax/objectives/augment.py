"""Differentiable augmentation: what the discriminator sees is changed at random, real and fake alike.

Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020 (arXiv:2006.10738). With few images a
discriminator learns them by heart; if only real ones were changed, the generator would learn the changes.
"""
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp

from gen_jax.config import name_list
from gen_jax.find import nearest


def augment(policies: str) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """augment(x, key) -> x after each of the comma-separated policies, for images x: [B,H,W,C] in [-1,1]."""
    steps = [POLICIES[name] for name in name_list(policies)]

    def changed(x: jax.Array, key: jax.Array) -> jax.Array:
        for i, step in enumerate(steps):
            x = step(x, jax.random.fold_in(key, i))
        return x
    return changed


def faults(policies: str) -> Iterator[str]:
    """A line for each policy that there is not."""
    for name in name_list(policies):
        if name not in POLICIES:
            yield f"objective.augment: there is no policy {name!r}{nearest(name, sorted(POLICIES))}"


def color(x: jax.Array, key: jax.Array) -> jax.Array:
    """Brightness moved by up to 0.5, distance from grey scaled by 0 to 2, contrast by 0.5 to 1.5."""
    brightness, saturation, contrast = jax.random.uniform(key, (3, len(x), 1, 1, 1))
    x = x + (brightness - 0.5)
    grey = x.mean(-1, keepdims=True)
    x = (x - grey) * (2 * saturation) + grey if x.shape[-1] > 1 else x
    mean = x.mean((1, 2, 3), keepdims=True)
    return (x - mean) * (contrast + 0.5) + mean


def flip(x: jax.Array, key: jax.Array) -> jax.Array:
    """Left and right exchanged in half of the images."""
    return jnp.where(jax.random.bernoulli(key, shape=(len(x), 1, 1, 1)), x[:, :, ::-1], x)


def translation(x: jax.Array, key: jax.Array) -> jax.Array:
    """Moved by up to an eighth of a side, what comes in grey (0)."""
    def source(size: int, key: jax.Array) -> jax.Array:
        """[B,size,size]: 1 where a row or column (first axis) comes from (second). Moving is a product with it, and so
        is the gradient; a gather's is a slow scatter."""
        most = max(size // 8, 1)
        moves = jax.random.randint(key, (len(x), 1), -most, most + 1)
        return jax.nn.one_hot(jnp.arange(size)[None] + moves, size, dtype=x.dtype)
    rows, columns = (source(size, k) for size, k in zip(x.shape[1:3], jax.random.split(key), strict=True))
    return jnp.einsum("bij,bjwc->biwc", rows, jnp.einsum("bij,bhjc->bhic", columns, x))


def cutout(x: jax.Array, key: jax.Array) -> jax.Array:
    """A square of half a side, anywhere, made grey (0)."""
    def inside(size: int, key: jax.Array) -> jax.Array:
        """bool [B,size]."""
        length = size // 2
        first = jax.random.randint(key, (len(x), 1), -(length // 2), size - length // 2)
        at = jnp.arange(size)[None]
        return (at >= first) & (at < first + length)
    rows, columns = (inside(size, k) for size, k in zip(x.shape[1:3], jax.random.split(key), strict=True))
    return jnp.where(rows[:, :, None, None] & columns[:, None, :, None], 0, x)


POLICIES = {"color": color, "flip": flip, "translation": translation, "cutout": cutout}
