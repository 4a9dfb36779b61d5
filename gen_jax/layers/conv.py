"""Convolutions with Flax's parameters and numbers, fast on each platform.

On GPU and TPU they are XLA's own (cuDNN's on an NVIDIA GPU). On a CPU, XLA 0.10 runs strided and transposed
convolutions, and gradients whose window is larger than the image, in a loop of 2 GFLOP/s; there they become matrix
products here. A convolution of stride s is one of stride 1 over the s*s phases of the image, a transposed one gives the
s*s phases of its output; then:

- Winograd's minimal filtering (winograd.py) where both sides have MIN_CHANNELS or more and 2 to 5 taps are left a side,
- one product with the patches (patches.py) elsewhere.

bfloat16 is computed in float32 on a CPU and rounded at the end.
"""
import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import linen as nn
from flax.linen.dtypes import promote_dtype
from flax.linen.linear import canonicalize_padding
from jax import lax

from gen_jax.layers import winograd
from gen_jax.layers.patches import Geometry, overlap, patches

MIN_CHANNELS = 8  # below, transforming the image costs more than the products that it saves
_plain = ContextVar("plain", default=False)


class Conv(nn.Conv):
    """flax.linen.Conv, parameters and all. What is not two-dimensional, is dilated or is grouped stays XLA's own."""

    conv_general_dilated: Callable | None = None

    def __post_init__(self):
        if self.conv_general_dilated is None:
            self.conv_general_dilated = conv_general_dilated
        super().__post_init__()


class ConvTranspose(nn.Module):
    """flax.linen.ConvTranspose without dilation, masks, circular padding and transpose_kernel."""

    features: int
    kernel_size: Sequence[int]
    strides: Sequence[int] | int | None = None
    padding: str | int | Sequence[int | tuple[int, int]] = "SAME"  # of x with its strides - 1 zeros, as lax has it
    use_bias: bool = True
    dtype: Any = None
    param_dtype: Any = jnp.float32
    kernel_init: Callable = nn.initializers.lecun_normal()
    bias_init: Callable = nn.initializers.zeros

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[B,H',W',features] of x: [B,H,W,C]."""
        taps = tuple(self.kernel_size)
        strides = (self.strides or 1,) * len(taps) if isinstance(self.strides, int | None) else tuple(self.strides)
        kernel = self.param("kernel", self.kernel_init, (*taps, x.shape[-1], self.features), self.param_dtype)
        bias = self.param("bias", self.bias_init, (self.features,), self.param_dtype) if self.use_bias else None
        x, kernel, bias = promote_dtype(x, kernel, bias, dtype=self.dtype)
        padding = canonicalize_padding(self.padding, len(taps))
        if _on_cpu() and len(taps) == 2:
            pads = [_transpose_pads(k, s, padding if isinstance(padding, str) else padding[i])
                    for i, (k, s) in enumerate(zip(taps, strides, strict=True))]
            y = _in_float32(conv_transpose, x, kernel, strides, pads)
        else:
            y = lax.conv_transpose(x, kernel, strides, padding)
        return y if bias is None else y + bias.reshape((1,) * (y.ndim - 1) + (-1,))


def conv_general_dilated(lhs: jax.Array, rhs: jax.Array, window_strides: Sequence[int],
                         padding: str | Sequence[tuple[int, int]], **options) -> jax.Array:
    """jax.lax.conv_general_dilated of channels-last images, by the form that is fast on this platform."""
    dilated = any(d != 1 for name in ("lhs_dilation", "rhs_dilation") for d in options.get(name) or ())
    if not _on_cpu() or lhs.ndim != 4 or dilated or options.get("feature_group_count", 1) != 1:
        return lax.conv_general_dilated(lhs, rhs, window_strides, padding, **options)
    if isinstance(padding, str):
        padding = lax.padtype_to_pads(lhs.shape[1:3], rhs.shape[:2], window_strides, padding)
    return _in_float32(conv, lhs, rhs, tuple(window_strides), padding)


def conv(x: jax.Array, kernel: jax.Array, strides: tuple[int, int], pads: Sequence[tuple[int, int]]) -> jax.Array:
    """y [B,H',W',N] with y[o] = sum over taps t of x[strides * o + t - pads[.][0]] kernel[t].

    x: [B,H,W,C]; kernel: [h,w,C,N]; pads: (before, after) of rows and of columns.
    """
    size, taps = x.shape[1:3], kernel.shape[:2]
    out = tuple((n + sum(p) - k) // s + 1 for n, p, k, s in zip(size, pads, taps, strides, strict=True))
    axes = [_phases(*args) for args in zip(taps, strides, [p[0] for p in pads], strict=True)]
    if not _winograd(kernel, axes):
        at = Geometry(size, out, taps, tuple(strides), tuple(p[0] for p in pads))
        seen = patches(x.transpose(3, 1, 2, 0), at).reshape(-1, out[0] * out[1] * len(x))
        y = lax.dot_general(seen, kernel.reshape(len(seen), -1), (((0,), (0,)), ((), ())))
        return y.reshape(*out, len(x), -1).transpose(2, 0, 1, 3)
    (rows, columns), channels = strides, x.shape[-1]
    x = _pad(x, 1, [(a.offset, -(n + a.offset) % s) for a, n, s in zip(axes, size, strides, strict=True)])
    x = x.reshape(len(x), x.shape[1] // rows, rows, x.shape[2] // columns, columns, channels)
    x = x.transpose(1, 3, 0, 2, 4, 5).reshape(x.shape[1], x.shape[3], len(x), -1)
    kernel = _pad(kernel, 0, [(a.front, a.taps * s - k - a.front) for a, k, s in zip(axes, taps, strides, strict=True)])
    kernel = kernel.reshape(axes[0].taps, rows, axes[1].taps, columns, channels, -1).transpose(0, 2, 1, 3, 4, 5)
    kernel = kernel.reshape(axes[0].taps, axes[1].taps, x.shape[-1], -1)
    return winograd.correlate(x, kernel, tuple(a.before for a in axes), out).transpose(2, 0, 1, 3)


def conv_transpose(x: jax.Array, kernel: jax.Array, strides: tuple[int, int], pads: Sequence[tuple[int, int]]
                   ) -> jax.Array:
    """y [B,H',W',N] with y[o] = sum over taps t of x'[o + t - pads[.][0]] kernel[t].

    x' is x [B,H,W,C] with strides - 1 zeros between its pixels; kernel: [h,w,C,N].
    """
    size, taps, features = x.shape[1:3], kernel.shape[:2], kernel.shape[-1]
    out = tuple(s * (n - 1) + sum(p) - k + 2 for n, p, k, s in zip(size, pads, taps, strides, strict=True))
    before = tuple(k - 1 - p[0] for k, p in zip(taps, pads, strict=True))
    axes = [_phases(*args) for args in zip(taps, strides, before, strict=True)]
    if not _winograd(kernel, axes):
        flipped = kernel[::-1, ::-1].transpose(0, 1, 3, 2).reshape(-1, x.shape[-1])
        seen = lax.dot_general(flipped, x.transpose(1, 2, 0, 3), (((1,), (3,)), ((), ())))
        seen = seen.reshape(*taps, features, *size, len(x))
        return overlap(seen, Geometry(out, size, taps, tuple(strides), before)).transpose(3, 1, 2, 0)
    rows, columns = strides
    kernel = _pad(kernel, 0, [(a.taps * s - k - a.front, a.front) for a, k, s in zip(axes, taps, strides, strict=True)])
    kernel = kernel.reshape(axes[0].taps, rows, axes[1].taps, columns, -1, features)[:, ::-1, :, ::-1]
    kernel = kernel.transpose(0, 2, 4, 1, 3, 5).reshape(axes[0].taps, axes[1].taps, x.shape[-1], -1)
    length = tuple(-(-(o + a.offset) // s) for o, a, s in zip(out, axes, strides, strict=True))
    y = winograd.correlate(x.transpose(1, 2, 0, 3), kernel, tuple(a.taps - 1 - a.before for a in axes), length)
    y = y.reshape(*length, len(x), rows, columns, features).transpose(2, 0, 3, 1, 4, 5)
    y = y.reshape(len(x), length[0] * rows, length[1] * columns, features)
    return y[:, axes[0].offset:axes[0].offset + out[0], axes[1].offset:axes[1].offset + out[1]]


@contextlib.contextmanager
def plain() -> Iterator[None]:
    """Within it, convolutions are XLA's own on a CPU too: one operation each, for who reads the traced program."""
    token = _plain.set(True)
    try:
        yield
    finally:
        _plain.reset(token)


def _on_cpu() -> bool:
    return jax.default_backend() == "cpu" and not _plain.get()


def _in_float32(convolve: Callable, x: jax.Array, kernel: jax.Array, *args) -> jax.Array:
    """convolve(x, kernel, *args) in at least float32, rounded to x's type at the end."""
    wide = jnp.promote_types(x.dtype, jnp.float32)
    return convolve(x.astype(wide), kernel.astype(wide), *args).astype(x.dtype)


def _transpose_pads(taps: int, stride: int, padding: str | tuple[int, int]) -> tuple[int, int]:
    """The zeros before and after x and the zeros in it that make lax.conv_transpose's "SAME" and "VALID"."""
    if not isinstance(padding, str):
        return padding
    if padding == "SAME":
        before = taps - 1 if stride > taps - 1 else -(-(taps + stride - 2) // 2)
        return before, taps + stride - 2 - before
    return taps - 1, taps + stride - 2 + max(taps - stride, 0) - (taps - 1)


class Phases(NamedTuple):
    """One axis with its pixels apart by their remainders: a stride of s is one of 1 over s times the channels."""

    taps: int  # of each phase
    front: int  # zeros in front of the kernel, so that its phases are the image's
    offset: int  # where that would need more taps: zeros in front of the image instead
    before: int  # zeros in front of each phase


def _phases(taps: int, stride: int, before: int) -> Phases:
    front, offset = -before % stride, 0
    if -(-(taps + front) // stride) > -(-taps // stride):
        front, offset = 0, before % stride
    return Phases(-(-(taps + front) // stride), front, offset, (before + front - offset) // stride)


def _winograd(kernel: jax.Array, axes: list[Phases]) -> bool:
    """Whether minimal filtering is the faster form."""
    return (min(kernel.shape[2:]) >= MIN_CHANNELS and all(a.taps <= winograd.MOST_TAPS for a in axes)
            and any(a.taps > 1 for a in axes))


def _pad(x: jax.Array, axis: int, pads: list[tuple[int, int]]) -> jax.Array:
    """x with zeros before and after along two neighbouring axes."""
    return jnp.pad(x, [(0, 0)] * axis + pads + [(0, 0)] * (x.ndim - axis - 2))
