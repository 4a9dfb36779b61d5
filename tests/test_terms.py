"""The maths against known constants and closed forms."""
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy import stats

from gen_jax.terms import densities, noise


def test_bernoulli_nll_is_optax_s_and_a_sum_over_pixels():
    logits, x = jax.random.normal(jax.random.key(0), (2, 5, 4, 4, 3)) * jnp.array([3.0, 0.2]).reshape(2, 1, 1, 1, 1)
    x = jax.nn.sigmoid(x)
    np.testing.assert_allclose(densities.bernoulli_nll(logits, x),
                               optax.sigmoid_binary_cross_entropy(logits, x).sum((1, 2, 3)), rtol=1e-5)
    ours = jax.grad(lambda logits: densities.bernoulli_nll(logits, x).sum())(logits)
    np.testing.assert_allclose(ours, jax.nn.sigmoid(logits) - x, atol=1e-6)


@pytest.mark.parametrize("logit", [-200.0, 0.0, 200.0])
def test_bernoulli_nll_is_finite_at_extremes(logit):
    logits = jnp.full((1, 1), logit)
    for target in (0.0, 1.0):
        x = jnp.full((1, 1), target)
        value, gradient = jax.value_and_grad(lambda logits, x=x: densities.bernoulli_nll(logits, x).sum())(logits)
        assert value == pytest.approx(max(logit, 0) - logit * target if logit else np.log(2), abs=1e-5)
        assert gradient == pytest.approx(1 / (1 + np.exp(-logit)) - target, abs=1e-6)


def test_gaussian_terms_are_scipy_s():
    mean, logvar, z = np.random.default_rng(0).standard_normal((3, 7, 4)).astype(np.float32)
    std = np.exp(logvar / 2)
    np.testing.assert_allclose(densities.gaussian_logpdf(z, mean, logvar), stats.norm(mean, std).logpdf(z).sum(1),
                               rtol=1e-4)
    np.testing.assert_allclose(densities.gaussian_nll(mean, jnp.float32(-0.7), z),
                               -stats.norm(mean, np.exp(-0.7)).logpdf(z).sum(1), rtol=1e-4)


def test_gaussian_kl_known_values():
    assert densities.gaussian_kl(jnp.zeros((1, 1)), jnp.zeros((1, 1))) == 0
    assert densities.gaussian_kl(jnp.full((1, 1), 2.0), jnp.zeros((1, 1))) == 2
    assert densities.gaussian_kl(jnp.zeros((1, 1)), jnp.full((1, 1), np.log(4.0))) == pytest.approx((3 - np.log(4)) / 2)


def test_reparameterised_samples_have_the_posterior_s_moments():
    mean, logvar = jnp.full((100_000, 1), 1.5), jnp.log(jnp.full((100_000, 1), 4.0))
    z = noise.reparameterise(mean, logvar, noise.normal(jax.random.key(0), 100_000, 1))
    assert float(z.mean()) == pytest.approx(1.5, abs=0.03)
    assert float(z.std()) == pytest.approx(2.0, abs=0.03)  # exp(logvar), as the chapter prints, would give 4


def test_noise_by_example_does_not_depend_on_the_batch():
    keys = jax.random.split(jax.random.key(1), 6)
    whole = noise.normal(keys, 6, 3)
    np.testing.assert_array_equal(whole[2:4], noise.normal(keys[2:4], 2, 3))
