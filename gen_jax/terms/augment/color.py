"""Brightness, saturation and contrast at random, as in DiffAugment (Zhao et al., arXiv:2006.10738)."""
import jax


def augment(x: jax.Array, key: jax.Array) -> jax.Array:
    """Brightness moved by up to 0.5, distance from grey scaled by 0 to 2, contrast by 0.5 to 1.5."""
    brightness, saturation, contrast = jax.random.uniform(key, (3, x.shape[0], 1, 1, 1))
    x = x + (brightness - 0.5)
    grey = x.mean(-1, keepdims=True)
    x = (x - grey) * (2 * saturation) + grey if x.shape[-1] > 1 else x
    mean = x.mean((1, 2, 3), keepdims=True)
    return (x - mean) * (contrast + 0.5) + mean
