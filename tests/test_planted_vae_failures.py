"""Verdicts on VAEs that were made to fail, and on healthy ones; most take minutes, so run them with `-m slow`."""
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from sklearn.datasets import load_digits

from configs import lab_moons_vae, vae_cars, vae_digits, vae_mnist, vae_mnist_z16
from gen_jax import experiment
from gen_jax.evals.health import _vae_ailments
from gen_jax.experiment import seen
from gen_jax.find import find
from gen_jax.modes._session import Session
from gen_jax.report.workdir import Workdir
from gen_jax.training.interrupt import Interrupts

SEEDS = (4, 5, 6)  # thresholds were chosen on 1 to 3


class Deaf(nn.Module):
    """A decoder that hears nothing of its latents."""

    inner: nn.Module

    def __call__(self, z, train):
        return self.inner(0 * z, train)


class Faint(nn.Module):
    """An encoder whose means and log variances are scaled to nothing. Of its means alone it would tell by variances."""

    inner: nn.Module

    def __call__(self, x, train):
        mean, logvar = self.inner(x, train)
        return 1e-3 * mean, 1e-3 * logvar


class Wide(nn.Module):
    """An encoder whose posteriors are at least e times as wide as the prior."""

    inner: nn.Module

    def __call__(self, x, train):
        mean, logvar = self.inner(x, train)
        return mean, jnp.maximum(logvar, 2.0)


class Clustered(nn.Module):
    """An encoder whose codes lie in ten tight clusters, which together have the prior's mean and variance.

    Digits are in one cluster that are nearest to the mean digit of one class.
    """

    inner: nn.Module

    def __call__(self, x, train):
        mean, logvar = self.inner(x, train)
        data = load_digits()
        means = np.stack([data.images[data.target == label].mean(0) / 16 for label in range(10)], dtype=np.float32)
        nearest = jnp.square(x[None] - means.reshape(10, 1, 8, 8, 1)).sum((2, 3, 4)).argmin(0)
        centres = np.random.default_rng(0).standard_normal((10, mean.shape[1]), np.float32)
        centres = (centres - centres.mean(0)) / centres.std(0)
        return jnp.asarray(centres)[nearest] + 0.1 * jnp.tanh(mean), jnp.minimum(logvar, -6.0)


def digits(epochs=150, **settings):
    """vae_digits, with some settings of its model and objective changed."""
    config = vae_digits.get_config()
    for key, value in settings.items():
        section = config.model if key in config.model else config.objective
        section[key] = value
    config.train.epochs, config.evals.every_epochs = epochs, epochs // 6
    return config


def small():
    """The same with few units, for few epochs."""
    config = digits(24, widths=(64,), latent_dim=4, likelihood="bernoulli")
    config.optim.vae.lr = 5e-3
    return config


def few(examples):
    """The digits with few training examples, and about as many steps: they are learned by heart."""
    config = digits(600)
    config.data.num_train, config.train.batch_size = examples, 32
    return config


def digits_at(times):
    """The digits at some times their learning rate."""
    config = digits()
    config.optim.vae.lr *= times
    return config


def moons(latent_dim=2):
    """Points in the plane, a third of lab_moons_vae's steps."""
    config = lab_moons_vae.get_config()
    config.model.latent_dim, config.train.steps = latent_dim, 4000
    config.log.every_steps = config.evals.every_steps = 500
    return config


def mnist(config=vae_mnist, **settings):
    """A config of MNIST for 4 epochs."""
    config = config.get_config()
    config.objective.update(settings)
    config.train.epochs, config.evals.every_epochs = 4, 1
    return config


def cars():
    """A tenth of vae_cars's steps."""
    config = vae_cars.get_config()
    config.train.steps, config.evals.every_steps = 1000, 250
    return config


FAILURES = [  # (what is to be said, the config, what a net is wrapped in)
    ("posterior collapse", lambda: digits(beta=100.0), {}),
    ("posterior collapse", digits, {"dec": Deaf}),
    ("posterior collapse", digits, {"enc": Faint}),
    ("unused units", lambda: moons(64), {}),
    ("prior holes", lambda: digits(beta=0.01), {}),
    ("prior holes", lambda: digits(beta=0.0, latent_dim=2), {}),
    ("prior holes", lambda: digits(beta=0.0, latent_dim=2), {"enc": Clustered}),
    ("prior holes", lambda: digits(beta=0.0, latent_dim=32), {"enc": Clustered}),
    ("undertrained", lambda: digits_at(0.01), {}),
    ("exploding variance", digits, {"enc": Wide}),
    ("over-regularisation", lambda: digits(likelihood="gaussian", beta=45.0), {}),
    ("over-regularisation", lambda: mnist(beta=20.0), {}),
    ("over-fitting", lambda: few(32), {}),
    ("over-fitting", lambda: few(100), {}),
]
HEALTHY = [digits, lambda: digits(beta=0.5), lambda: digits(beta=2.0), lambda: digits(latent_dim=16),
           lambda: digits(latent_dim=32), lambda: digits(likelihood="bernoulli"),
           lambda: digits(likelihood="gaussian", scale=0.35), moons, mnist, lambda: mnist(vae_mnist_z16), cars]


def planted(config, wrappers):
    """The experiment of config, some of whose nets are wrapped."""
    config.evals.end, config.evals.during = (), ("vae_signals",)
    built = experiment.build(config)
    nets = find("models", config.model.name).build(config.model, built.spec)
    nets |= {name: nets[name]._replace(module=wrap(nets[name].module)) for name, wrap in wrappers.items()}
    game = find("objectives", config.objective.name).build(nets, config.objective, built.spec)
    return built._replace(objective=seen(game, built.spec))


def verdict(config, wrappers, seed, folder):
    config.seed = seed
    workdir = Workdir(folder)
    workdir.claim()
    session = Session(planted(config, wrappers), workdir)
    with Interrupts() as interrupts:
        session.train(interrupts)
    words = _vae_ailments.verdict(_vae_ailments.signals(session.metrics.records()))
    print(f"VERDICT seed {seed}: {words}")
    return words


@pytest.mark.parametrize("wrappers,word", [({}, "healthy at"), ({"dec": Deaf}, "posterior collapse since")])
def test_a_healthy_one_and_one_whose_decoder_is_deaf(wrappers, word, tmp_path):
    assert verdict(small(), wrappers, 0, tmp_path).startswith(word)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("failure", range(len(FAILURES)))
def test_a_failure_is_found(failure, seed, tmp_path):
    word, config, wrappers = FAILURES[failure]
    assert verdict(config(), wrappers, seed, tmp_path).startswith(word)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_rate_that_is_too_high_is_not_called_healthy(seed, tmp_path):
    """Which ailment it ends in, exploding variance, undertrained or posterior collapse, is up to the seed."""
    assert " since step 550 (epoch 25): " in verdict(digits_at(150), {}, seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("run", range(len(HEALTHY)))
def test_a_healthy_run_is_called_healthy(run, seed, tmp_path):
    assert verdict(HEALTHY[run](), {}, seed, tmp_path).startswith("healthy")
