"""Verdicts on GANs that were made to fail, and on healthy ones; most take minutes, so run them with `-m slow`."""
import pytest
from flax import linen as nn

from configs import dcgan_digits
from gen_jax import experiment
from gen_jax.evals import gan_health
from gen_jax.find import find
from gen_jax.models.net import Net
from gen_jax.report.workdir import Workdir
from gen_jax.session import Session
from gen_jax.training.interrupt import Interrupts

WORDS = ("healthy", "diverged", "mode collapse", "copying", "discriminator saturated")


class Deaf(nn.Module):
    """A generator that ignores its latents."""

    inner: nn.Module

    def __call__(self, z, train):
        return self.inner(0 * z, train)


def small():
    """dcgan_digits with few channels, and for few epochs."""
    config = dcgan_digits.get_config()
    config.model.update({"gen_widths": (32, 32), "disc_widths": (32, 32)})
    config.train.epochs, config.evals.every_epochs = 10, 2
    return config


def full():
    """dcgan_digits for 40 epochs."""
    config = dcgan_digits.get_config()
    config.train.epochs, config.evals.every_epochs = 40, 5
    return config


def plant(word, config):
    """The experiment of config, changed so that word becomes true of it."""
    if word == "diverged":
        config.optim.gen.lr *= 100
        config.optim.disc.lr *= 100
    if word == "copying":  # a step an epoch, and as many steps
        config.data.num_train = config.train.batch_size = 32
        config.train.epochs, config.evals.every_epochs = 22 * config.train.epochs, 22 * config.evals.every_epochs
    if word == "discriminator saturated":
        config.objective.disc_moves = 20
    built = experiment.build(config)
    if word == "mode collapse":
        nets = find("models", "dcgan").build(config.model, built.train.images.shape[1:])
        deaf = nets | {"gen": Net(Deaf(nets["gen"].module), nets["gen"].inputs)}
        built = built._replace(objective=find("objectives", "gan").build(deaf, config.objective))
    return built


@pytest.mark.parametrize("word,config,seed", [
    *[(word, small, 0) for word in ("healthy", "mode collapse")],
    *[pytest.param(word, full, seed, marks=pytest.mark.slow) for word in WORDS for seed in (1, 2, 3)],
])
def test_verdict(word, config, seed, tmp_path):
    config = config()
    config.seed, config.evals.during = seed, ("gan_signals",)
    workdir = Workdir(tmp_path)
    workdir.claim()
    session = Session(plant(word, config), workdir)
    with Interrupts() as interrupts:
        session.train(interrupts)
    verdict = gan_health.verdict(gan_health.signals(session.metrics.records()))
    print(verdict)
    assert verdict.startswith(word)
