"""Features of images that need no labels, no training and no download: those of a fixed random convolutional network.

Random convolutions and their pooled responses tell textures and edges apart almost as trained ones do (Ustyuzhaninov et
al., arXiv:1606.00021). The network: kernels 3x3 of normal numbers from one seed, each less its mean over the pixels,
so that flat areas give nothing, and of norm 1; ReLU; averages over 2x2 pixels between the layers. An image's features
are the mean and the standard deviation over its pixels, of its channels and of each layer's. A Space keeps the
principal directions of the training images' features, scaled to variance 1 there.
"""
import hashlib
from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gen_jax.data.kinds.image import to_symmetric, to_unit

SEED, WIDTHS, TAPS = 0, (32, 64, 128), 3
DIRECTIONS = 16  # of a Space: a normal is fitted in it, to some hundred images
BLOCK, PIXELS = 250, 250 * 32 * 32  # images, and pixels of them, computed at once, at most


class Space(NamedTuple):
    """Directions in which features of one data set differ."""

    mean: np.ndarray  # [F]
    axes: np.ndarray  # [F,D]; D <= DIRECTIONS

    def project(self, x: np.ndarray) -> np.ndarray:
        """float64 [N,D] of images x [N,H,W,C], in [0,1] or uint8."""
        return (features(x) - self.mean) @ self.axes


def space(x: np.ndarray) -> Space:
    """The Space of training images x [N,H,W,C], in [0,1] or uint8; N >= 2."""
    values = features(x)
    mean, spread = values.mean(0), values.std(0) + 1e-6
    _, lengths, directions = np.linalg.svd((values - mean) / spread, full_matrices=False)
    kept = (lengths > 1e-6 * lengths[0])[:DIRECTIONS]
    scale = len(values) ** 0.5 / lengths[:DIRECTIONS][kept]
    return Space(mean, directions[:DIRECTIONS][kept].T / spread[:, None] * scale)


def features(x: np.ndarray) -> np.ndarray:
    """float64 [N,F] of images x [N,H,W,C], in [0,1] or uint8."""
    size = max(1, min(BLOCK, PIXELS // (x.shape[1] * x.shape[2]), len(x)))
    # The last block is filled up, so that one size is compiled.
    parts = [np.asarray(_features(np.resize(x[i:i + size], (size, *x.shape[1:])))) for i in range(0, len(x), size)]
    return np.concatenate(parts)[:len(x)].astype(np.float64)


@cache
def digest(channels: int) -> str:
    """The sha256, in hex, of the network for images of so many channels: distances compare where it is the same."""
    settings = repr((WIDTHS, TAPS, DIRECTIONS)).encode()
    return hashlib.sha256(settings + b"".join(kernel.tobytes() for kernel in _kernels(channels))).hexdigest()


@cache
def _kernels(channels: int) -> tuple[np.ndarray, ...]:
    """Of each layer, [3,3,C,N]. RandomState, because numpy promises its stream for ever."""
    random, kernels = np.random.RandomState(SEED), []
    for width in WIDTHS:
        kernel = random.normal(size=(TAPS, TAPS, channels, width))
        kernel -= kernel.mean((0, 1), keepdims=True)
        kernels.append((kernel / np.sqrt(np.square(kernel).sum((0, 1, 2)))).astype(np.float32))
        channels = width
    return tuple(kernels)


@jax.jit
def _features(x: jax.Array) -> jax.Array:
    h = to_symmetric(to_unit(x) if x.dtype == jnp.uint8 else x)
    found = [h.mean((1, 2)), h.std((1, 2))]
    for kernel in _kernels(x.shape[-1]):
        h = jax.nn.relu(lax.conv_general_dilated(h, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")))
        found += [h.mean((1, 2)), h.std((1, 2))]
        if min(h.shape[1:3]) > 1:
            h = lax.reduce_window(h, 0.0, lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID") / 4
    return jnp.concatenate(found, -1)
