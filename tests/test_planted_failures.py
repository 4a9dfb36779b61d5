"""Verdicts on GANs that were made to fail, and on healthy ones: minutes long, so run with `-m slow`."""
import pytest
from test_gan_evals import Deaf

from configs import dcgan_digits
from gen_jax import experiment
from gen_jax.evals import gan_health
from gen_jax.find import find
from gen_jax.models.net import Net
from gen_jax.report.workdir import Workdir
from gen_jax.session import Session
from gen_jax.training.interrupt import Interrupts

RUNS = [(word, seed) for word in ("healthy", "diverged", "mode collapse", "copying") for seed in (1, 2, 3)]


@pytest.mark.slow
@pytest.mark.parametrize("word,seed", [*RUNS, ("discriminator saturated", 1)])
def test_verdict(word, seed, tmp_path):
    config = dcgan_digits.get_config()
    config.seed, config.train.epochs = seed, 40
    config.evals.update({"during": ("gan_signals",), "every_epochs": 5})
    if word == "diverged":
        config.optim.gen.lr *= 100
        config.optim.disc.lr *= 100
    if word == "copying":  # a step an epoch, and as many steps
        config.data.num_train = config.train.batch_size = 32
        config.train.epochs, config.evals.every_epochs = 40 * 22, 5 * 22
    if word == "discriminator saturated":
        config.objective.disc_moves = 20
    built = experiment.build(config)
    if word == "mode collapse":
        nets = find("models", "dcgan").build(config.model, built.train.images.shape[1:])
        deaf = nets | {"gen": Net(Deaf(nets["gen"].module), nets["gen"].inputs)}
        built = built._replace(objective=find("objectives", "gan").build(deaf, config.objective))
    workdir = Workdir(tmp_path)
    workdir.claim()
    session = Session(built, workdir)
    with Interrupts() as interrupts:
        session.train(interrupts)
    assert gan_health.verdict(gan_health.signals(session.metrics.records())).startswith(word)
