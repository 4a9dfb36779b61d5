"""The launcher as a user meets it: one line for each fault, signals, kills, resumes; in processes of its own."""
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
SMALL = ["--config.model.widths=(16,)", "--config.data.num_train=512", "--config.evals.end=()",
         "--config.train.batch_size=16", "--config.evals.every_epochs=0", "--config.checkpoint.every_epochs=1"]


def launch(*args, cwd=ROOT):
    """A finished launch.py with these arguments."""
    return subprocess.run([sys.executable, str(ROOT / "launch.py"), *args], capture_output=True, text=True, cwd=cwd,
                          timeout=120)


def start(workdir, epochs):
    """A launch.py in the background, some of whose steps are done."""
    process = subprocess.Popen([sys.executable, str(ROOT / "launch.py"), f"--workdir={workdir}", *SMALL,
                                f"--config.train.epochs={epochs}"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(Path(workdir).glob("checkpoints/*/manifest.json")):
        assert process.poll() is None and time.monotonic() < deadline, process.stderr.read()
        time.sleep(0.02)
    return process


def result(workdir):
    return json.loads((Path(workdir) / "result.json").read_bytes())


@pytest.mark.parametrize("args,said", [
    (["--config.train.epcohs=3", "--config.trian.epochs=3", "--config.seed=1e3", "--confg=x", "--mode=trian", "seed=3",
      "--config.optim.vae.lr=-1"],
     ["config.train has no key 'epcohs'; did you mean 'epochs'", "config has no key 'trian'; did you mean 'train'",
      "--config.seed=1e3: invalid literal", "--confg: there is no such flag; did you mean 'config'?",
      "--mode=trian: value should be one of <train|eval|sample|data|dry|bench>", "'seed=3': not a flag",
      "optim.vae.lr=-1.0: must be positive"]),
    (["--config.optim.vae.name=adamm", "--config.model.latent_dim=0", "--config.data.name=digit", "--config.seed=-1"],
     ["did you mean 'adam'", "model.latent_dim=0: must be 1 or more", "seed=-1: must be at least 0",
      "data: there is no 'digit'; did you mean 'digits'"]),
    (["--config.evals.concepts=('thin->bald',)", "--config.evals.plane=(0,99)", "--config.evals.arithmetic=('1->0',)"],
     ["no class or attribute 'bald'; did you mean 'bold'", "two latents, each index from 0 to 7",
      "must be two concepts"]),
    (["--config=configs/vae_mnits.py"], ["there is no such file; did you mean 'configs/vae_mnist.py'"]),
    (["--config.train.batch_size=5000"], ["train.batch_size=5000 is more than the 1438 training images"]),
    (["--mode=eval", "--workdir=/nowhere/run"], ["no run there"]),
    (["--workdir=/proc/run"], ["cannot write there"]),
], ids=lambda value: value[0][:24])
def test_a_fault_is_one_line_and_exit_code_2(args, said):
    done = launch(*args)
    lines = [line for line in done.stderr.splitlines() if line.startswith("launch.py: ")]
    assert done.returncode == 2 and len(lines) == len(said), done.stderr
    assert all(any(text in line for line in lines) for text in said), lines
    assert "Traceback" not in done.stderr


def test_a_config_file_that_raises_keeps_its_traceback(tmp_path):
    (tmp_path / "broken.py").write_text("def get_config():\n    return 1 / 0\n")
    done = launch(f"--config={tmp_path / 'broken.py'}")
    assert "Traceback" in done.stderr and "ZeroDivisionError" in done.stderr


def test_stopped_killed_and_resumed_runs_end_in_the_same_bits(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert launch(f"--workdir={whole}", *SMALL, "--config.train.epochs=200").returncode == 0
    process = start(broken, 200)
    second = launch(f"--workdir={broken}", *SMALL, "--config.train.epochs=200")
    assert second.returncode == 2 and "another process is at work there" in second.stderr
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    assert "stopped at step" in process.stderr.read()
    process = start(broken, 200)
    time.sleep(1)
    process.kill()
    process.wait()
    other = launch(f"--workdir={broken}", *SMALL, "--config.train.epochs=200", "--config.optim.vae.lr=0.5")
    assert other.returncode == 2 and "optim.vae.lr: 0.002 -> 0.5" in other.stderr
    assert launch(f"--workdir={broken}", *SMALL, "--config.train.epochs=200").returncode == 0
    assert result(broken)["state_sha256"] == result(whole)["state_sha256"]
    assert (broken / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


def test_a_loss_that_is_not_finite_names_step_and_player(tmp_path):
    done = launch(f"--workdir={tmp_path}", *SMALL, "--config.optim.vae.name=sgd", "--config.optim.vae.lr=1e30")
    assert done.returncode == 3 and re.search(r"step \d+: vae/.* is not finite", done.stderr.splitlines()[-1])


def test_a_second_interrupt_leaves_at_once(tmp_path):
    process = start(tmp_path / "run", 100_000)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) in (130, -signal.SIGINT)


def test_other_data_than_the_run_was_trained_on_are_refused(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (64, 8, 8), np.uint8)
    run = [f"--workdir={tmp_path / 'run'}", *SMALL, "--config.train.epochs=1", "--config.data.name=npz",
           f"--config.data.path={tmp_path / 'a.npz'}"]
    np.savez(tmp_path / "a.npz", images=images)
    assert launch(*run).returncode == 0
    images[0, 0, 0] ^= 1
    np.savez(tmp_path / "a.npz", images=images)
    for mode in ("train", "sample"):
        done = launch(*run[:1], *(run[1:] if mode == "train" else []), f"--mode={mode}")
        assert done.returncode == 2 and "data_fingerprint" in done.stderr, done.stderr


KILLED = """
import os, signal, sys
from gen_jax import run
from gen_jax.report.workdir import Workdir
from gen_jax.training import checkpoint
from configs import vae_digits
owner, name, call, workdir = eval(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
whole, calls = getattr(owner, name), []
def killed(*args, **kwargs):
    calls.append(1)
    if len(calls) == call:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(*args, **kwargs)
setattr(owner, name, killed)
config = vae_digits.get_config("smoke")
config.train.epochs = 4
config.evals.update({"end": (), "every_epochs": 0})
run.train(config, Workdir(workdir))
"""


def train_until_killed(workdir, owner="os", name="_exit", call=1):
    """KILLED in a process of its own."""
    return subprocess.run([sys.executable, "-c", KILLED, owner, name, str(call), str(workdir)], cwd=ROOT,
                          capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def never_killed(tmp_path_factory):
    """result.json of a run that nothing disturbed."""
    workdir = tmp_path_factory.mktemp("whole")
    assert train_until_killed(workdir).returncode == 0
    return result(workdir)


@pytest.mark.parametrize("owner,name,call", [
    ("checkpoint", "_save_arrays", 2), ("checkpoint.os", "replace", 5),
    ("checkpoint.shutil", "rmtree", 1)])
def test_killed_inside_a_save(owner, name, call, tmp_path, never_killed):
    assert train_until_killed(tmp_path, owner, name, call).returncode == -signal.SIGKILL
    done = train_until_killed(tmp_path)
    assert done.returncode == 0, done.stderr
    assert result(tmp_path)["state_sha256"] == never_killed["state_sha256"]
    assert not list((tmp_path / "checkpoints").glob("*.*"))


def test_other_modes(tmp_path):
    run = [f"--config={ROOT / 'configs' / 'vae_digits.py'}:smoke"]
    def launch_here(*args):
        return launch(*args, cwd=tmp_path)
    workdir = tmp_path / "runs" / "vae_digits_smoke"
    dry = launch_here(*run, "--mode=dry")
    assert dry.returncode == 0 and "parameters: " in dry.stdout and "MFLOP" in dry.stdout
    assert not workdir.exists()
    shown = launch_here(*run, "--mode=data")
    assert shown.returncode == 0 and "train: 96 images of 8x8x1 uint8" in shown.stdout
    assert (workdir / "data.png").exists()
    trained = launch_here(*run, "--config.evals.end=()")
    assert trained.returncode == 0, trained.stderr
    sampled = launch_here(*run, "--mode=sample", "--num=10")
    assert sampled.returncode == 0, sampled.stderr
    samples = np.load(workdir / "samples.npz")
    assert samples["images"].shape == (10, 8, 8, 1) and samples["images"].dtype == np.uint8
    before = result(workdir)
    (workdir / "result.json").unlink()
    drawn = launch_here(f"--workdir={workdir}", "--mode=eval", "--config.evals.end=('elbo','manifold')")
    assert drawn.returncode == 0, drawn.stderr
    assert {"elbo/test", *before["metrics"]} <= set(result(workdir)["metrics"])
    assert result(workdir)["state_sha256"] == before["state_sha256"]
    assert (workdir / "figures" / "manifold.png").exists()


def test_a_write_that_fails_halfway_harms_nothing(tmp_path):
    run = [f"--workdir={tmp_path}", *SMALL]
    assert launch(*run, "--config.train.epochs=2", "--config.optim.vae.schedule=constant").returncode == 0
    before = result(tmp_path)["state_sha256"]
    command = " ".join(["ulimit -f 4;", sys.executable, str(ROOT / "launch.py"), *(f"'{arg}'" for arg in run),
                        "--config.train.epochs=4", "--config.optim.vae.schedule=constant"])
    full = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert full.returncode == 2 and "launch.py: --workdir" in full.stderr, full.stderr  # Orbax's threads add their own
    assert result(tmp_path)["state_sha256"] == before
    assert launch(*run, "--config.train.epochs=4", "--config.optim.vae.schedule=constant").returncode == 0
