"""Convolutions: Flax's numbers and parameters in every geometry, and gradients that finite differences confirm."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax
from jax.test_util import check_grads

from gen_jax.layers import conv, winograd
from gen_jax.layers.conv import Conv, ConvTranspose

NHWC = ("NHWC", "HWIO", "NHWC")


def normal(rng, *shape):
    return jnp.asarray(rng.standard_normal(shape), jnp.float32)


# Rows differ from columns. Fewer than conv.MIN_CHANNELS channels go by patches, as do more than winograd.MOST_TAPS taps
# left a side; "cut": more outputs than winograd.WHOLE, in single tiles.
GEOMETRIES = {  # (sides, taps, strides, pads, channels)
    "winograd": ((9, 14), (3, 5), (1, 2), [(1, 0), (2, 3)], (9, 17)),
    "cut": ((29, 13), (4, 3), (1, 1), [(2, 2), (0, 3)], (8, 9)),
    "strides 3 and 2": ((16, 11), (7, 4), (3, 2), [(5, 1), (0, 2)], (17, 8)),
    "fewer taps than strides": ((13, 8), (1, 2), (2, 3), [(0, 1), (1, 0)], (9, 9)),
    "patches": ((12, 7), (5, 2), (2, 1), [(4, 0), (1, 1)], (3, 9)),
    "many taps": ((15, 10), (8, 2), (1, 3), [(3, 6), (2, 0)], (9, 9)),
}


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("transposed", [False, True])
def test_value_and_both_gradients_are_xla_s(geometry, transposed):
    size, taps, strides, pads, channels = GEOMETRIES[geometry]
    rng = np.random.default_rng(0)
    x, kernel = normal(rng, 2, *size, channels[0]), normal(rng, *taps, *channels)
    if transposed:
        pads = [(min(a, k - 1), min(b, k - 1)) for (a, b), k in zip(pads, kernel.shape, strict=False)]  # see below
        ours = lambda x, k: conv.conv_transpose(x, k, strides, pads)  # noqa: E731
        xla = lambda x, k: lax.conv_general_dilated(x, k, (1, 1), pads, strides, None, NHWC)  # noqa: E731
    else:
        ours = lambda x, k: conv.conv(x, k, strides, pads)  # noqa: E731
        xla = lambda x, k: lax.conv_general_dilated(x, k, strides, pads, dimension_numbers=NHWC)  # noqa: E731

    def all_three(convolve):
        y, pull = jax.vjp(convolve, x, kernel)
        return y, *pull(jnp.cos(jnp.arange(y.size, dtype=jnp.float32)).reshape(y.shape))
    for got, wanted in zip(jax.jit(all_three, static_argnums=0)(ours), jax.jit(all_three, static_argnums=0)(xla),
                           strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=5e-6 * float(jnp.abs(wanted).max()) + 1e-6)


@pytest.mark.parametrize("channels", [2, 8], ids=["patches", "winograd"])
def test_gradients_are_finite_differences_also_where_xla_s_are_not(channels):
    """XLA 0.10's gradient of a transposed convolution with more padding than taps reads beyond its arrays on a CPU."""
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        x = jnp.asarray(rng.standard_normal((1, 5, 4, channels)))
        kernel = jnp.asarray(rng.standard_normal((3, 4, channels, channels)))
        transposed = jax.jit(lambda x, k: conv.conv_transpose(x, k, (2, 1), [(4, 1), (2, 5)]))
        check_grads(transposed, (x, kernel), 1, ["rev"])
        check_grads(jax.jit(lambda x, k: conv.conv(x, k, (2, 1), [(1, 2), (0, 3)])), (x, kernel), 2, ["rev"])


@pytest.mark.parametrize("padding", ["SAME", "VALID", 2, ((1, 2), (0, 1))], ids=str)
@pytest.mark.parametrize("ours,flax", [(Conv, nn.Conv), (ConvTranspose, nn.ConvTranspose)], ids=["conv", "transposed"])
def test_modules_drop_in_for_flax_s(ours, flax, padding):
    x, key = normal(np.random.default_rng(0), 2, 6, 7, 16), jax.random.key(0)
    for dtype, error in ((None, 6e-6), (jnp.bfloat16, 1e-2))[:2 if padding == "SAME" else 1]:
        mine, theirs = (kind(18, (5, 4), (2, 2), padding=padding, dtype=dtype) for kind in (ours, flax))
        variables = mine.init(key, x)
        jax.tree.map(np.testing.assert_array_equal, variables, theirs.init(key, x))
        got, wanted = mine.apply(variables, x), theirs.apply(variables, x)
        assert got.dtype == wanted.dtype
        np.testing.assert_allclose(got.astype(np.float32), wanted.astype(np.float32), rtol=0,
                                   atol=error * float(jnp.abs(wanted).max()))


def test_what_is_not_ours_is_flax_s():
    x, key = normal(np.random.default_rng(0), 2, 6, 7, 16), jax.random.key(0)
    for options in ({"kernel_dilation": 2}, {"feature_group_count": 4}, {"padding": "CIRCULAR"}):
        mine, theirs = (kind(16, (3, 3), **options) for kind in (Conv, nn.Conv))
        variables = mine.init(key, x)
        np.testing.assert_allclose(mine.apply(variables, x), theirs.apply(variables, x), atol=1e-5)


@pytest.mark.parametrize("taps", range(1, winograd.MOST_TAPS + 1))
def test_minimal_filtering_is_exact_and_takes_fewer_products(taps):
    """In float64, of one axis: A[(G k) * (B x)] is the correlation, with m + taps - 1 products for m outputs."""
    rng = np.random.default_rng(0)
    for out in (1, 4, 7, 30):
        size = out + taps - 1
        x, kernel = rng.standard_normal(size), rng.standard_normal(taps)
        with jax.enable_x64(True):
            image, filters = (jnp.asarray(a)[:, None, None, None] for a in (x, kernel))
            y = winograd.correlate(image, filters, (0, 0), (out, 1))
        np.testing.assert_allclose(y.ravel(), np.correlate(x, kernel, "valid"), rtol=1e-9, atol=1e-9)
    if taps > 1:
        axis = winograd._axis(30 + taps - 1, taps, 0, 30)
        assert axis.blocks * axis.input.shape[1] * len(axis.kernel) < 0.8 * 30 * taps
