"""The stranger test: what lies in tests/strangers comes in as new files, with no line changed anywhere."""
import importlib
import itertools
import json
import os
import re
import runpy
import signal
from pathlib import Path

import numpy as np
import pytest

from configs import base
from gen_jax import find
from gen_jax.data import made_up
from gen_jax.errors import UserError
from gen_jax.find import find as part
from gen_jax.models.vae import mlp_vae
from gen_jax.modes import sample, train
from gen_jax.objectives import elbo
from gen_jax.optimizers import adam
from gen_jax.report.workdir import Workdir
from gen_jax.training import loop
from gen_jax.training.interrupt import Interrupted, Interrupts

STRANGERS = Path(__file__).parent / "strangers"
ROOMS = ("data", "data.kinds", "models", "objectives", "evals")


@pytest.fixture(autouse=True)
def strangers(monkeypatch):
    """The strangers' files, each in its room."""
    for room in ROOMS:
        package = __import__(f"gen_jax.{room}", fromlist=["__path__"])
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(STRANGERS.joinpath(*room.split(".")))])


def config_of(**sections):
    """A run of 12 steps of batch 16 with these sections; made-up images if it has no data."""
    config = base.get_config()
    config.data = made_up.hp(num_train=48, num_test=20)
    for name, section in sections.items():
        config[name] = section
    config.train.update({"batch_size": 16, "epochs": 4, "ema_decay": 0.5})
    config.checkpoint.every_epochs = 1
    config.evals.update({"during": ("samples", "gan_signals"), "every_epochs": 2, "batch_size": 16,
                         "end": ("gan_losses", "samples", "reconstructions", "traversals", "brightness",
                                 "log_likelihood", "elbo", "concepts", "arithmetic", "latent_walk")})
    return config


def points():
    """A VAE on a points data set."""
    return config_of(data=part("data", "crescent").hp(radius=2.0), model=mlp_vae.hp(widths=(16,), latent_dim=2),
                     objective=elbo.hp(likelihood="gaussian_learned"), optim={"vae": adam.hp()})


def vq():
    """A conditional VQ-VAE with an EMA codebook in its own collection."""
    return config_of(model=part("models", "vq_nets").hp(), objective=part("objectives", "vq").hp(),
                     optim={"vq": adam.hp()})


def acgan():
    """An AC-GAN."""
    return config_of(model=part("models", "ac_nets").hp(), objective=part("objectives", "acgan").hp(),
                     optim={"gen": adam.hp(), "disc": adam.hp()})


def kind():
    """A VAE on a kind of data of its own."""
    return config_of(data=part("data", "compass").hp(), model=mlp_vae.hp(widths=(16,), latent_dim=1),
                     objective=elbo.hp(likelihood="gaussian_learned"), optim={"vae": adam.hp()})


def trained(config, path, monkeypatch=None, stop_at=None):
    """The result of a run in path, which is asked to stop at a step if one is named."""
    if stop_at is not None:
        monkeypatch.setattr(loop, "STRETCH_SECONDS", 0.0)  # looks at signals after each step
        asked, requested = itertools.count(), Interrupts.requested

        def stopping(interrupts):
            if next(asked) == stop_at:
                signal.raise_signal(signal.SIGTERM)
            return requested(interrupts)
        with monkeypatch.context() as patch, pytest.raises(Interrupted):
            patch.setattr(Interrupts, "requested", stopping)
            workdir = Workdir(path)
            train.train(config, workdir)
        os.close(workdir._lock)  # as the end of the process would
        return None
    train.train(config, Workdir(path))
    return json.loads((path / "result.json").read_bytes())


@pytest.mark.parametrize("make,metrics", [
    (points, {"test/recon", "neg_elbo/test", "log_px/test"}),
    (vq, {"test/apart", "test/perplexity"}),
    (acgan, {"disc/loss", "gen/named", "test/named", "test16/gen_loss", "samples/nearest"}),
    (kind, {"test/recon", "log_px/test"}),
], ids=["points", "vq", "acgan", "kind"])
def test_one_more_is_one_file(make, metrics, tmp_path, monkeypatch):
    straight = trained(make(), tmp_path / "straight")
    assert metrics | {"brightness"} <= {*straight["metrics"]}
    assert all(np.isfinite(value) for value in straight["metrics"].values() if not isinstance(value, str))
    assert (tmp_path / "straight" / "figures" / "samples.png").exists()
    if make in (points, kind):  # their nets and their game are those of other tests
        return
    bare = make()
    bare.evals.end = ()
    trained(bare, tmp_path / "stopped", monkeypatch, stop_at=5)
    resumed = trained(bare, tmp_path / "stopped")
    assert resumed["state_sha256"] == straight["state_sha256"]
    records = [(tmp_path / run / "metrics.jsonl").read_bytes() for run in ("straight", "stopped")]
    assert records[0] == records[1]


def test_a_codebook_lives_and_wanted_classes_are_drawn(tmp_path):
    config = vq()
    config.evals.update({"end": (), "every_epochs": 0})
    trained(config, tmp_path / "vq")
    sample.sample(Workdir(tmp_path / "vq"), {}, {"label": "3,7"}, num=6)
    with np.load(tmp_path / "vq" / "samples.npz") as arrays:
        assert arrays["given_label"].tolist() == [3, 7] * 3
        assert arrays["latents"].dtype == np.int32 and arrays["x"].shape == (6, 8, 8, 1)
    with pytest.raises(UserError, match="there is no such label; did you mean '3'|There are: 0, 1, 2"):
        sample.sample(Workdir(tmp_path / "vq"), {}, {"label": "33"}, num=6)
    with pytest.raises(UserError, match="it can be asked for: label"):
        sample.sample(Workdir(tmp_path / "vq"), {}, {"colour": "red"}, num=6)


def test_unknown_names_are_listed_with_the_nearest():
    with pytest.raises(UserError, match="there is no 'mlp_vea'; did you mean 'mlp_vae'.*mlp_autoencoder"):
        find.find("models", "mlp_vea")
    with pytest.raises(UserError, match="There are: acgan, autoencoder, dcgan, elbo, gan, vq"):
        find.find("objectives", "_adversarial")  # a helper, not an objective


def test_the_files_that_the_documentation_shows_train_as_they_stand(tmp_path, monkeypatch):
    text = (Path(__file__).parent.parent / "docs" / "extending.md").read_text()
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        path = tmp_path / "clone" / block.split("\n", 1)[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block)
    for room in ("data", "models.vae", "objectives"):
        package = importlib.import_module(f"gen_jax.{room}")
        folder = tmp_path.joinpath("clone", "gen_jax", *room.split("."))
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    config = runpy.run_path(str(tmp_path / "clone" / "configs" / "denoising.py"))["get_config"]()
    config.train.epochs, config.evals.end = 6, ("reconstructions",)
    train.train(config, Workdir(tmp_path / "run"))
    records = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert records[-1]["test/loss"] < 0.7 * records[0]["test/loss"]
    assert (tmp_path / "run" / "figures" / "reconstructions.png").exists()
