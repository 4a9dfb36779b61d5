"""The network of the original FID: Inception v3 as TensorFlow's graph of 2015-12-05 computes it.

Szegedy et al., arXiv:1512.00567. That graph differs from the paper and from torchvision's network: average pooling
counts no padding, the last block pools by maxima, images are enlarged as TensorFlow 1 did, and there are 1,008 classes.
What a network is made of is told by one function, pooled, which asks `conv` for each layer by its name in the file.
"""
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jax import lax

SIDE, FEATURES, CLASSES = 299, 2048, 1008
EPSILON = 1e-3  # of BatchNorm
Conv = Callable[..., jax.Array]  # (name, h [B,H,W,C], features, kernel, stride, padding) -> [B,H',W',features]


class Layer(NamedTuple):
    """A convolution, with the BatchNorm after it folded in."""

    kernel: np.ndarray  # [H,W,C,F]
    bias: np.ndarray  # [F]


@cache
def shapes() -> dict[str, tuple[int, ...]]:
    """The shape of every array that a file of weights must have, by name; those of PyTorch: kernels are [F,C,H,W]."""
    found = {}

    def conv(name, h, features, kernel=1, stride=1, padding=None):
        size = _pair(kernel)
        found[f"{name}.conv.weight"] = (features, h.shape[-1], *size)
        found.update({f"{name}.bn.{part}": (features,) for part in ("weight", "bias", "running_mean", "running_var")})
        return _convolved(h, jnp.zeros((*size, h.shape[-1], features)), stride, padding)
    jax.eval_shape(partial(pooled, conv), jax.ShapeDtypeStruct((1, SIDE, SIDE, 3), jnp.float32))
    return found | {"fc.weight": (CLASSES, FEATURES), "fc.bias": (CLASSES,)}


def folded(arrays: Mapping[str, np.ndarray]) -> dict[str, Layer]:
    """The layers by name, of arrays with the names and shapes of shapes()."""
    return {name.removesuffix(".conv.weight"): _layer(arrays, name.removesuffix(".conv.weight"))
            for name in shapes() if name.endswith(".conv.weight")}


def _layer(arrays: Mapping[str, np.ndarray], name: str) -> Layer:
    kernel, gain, bias, mean, variance = (np.asarray(arrays[f"{name}.{part}"], np.float64) for part in (
        "conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"))
    scale = gain / np.sqrt(variance + EPSILON)
    return Layer((kernel.transpose(2, 3, 1, 0) * scale).astype(np.float32), (bias - mean * scale).astype(np.float32))


@jax.jit
def features(layers: Mapping[str, Layer], pixels: jax.Array) -> jax.Array:
    """float32 [B,2048] of uint8 pixels [B,H,W,3] of any size."""
    def conv(name, h, features, kernel=1, stride=1, padding=None):
        layer = layers[name]
        return nn.relu(_convolved(h, layer.kernel, stride, padding) + layer.bias.reshape(1, 1, 1, -1))
    with jax.default_matmul_precision("float32"):  # accelerators would compute in less
        return pooled(conv, (enlarged(pixels.astype(jnp.float32)) - 128) / 128)


def enlarged(x: jax.Array, side: int = SIDE) -> jax.Array:
    """float32 [B,side,side,C] of x [B,H,W,C]: bilinear as TensorFlow 1 does it.

    Pixel i of the result lies at i * H / side: corners are not aligned, and neither are the centres of pixels.
    """
    for axis in (2, 1):
        at = np.arange(side, dtype=np.float32) * np.float32(x.shape[axis] / side)
        low = at.astype(np.int32)
        share = np.expand_dims(at - low, [i for i in range(x.ndim) if i != axis])
        a, b = (jnp.take(x, np.minimum(i, x.shape[axis] - 1), axis) for i in (low, low + 1))
        x = a + (b - a) * share
    return x


def pooled(conv: Conv, x: jax.Array) -> jax.Array:
    """The mean over the pixels of the last layer, [B,2048]. x: [B,299,299,3] in [-1,1)."""
    h = conv("Conv2d_1a_3x3", x, 32, 3, 2)
    h = conv("Conv2d_2a_3x3", h, 32, 3, padding="VALID")
    h = conv("Conv2d_2b_3x3", h, 64, 3)
    h = conv("Conv2d_3b_1x1", _halved(h), 80)
    h = conv("Conv2d_4a_3x3", h, 192, 3, padding="VALID")
    h = _halved(h)
    for letter, pool_features in (("b", 32), ("c", 64), ("d", 64)):
        h = _block_35(_within(conv, f"Mixed_5{letter}"), h, pool_features)
    h = _smaller_17(_within(conv, "Mixed_6a"), h)
    for letter, narrow in (("b", 128), ("c", 160), ("d", 160), ("e", 192)):
        h = _block_17(_within(conv, f"Mixed_6{letter}"), h, narrow)
    h = _smaller_8(_within(conv, "Mixed_7a"), h)
    h = _block_8(_within(conv, "Mixed_7b"), h, _average)
    h = _block_8(_within(conv, "Mixed_7c"), h, partial(nn.max_pool, window_shape=(3, 3), padding="SAME"))
    return h.mean((1, 2))


def _block_35(conv: Conv, h: jax.Array, pool_features: int) -> jax.Array:
    return jnp.concatenate([
        conv("branch1x1", h, 64),
        _chain(conv, "branch5x5", h, (48,), (64, 5)),
        _chain(conv, "branch3x3dbl", h, (64,), (96, 3), (96, 3)),
        conv("branch_pool", _average(h), pool_features)], -1)


def _smaller_17(conv: Conv, h: jax.Array) -> jax.Array:
    return jnp.concatenate([
        conv("branch3x3", h, 384, 3, 2),
        _chain(conv, "branch3x3dbl", h, (64,), (96, 3), (96, 3, 2)),
        _halved(h)], -1)


def _block_17(conv: Conv, h: jax.Array, narrow: int) -> jax.Array:
    wide, high = (narrow, (1, 7)), (narrow, (7, 1))
    return jnp.concatenate([
        conv("branch1x1", h, 192),
        _chain(conv, "branch7x7", h, (narrow,), wide, (192, (7, 1))),
        _chain(conv, "branch7x7dbl", h, (narrow,), high, wide, high, (192, (1, 7))),
        conv("branch_pool", _average(h), 192)], -1)


def _smaller_8(conv: Conv, h: jax.Array) -> jax.Array:
    return jnp.concatenate([
        _chain(conv, "branch3x3", h, (192,), (320, 3, 2)),
        _chain(conv, "branch7x7x3", h, (192,), (192, (1, 7)), (192, (7, 1)), (192, 3, 2)),
        _halved(h)], -1)


def _block_8(conv: Conv, h: jax.Array, pool: Callable[[jax.Array], jax.Array]) -> jax.Array:
    three = conv("branch3x3_1", h, 384)
    double = _chain(conv, "branch3x3dbl", h, (448,), (384, 3))
    return jnp.concatenate([
        conv("branch1x1", h, 320),
        conv("branch3x3_2a", three, 384, (1, 3)), conv("branch3x3_2b", three, 384, (3, 1)),
        conv("branch3x3dbl_3a", double, 384, (1, 3)), conv("branch3x3dbl_3b", double, 384, (3, 1)),
        conv("branch_pool", pool(h), 192)], -1)


def _within(conv: Conv, block: str) -> Conv:
    """conv, by names inside a block."""
    return lambda name, *layer: conv(f"{block}.{name}", *layer)


def _chain(conv: Conv, branch: str, h: jax.Array, *layers: tuple) -> jax.Array:
    """Layers on top of each other; they are numbered from 1. layers: features, kernel, stride."""
    for number, layer in enumerate(layers, 1):
        h = conv(f"{branch}_{number}", h, *layer)
    return h


def _average(h: jax.Array) -> jax.Array:
    """Over 3x3 pixels, of those that are there."""
    return nn.avg_pool(h, (3, 3), padding="SAME", count_include_pad=False)


def _halved(h: jax.Array) -> jax.Array:
    """Maxima over 3x3 pixels, at every other place."""
    return nn.max_pool(h, (3, 3), (2, 2))


def _convolved(h: jax.Array, kernel: jax.Array, stride: int, padding: str | None) -> jax.Array:
    """XLA's own convolution: here layers/conv.py is no faster, compiles longer and rounds more."""
    padding = padding or ("SAME" if stride == 1 else "VALID")
    return lax.conv_general_dilated(h, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _pair(kernel: int | tuple[int, int]) -> tuple[int, int]:
    return kernel if isinstance(kernel, tuple) else (kernel, kernel)
