"""Verdicts on GANs that were made to fail, and on healthy ones: they take minutes, so run them with `-m slow`."""
import jax
import pytest
from flax import linen as nn

from configs import dcgan_digits
from gen_jax import experiment
from gen_jax.evals.health import _gan_ailments
from gen_jax.experiment import seen
from gen_jax.models.gan import dcgan
from gen_jax.modes._session import Session
from gen_jax.objectives import gan
from gen_jax.report.workdir import Workdir
from gen_jax.training.interrupt import Interrupts
from gen_jax.types import Net

FAILURES = {"none": "healthy", "rate": "diverged", "deaf": "mode collapse", "five": "mode collapse",
            "few": "copying", "moves": "discriminator saturated"}


class Deaf(nn.Module):
    """A generator that knows only so many latents: all others are taken for one of these."""

    inner: nn.Module
    latents: int

    def __call__(self, z, train):
        known = jax.random.normal(jax.random.key(0), (self.latents, z.shape[-1]))
        return self.inner(known[z[:, :self.latents].argmax(-1)], train)


def small():
    """dcgan_digits with few channels, and for few epochs."""
    config = dcgan_digits.get_config()
    config.model.update({"gen_widths": (32, 32), "disc_widths": (32, 32)})
    config.train.epochs, config.evals.every_epochs = 6, 1
    return config


def full():
    """dcgan_digits for 40 epochs."""
    config = dcgan_digits.get_config()
    config.train.epochs, config.evals.every_epochs = 40, 5
    return config


def plant(failure, config):
    """The experiment of config, changed so that it fails."""
    if failure == "rate":
        config.optim.gen.lr *= 100
        config.optim.disc.lr *= 100
    if failure == "few":  # a step an epoch, and as many steps
        config.data.num_train = config.train.batch_size = 32
        config.train.epochs, config.evals.every_epochs = 22 * config.train.epochs, 22 * config.evals.every_epochs
    if failure == "moves":
        config.objective.disc_steps = 20
    built = experiment.build(config)
    if failure in ("deaf", "five"):
        nets = dcgan.build(config.model, built.spec)
        deaf = nets | {"gen": Net(Deaf(nets["gen"].module, 1 if failure == "deaf" else 5), nets["gen"].inputs)}
        built = built._replace(objective=seen(gan.build(deaf, config.objective, built.spec), built.spec))
    return built


@pytest.mark.slow
@pytest.mark.parametrize("failure,config,seed", [
    ("five", small, 0), ("none", small, 0), *[(failure, full, seed) for failure in FAILURES for seed in (1, 2, 3)]])
def test_verdict(failure, config, seed, tmp_path):
    config = config()
    config.seed, config.evals.during = seed, ("gan_signals",)
    workdir = Workdir(tmp_path)
    workdir.claim()
    session = Session(plant(failure, config), workdir)
    with Interrupts() as interrupts:
        session.train(interrupts)
    verdict = _gan_ailments.verdict(_gan_ailments.signals(session.metrics.records()))
    print(verdict)
    assert verdict.startswith(FAILURES[failure])
