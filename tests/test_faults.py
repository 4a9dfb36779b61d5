"""What users get wrong, and what goes wrong around them: one line each, and nothing is lost."""
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ml_collections import ConfigDict

from gen_jax import data, experiment, memory, runtime
from gen_jax.command_line import _join_values, load_config
from gen_jax.config import FORMAT, check_form, declared, validate
from gen_jax.data import npz, points, tfds
from gen_jax.errors import UserError
from gen_jax.evals.health import losses
from gen_jax.evals.latent import manifold
from gen_jax.modes import train
from gen_jax.modes._session import Session
from gen_jax.modes.eval import evaluate
from gen_jax.report.files import read_json
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run
from gen_jax.training.interrupt import Interrupted, Interrupts
from gen_jax.types import Move

ROOT = Path(__file__).parent.parent
CONFIG = "from configs import vae_digits\ndef get_config(variant=''):\n    config = vae_digits.get_config('smoke')\n"


def lines(function, *args, **changes):
    """The lines of the UserError that a call raises."""
    with pytest.raises(UserError) as caught:
        function(*args, **changes)
    assert not any("\n" in line for line in caught.value.faults)
    return caught.value.faults


# Configs

@pytest.mark.parametrize("text,variant,said", [
    ("def get_config():\n    pass\n", "", "is NoneType, not a ConfigDict"),
    ("def get_config():\n    return {}\n", "", "is dict, not a ConfigDict"),
    ("get_config = 5\n", "", "defines no get_config()"),
    ("def get_config():\n    pass\n", ":smoke", "takes no variant"),
    ("def get_config(variant):\n    pass\n", "", "takes a variant"),
    (b"x = 1\0", "", "cannot be read as a Python file"),
    (b"# caf\xe9", "", "cannot be read as a Python file"),
    (CONFIG + "    config.model = {'latent_dim': 3}\n    return config\n", "", "has no model.name"),
    (CONFIG + "    del config.optim\n    config.optim = [1]\n    return config\n", "", "has no section optim"),
    (CONFIG + "    config.trian = {}\n    return config\n", "", "did you mean 'train'"),
    (CONFIG + "    del config.evals.end\n    config.evals.end = 'elbo'\n    return config\n", "", "a tuple of texts"),
    (CONFIG + "    from gen_jax.models.vae import mlp_vae\n    config.model = mlp_vae.hp(latent_dims=3)\n", "",
     "did you mean 'latent_dim'"),
    (CONFIG + "    from gen_jax.models.vae import mlp_vae\n    config.model = mlp_vae.hp(latent_dim='x')\n", "",
     "must be a whole number"),
], ids=lambda value: str(value)[-30:])
def test_config_files(text, variant, said, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    path = tmp_path / "mine.py"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (line,) = lines(load_config, f"{path}{variant}")
    assert said in line


def test_values_have_types_and_ranges_whoever_sets_them(tiny_config):
    for key, value, said in [
        ("evals.concepts.pairs", (1, 2), "a tuple of texts"), ("evals.interpolation.pairs", (0.5, 1), "whole numbers"),
        ("evals.interpolation.pairs", (True, False), "whole numbers"), ("model.widths", (16, "a"), "whole numbers"),
        ("model.widths", (1,) * 65, "1 to 64 positive"), ("data.shape", (8, 8), "(height, width, channels)"),
        ("data.shape", (8, 8, 2), "channels"), ("optim.vae.clip_norm", float("inf"), "a finite number"),
        ("train.on_device_gb", -1.0, "at least 0"), ("objective.beta", float("nan"), "a finite number"),
        ("model.latent_dim", 2**31, "below 2**31"), ("evals.samples.num", 10**8, "up to 10,000"),
        ("seed", True, "a whole number"), ("train.epochs", 10**20, "below 2**31"), ("data.num_train", 0, "positive")]:
        config = tiny_config.copy_and_resolve_references()
        section, _, last = key.rpartition(".")
        owner = config
        for part in filter(None, section.split(".")):
            owner = owner[part]
        del owner[last]
        owner[last] = value
        (line,) = lines(validate, config)
        assert line.startswith(f"{key}=") and said in line and len(line) < 200, line
    assert declared(tiny_config)["model.widths"].text == (
        "a tuple of whole numbers, 1 to 64 positive whole numbers below 2**31, as in (256,) or (512,256)")
    check_form(tiny_config, "it")


def test_tuples_of_tuples_are_stored_and_read_back(tiny_config, workdir):
    tiny_config.data = points.hp(shape="mixture", centres=((0.0, 1.0), (2.0, 3.0)))
    tiny_config.derived = ConfigDict({"format": FORMAT, "run": "1"})
    workdir.adopt(tiny_config)
    assert workdir.stored_config().data.centres == tiny_config.data.centres
    workdir.adopt(tiny_config)


def test_a_negative_value_is_no_flag():
    assert _join_values(["--config.seed", "-5", "-x=3", "--num", "-.5", "--mode", "dry", "--flag", "--other"]) == [
        "--config.seed=-5", "--x=3", "--num=-.5", "--mode=dry", "--flag", "--other"]


# Memory and JAX

def test_what_cannot_fit_is_refused_by_its_size_before_it_is_allocated(tiny_config):
    assert memory.size(0) == "0 bytes" and memory.size(3.25e12) == "3.25 TB" and memory.size(999) == "999 bytes"
    traced = jax.make_jaxpr(jax.jit(lambda x: (x[:, None] * x[None]).sum()))(jnp.zeros(1000)).jaxpr
    assert memory.of_largest(traced) == 4_000_000
    tiny_config.model.latent_dim = 2**31 - 1
    (line,) = lines(experiment.build(tiny_config).begin)
    assert "would take 1.29 TB of memory" in line and "make the nets smaller" in line
    tiny_config.data.num_train = 2**31 - 1
    assert "2,147,483,647 images" in lines(data.load, tiny_config.data, "train")[0]


def test_jax_as_it_must_be(monkeypatch):
    runtime.check()
    with jax.enable_x64(True):
        (line,) = lines(runtime.check)
    assert "JAX_ENABLE_X64" in line

    def fails():
        raise RuntimeError("Unable to initialize backend 'cuda'\nmore")
    monkeypatch.setattr(jax, "devices", fails)
    (line,) = lines(runtime.check)
    assert "Unable to initialize backend 'cuda'; unset" in line


# Games and evals

def test_a_game_that_does_not_fit_its_players(tiny_config, monkeypatch):
    from gen_jax.objectives import elbo
    build = elbo.build
    for changes, said in ((lambda game: {"moves": (*game.moves, Move("nobody", None))}, "'nobody', who owns no net"),
                          (lambda game: {"owns": {"vae": ("enc", "dek")}}, "'vae' owns the net 'dek'"),
                          (lambda game: {"moves": ()}, "has no moves")):
        with monkeypatch.context() as patch:
            patch.setattr(elbo, "build", lambda *args, c=changes: build(*args)._replace(**c(build(*args))))
            assert said in lines(experiment.build, tiny_config)[0]


def test_a_loss_that_gives_other_than_what_a_step_needs(tiny_config, monkeypatch):
    from gen_jax.objectives import elbo
    build = elbo.build
    game = experiment.build(tiny_config).objective

    def renamed(vars, batch, keys):
        value, aux = game.moves[0].loss(vars, batch, keys)
        return value, aux._replace(terms={"los": value})

    def forgetful(vars, batch, keys):
        value, aux = game.moves[0].loss(vars, batch, keys)
        return value, aux._replace(state={})
    for loss, said in ((renamed, "the loss of vae gives the terms los; one must be called loss"),
                       (forgetful, "the loss of vae gives Aux no state of enc, dec")):
        with monkeypatch.context() as patch:
            patch.setattr(elbo, "build", lambda *args, loss=loss: build(*args)._replace(moves=(Move("vae", loss),)))
            assert said in lines(experiment.build(tiny_config).begin)[0]


def test_an_eval_that_fails_keeps_no_other_from_its_numbers(tiny_config, workdir, monkeypatch, capsys):
    tiny_config.evals.end = ("losses", "manifold", "elbo")
    for error, raised in ((UserError("odd data"), UserError), (ZeroDivisionError("a bug"), ZeroDivisionError)):
        def evaluate(trained, error=error):
            raise error
        monkeypatch.setattr(losses, "evaluate", evaluate)
        if raised is ZeroDivisionError:
            workdir.result.unlink()
        with pytest.raises(raised):
            train.train(tiny_config, workdir)
        assert "neg_elbo/test" in read_json(workdir.result)["metrics"]
        assert (workdir.figures / "manifold.png").exists()
    assert "eval losses: failed (ZeroDivisionError: a bug)" in capsys.readouterr().err


def test_evals_that_a_kill_has_kept_from_running_run_at_the_next_launch(tiny_config, workdir, monkeypatch, capsys):
    tiny_config.evals.end = ("losses", "manifold", "elbo")
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(manifold, "evaluate", lambda trained: sys.exit())
        train.train(tiny_config, workdir)
    assert [*read_json(workdir.result)["evals"]] == ["losses"]
    with monkeypatch.context() as patch:
        patch.setattr(losses, "evaluate", lambda trained: pytest.fail("it has run"))
        train.train(tiny_config, workdir)
        assert [*read_json(workdir.result)["evals"]] == ["losses", "manifold", "elbo"]
        assert "neg_elbo/test" in read_json(workdir.result)["metrics"]
        assert "finished before" not in capsys.readouterr().err
    evaluate(workdir, {}, only="elbo")
    train.train(tiny_config, workdir)
    assert "finished before" in capsys.readouterr().err


def test_a_second_run_is_another_one_and_is_trained_after_the_first_is_compared(tiny_config, tmp_path):
    for name, other in (("a", "b"), ("b", "a"), ("c", "c")):
        (tmp_path / f"{name}.py").write_text(
            CONFIG + f"    config.evals.other, config.evals.end = {str(tmp_path / other)!r} + '.py', ('ae_vs_vae',)\n"
            "    return config\n")
    configs = {name: load_config(str(tmp_path / f"{name}.py")) for name in "ac"}
    assert "as this run itself" in lines(train.train, configs["c"], Workdir(tmp_path / "c"))[0]
    assert "where a run waits for this one" in lines(train.train, configs["a"], Workdir(tmp_path / "a"))[0]
    run = Workdir(tmp_path / "e" / "run")
    run.claim()
    run.adopt(experiment.build(tiny_config).config)
    configs["a"].seed = 1
    assert "has another config" in lines(train.train, configs["a"], run)[0]
    assert not (tmp_path / "e" / "b").exists()


# Signals

def test_a_signal_ends_at_once_what_loses_nothing_and_is_noted_elsewhere():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        with pytest.raises(Interrupted, match="stopped here") as caught, interrupts.at_once("stopped here"):
            signal.raise_signal(signal.SIGTERM)
            time.sleep(1)
        assert caught.value.exit_code == 143 and not isinstance(caught.value, Exception)
    with Interrupts() as interrupts:
        signal.raise_signal(signal.SIGINT)
        assert interrupts.requested()
        with pytest.raises(Interrupted), interrupts.at_once("stopped"):
            pytest.fail("a signal that came before is heeded")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_closed_terminal_stops_a_run_unless_nohup_keeps_that_away():
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with pytest.raises(Interrupted) as caught, Interrupts() as interrupts, interrupts.at_once("stopped"):
            signal.raise_signal(signal.SIGHUP)
        assert caught.value.exit_code == 129
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGHUP)
            assert not interrupts.requested()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_that_was_only_noted_is_passed_on():
    with Interrupts() as interrupts, pytest.raises(Interrupted, match="stopped"), interrupts.at_once("stopped"):
        with Interrupts():
            signal.raise_signal(signal.SIGTERM)
        pytest.fail("it is heeded after the inner one's end")


def test_a_signal_that_comes_where_nothing_can_be_raised_is_heeded_later(capsys):
    class Collected:
        def __del__(self):
            signal.raise_signal(signal.SIGTERM)
    with Interrupts() as interrupts:
        with interrupts.at_once("stopped", patient=True):
            Collected()
        with pytest.raises(Interrupted), interrupts.at_once("stopped"):
            pytest.fail("it is heeded here")
    assert not capsys.readouterr().err


def test_a_call_that_does_not_come_back_is_ended():
    code = """
import hashlib, sys
from gen_jax.training import interrupt
sys.argv, interrupt.PATIENCE = ["x/launch.py"], 0.1
with interrupt.Interrupts() as interrupts, interrupts.at_once("stopped"):
    try:
        print(flush=True)
    finally:
        hashlib.pbkdf2_hmac("sha256", b"x", b"y", 10**9)  # as a compilation: minutes outside of Python
"""
    running = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    running.stdout.readline()
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 143 and running.stderr.read() == b"launch.py: stopped\n"


def test_a_run_that_is_stopped_within_a_record_makes_it_again(tiny_config, tmp_path, monkeypatch, capsys):
    tiny_config.evals.update({"during": ("manifold",), "every_epochs": 1})
    tiny_config.checkpoint.best = "test/loss"
    whole, broken = Workdir(tmp_path / "whole"), Workdir(tmp_path / "broken")
    train.train(tiny_config, whole)
    draw, stops = manifold.evaluate, [signal.SIGTERM, None, signal.SIGINT]

    def evaluate(trained):
        if stops and (signum := stops.pop(0)):
            signal.raise_signal(signum)
        yield from draw(trained)
    monkeypatch.setattr(manifold, "evaluate", evaluate)
    for step in (6, 12):
        with pytest.raises(Interrupted, match=f"stopped at step {step} of 12 and saved"):
            train.train(tiny_config, broken)
        assert not broken.result.exists()
    MetricsLog(broken.metrics).append({"step": 12, "test/loss": 1.0})  # as a kill after it, before the save, leaves it
    assert [record["step"] for record in load_run(broken, {}).trained.history] == [6]
    train.train(tiny_config, broken)
    assert "as it was" not in capsys.readouterr().err
    assert not stops and broken.metrics.read_bytes() == whole.metrics.read_bytes()
    assert read_json(broken.result)["state_sha256"] == read_json(whole.result)["state_sha256"]
    sessions = [Session(experiment.build(tiny_config), run).checkpoints for run in (whole, broken)]
    assert sessions[0].best_step() == sessions[1].best_step() and sessions[0].steps() == sessions[1].steps()


# Data

def header(*shape):
    """A .npy file of so many bytes by its header, and of three."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + b"abc"


def npz_line(path, **changes):
    return lines(data.load, npz.hp(path=str(path), cache=False, **changes), "train")[0]


def test_npz_files_that_are_not_what_they_say(tmp_path, monkeypatch):
    path, x = tmp_path / "a.npz", np.zeros((4, 8, 8), np.uint8)
    for content in (header(10**10, 30, 33, 1), header(2**62, 2**62, 8)):
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("x.npy", content)
        assert "says that it holds" in npz_line(path) and "there are 131 bytes" in npz_line(path)
    (tmp_path / "a.npy").write_bytes(header(10**10, 30, 33, 1))
    assert "cannot be read" in npz_line(tmp_path / "a.npy")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("x", b"abc")
    assert "holds no arrays" in npz_line(path)
    np.savez(path, x=x)
    content = path.read_bytes()
    for at, value in ((6, 1), (8, 77)):  # encrypted; packed in a way that is not known
        odd = bytearray(content)
        odd[at], odd[content.index(b"PK\x01\x02") + at + 2] = value, value
        path.write_bytes(odd)
        assert "cannot be read" in npz_line(path)
    for labels, said in (([0, 1, 2, 10**9], "must be below 100,000"), ([0, 1, 2, 2**63 - 1], "must be below 100,000"),
                         ([0, 1, 2, -1], "must be 0..2")):
        np.savez(path, x=x, y=np.array(labels))
        assert said in npz_line(path)
    np.savez_compressed(path, x=np.zeros((1000, 100, 100), np.uint8))
    monkeypatch.setattr(memory, "of_machine", lambda: 9_000_000)
    assert "would take 10 MB of memory, and this machine has 9 MB" in npz_line(path)


def test_tfds_folders_whose_description_is_odd(tmp_path):
    folder = tmp_path / "mnist" / "3.0.1"
    folder.mkdir(parents=True)
    for text in ('{"splits": []}', '{"splits": 5}', '{"splits": [{"name": 5}]}', "[1]", "[" * 100_000,
                 json.dumps({"splits": [{"name": "train"}], "fileFormat": 3})):
        (folder / "dataset_info.json").write_text(text)
        assert "is damaged" in lines(data.load, tfds.hp(data_dir=str(tmp_path)), "train")[0]
    (folder / "dataset_info.json").write_text(json.dumps({"splits": [{"name": "train"}], "fileFormat": "array_record"}))
    os.symlink("loop", folder / "loop")
    assert "is damaged" in lines(data.load, tfds.hp(data_dir=str(tmp_path)), "train")[0]

