"""Many mistakes as command lines: each is one line and exit code 2, or runs; and signals in every mode.

Command lines are run in this process, as tests/test_launch.py does; what the environment changes, and signals, take
processes of their own. `pytest -m slow tests/attack/test_mistakes.py` takes some minutes.
"""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_launch import run  # noqa: F401

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent.parent
VAE, GAN, LAB, MOONS = (f"--config=configs/{name}.py:smoke"
                        for name in ("vae_digits", "dcgan_digits", "lab_ring", "lab_moons_vae"))
HUGE = 10**20
PATIENT = 12  # seconds: those that a call outside of Python is waited for, and those of a busy machine

MISTAKES = [  # (config, key, values)
    (VAE, "evals.concepts.pairs", ["(1,2)", "((1,),)", "('1->0',3)", "('1->',)", "('1',)", "('->',)"]),
    (VAE, "evals.arithmetic.pair", ["(1,2)", "('thin->bold',None)", "('thin->bold',)"]),
    (VAE, "evals.interpolation.pairs", ["('a','b')", "(0.5,1)", "((0,1),)", "(True,False)", "(0,)", "(0,99)"]),
    (VAE, "evals.latent_scatter.plane", ["('a','b')", "(0,0)", "(0,)", "(0,99)"]),
    (VAE, "evals.manifold.plane", ["(0.5,1.5)", "((0,),1)", "(-1,0)"]),
    (VAE, "evals.end", ["(1,2)", "((),)", "('elbow',)"]),
    (VAE, "evals.samples.num", [10**18, 2**62, 10**8, HUGE, 7, 0, -1]),
    (VAE, "evals.log_likelihood.weights", [10**12, 2**31, HUGE, 0]),
    (VAE, "evals.batch_size", [10**12, HUGE, 0]),
    (VAE, "train.batch_size", [97, HUGE, 0]),
    (VAE, "train.epochs", [2**31 - 1, 10**12, HUGE, 0, "3.0", "None", "x"]),
    (VAE, "train.steps", [10**12, HUGE, 0]),
    (VAE, "train.on_device_gb", ["-1", "nan", "inf"]),
    (VAE, "train.ema_decay", ["nan", "1", "-0.1"]),
    (VAE, "train.ema_nets", ["enc", "x"]),
    (VAE, "checkpoint.keep", [0, HUGE]),
    (VAE, "checkpoint.best", ["health/verdict", "nothing", "step", "epoch"]),
    (VAE, "objective.beta", ["nan", "inf", "0.5,1", "-1", "x"]),
    (VAE, "objective.scale", ["nan", "inf", "0", "1e300"]),
    (VAE, "objective.likelihood", ["x", "3"]),
    (VAE, "optim.vae.lr", ["inf", "nan", "0", "-1"]),
    (VAE, "optim.vae.clip_norm", ["inf", "nan", "-1"]),
    (VAE, "optim.vae.name", ["5", "adamm"]),
    (VAE, "model.latent_dim", [10**9, 2**31 - 1, 2**31, HUGE, 0, "2.5"]),
    (VAE, "model.widths", ["(1000000000,)", f"({HUGE},)", "(True,)", "(1.5,)", "('a',)", "((1,),)", "()",
                           "(" + "1," * 65 + ")"]),
    (VAE, "model.latent_gain", ["inf"]),
    (VAE, "model", ["3", "None"]),
    (VAE, "optim", ["{}"]),
    (VAE, "data.num_train", [2**31 - 1, 10**12, HUGE, 0]),
    (VAE, "data.num_test", [10**12]),
    (VAE, "data.shape", ["(8,8)", "(8,8,1,1)", "(8,8,2)", "(8.5,8,1)", "('a',8,1)", "(100000,100000,3)",
                         f"({HUGE},8,1)", "(True,8,1)"]),
    (VAE, "data.classes", ["(1,2)", ",,", "3,3", "x"]),
    (VAE, "seed", ["-5", 2**32, HUGE, "1.5", "None", "x"]),
    (GAN, "model.kernel_size", [2**31, 10**6, HUGE, 0]),
    (GAN, "model.gen_widths", ["(" + "16," * 40 + ")", f"({2**31 - 1},16)"]),
    (GAN, "model.disc_widths", ["(" + "16," * 40 + ")"]),
    (GAN, "model.slope", ["nan", "inf"]),
    (GAN, "objective.disc_steps", [10**9, 10**4, HUGE, 0]),
    (GAN, "objective.penalties", ["3"]),
    (GAN, "objective.penalties.r1", ["3"]),
    (GAN, "objective.penalties.r1.weight", ["-1", "inf"]),
    (GAN, "objective.loss", ["x"]),
    (GAN, "objective.augment", ["x", "3"]),
    (LAB, "evals.modes.samples", [10**12, 0]),
    (LAB, "data.centres", ["((0,),)", "(('a',0),)", "5", "(0,1)", "((1e400,0),)", "()"]),
    (LAB, "data.std", ["inf", "0"]),
    (LAB, "data.num_train", [10**12, 2**31 - 1]),
    (LAB, "model.disc_pieces", [10**9]),
    (LAB, "model.disc_scale", ["nan"]),
    (MOONS, "evals.exact_density.side", [10**6, 1]),
    (MOONS, "evals.exact_density.picture", [10**5, 1]),
    (MOONS, "train.batch_size", [2**31 - 1]),
]


def one_line(code, err):
    """Whether a launch ended as a user's mistake does."""
    return code == 2 and "launch.py: " in err and "Traceback" not in err


@pytest.mark.parametrize("config,key,values", MISTAKES, ids=lambda value: value if isinstance(value, str) else "")
def test_values(config, key, values, run, tmp_path):  # noqa: F811
    for value in values:
        began = time.monotonic()
        code, _, err = run(config, f"--workdir={tmp_path / 'run'}", f"--config.{key}={value}")
        assert one_line(code, err), (key, value, err[-2000:])
        assert time.monotonic() - began < 30, (key, value)


@pytest.mark.parametrize("words,said", [
    (["--num=x"], "--num=x"), (["--mode="], "--mode="), (["--mode=sample"], "no run there"),
    (["--config.seed", "-5"], "seed=-5"), (["--config.seed"], "a whole number"),
    (["--flagfile=/nonexistent"], "flagfile"), (["--flagfile=/tmp"], "flagfile"),
    (["--config=/tmp"], "no such file"), (["--config="], "no such file"),
    (["--config=:smoke"], "no such file"), (["--noconfig.evals.x"], "has no key 'x'"), (["seed=3"], "not a flag")],
    ids=lambda value: "" if isinstance(value, str) else value[-1])
def test_words(words, said, run, tmp_path):  # noqa: F811
    code, _, err = run(VAE, f"--workdir={tmp_path / 'run'}", *words)
    assert one_line(code, err) and said in err, err


def test_evals_of_very_few_images(run, tmp_path):  # noqa: F811
    random = np.random.default_rng(0)
    for train, test, classes in ((2, 1, 2), (3, 3, 3), (4, 2, 1), (10, 10, 10)):
        parts = {f"x_{split}": random.integers(0, 255, (num, 8, 8), np.uint8) for split, num in
                 (("train", train), ("test", test))}
        np.savez(tmp_path / "few.npz", y_train=np.arange(train) % classes, y_test=np.arange(test) % classes, **parts)
        for config, more in (("vae_digits", ["--config.evals.interpolation.pairs=(0,0)", "--config.model.latent_dim=2",
                                             "--config.evals.concepts.pairs=('thin->bold','0->0')"]),
                             ("dcgan_digits", ["--config.evals.end=('gan_health','samples','samples_over_time')"])):
            code, _, err = run(f"--config=configs/{config}.py", "--config.data.name=npz", "--config.data.cache=False",
                               f"--config.data.path={tmp_path / 'few.npz'}", "--config.train.batch_size=2",
                               "--config.train.epochs=1", "--config.checkpoint.every_epochs=1", *more,
                               "--config.evals.every_epochs=1", f"--workdir={tmp_path / f'{config}{train}{test}'}")
            assert "Traceback" not in err and code in (0, 2), err


def test_an_eval_asked_for_later_brings_its_settings(run, tmp_path):  # noqa: F811
    assert run(MOONS, f"--workdir={tmp_path}", "--config.evals.end=()")[0] == 0
    code, _, err = run("--mode=eval", f"--workdir={tmp_path}", "--config.evals.exact_density.side=20",
                       "--config.evals.log_likelihood.weights=3",
                       "--config.evals.end=('log_likelihood','exact_density')")
    assert code == 0, err
    code, _, err = run("--mode=eval", f"--workdir={tmp_path}", "--config.evals.exact_density.sid=20")
    assert one_line(code, err) and "did you mean 'side'" in err
    for num in (10**12, HUGE, -1, 0):
        code, _, err = run("--mode=sample", f"--workdir={tmp_path}", f"--num={num}")
        assert one_line(code, err), err


# Processes of their own

def launched(*args, **env):
    return subprocess.Popen([sys.executable, str(ROOT / "launch.py"), *args], cwd=ROOT, env={**os.environ, **env},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("name,value,code", [
    ("JAX_ENABLE_X64", "1", 2), ("JAX_ENABLE_X64", "maybe", 2), ("JAX_DISABLE_JIT", "1", 2),
    ("JAX_PLATFORMS", "cuda", 2), ("JAX_PLATFORMS", "nonsense", 2),
    ("JAX_TRACEBACK_FILTERING", "nonsense", 2), ("JAX_DEFAULT_PRNG_IMPL", "x", 2),
    ("JAX_DEFAULT_PRNG_IMPL", "rbg", 2), ("JAX_DEFAULT_MATMUL_PRECISION", "x", 2),
    ("JAX_NUMPY_DTYPE_PROMOTION", "strict", 2), ("XDG_CACHE_HOME", __file__, 0), ("MPLCONFIGDIR", __file__, 0),
    ("MPLBACKEND", "nonsense", 0), ("JAX_COMPILATION_CACHE_DIR", __file__, 0), ("TMPDIR", "/nonexistent", 0),
    ("COLUMNS", "abc", 0), ("XLA_FLAGS", "--xla_nonsense=1", 1)])
def test_environment(name, value, code, tmp_path):
    process = launched(VAE, f"--workdir={tmp_path}", "--config.evals.end=('manifold',)", **{name: value})
    _, err = process.communicate(timeout=300)
    assert process.returncode == code and "Traceback" not in err, err
    assert code == 0 or name in err.upper(), err


@pytest.mark.parametrize("word,said", [("--jax_enable_x64", "JAX_ENABLE_X64"), ("--jax_enable_x64=maybe", "maybe"),
                                       ("--jax_disable_jit", "JAX_DISABLE_JIT"), ("--v=abc", "--v=abc"),
                                       ("--jax_platforms=cuda", "JAX_PLATFORMS")])
def test_flags_of_others(word, said, tmp_path):
    process = launched(VAE, f"--workdir={tmp_path}", word)
    _, err = process.communicate(timeout=300)
    assert one_line(process.returncode, err) and said in err, err


@pytest.mark.parametrize("signum,code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["term", "int"])
@pytest.mark.parametrize("what,args,seconds", [
    ("start", [VAE], 0.3),
    ("data", ["--config=configs/vae_digits.py", "--mode=data", "--config.data.name=made_up",
              "--config.data.num_train=3000000"], 8),
    ("bench", ["--config=configs/dcgan_cars.py", "--mode=bench", "--config.data.name=made_up",
               "--config.data.shape=(32,32,3)", "--config.data.classes="], 10),
    ("compile", ["--config=configs/dcgan_cars.py", "--mode=dry", "--config.data.name=made_up",
                 "--config.data.shape=(32,32,3)", "--config.objective.name=gan",
                 "--config.objective.disc_steps=40", "--config.data.classes="], 12),
    ("eval", ["--config=configs/vae_digits.py", "--config.train.epochs=1", "--config.checkpoint.every_epochs=1",
              "--config.evals.end=('log_likelihood',)", "--config.evals.every_epochs=1",
              "--config.evals.log_likelihood.weights=1000000"], 15),
    ("judge", ["--config=configs/dcgan_digits.py", "--config.train.epochs=1", "--config.checkpoint.every_epochs=1",
               "--config.evals.end=('quality',)", "--config.evals.every_epochs=1"], 20),
], ids=lambda value: value if isinstance(value, str) else "")
def test_signals(what, args, seconds, signum, code, tmp_path):
    process = launched(*args, f"--workdir={tmp_path / 'run'}", XDG_CACHE_HOME=str(tmp_path / "cache"))
    time.sleep(seconds)
    assert process.poll() is None, process.stderr.read()
    process.send_signal(signum)
    began = time.monotonic()
    _, err = process.communicate(timeout=60)
    assert time.monotonic() - began < PATIENT
    assert process.returncode == code and "Traceback" not in err, err
    assert err.splitlines()[-1].startswith("launch.py: stopped"), err
