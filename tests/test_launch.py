"""The launcher as a user meets it: one line for each fault, signals, kills, resumes.

Command lines are run in this process; signals, kills and exit codes take processes of their own.
"""
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from absl import flags

handlers = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
import launch  # noqa: E402, I001

for signum, handler in handlers.items():  # the launcher has set its own
    signal.signal(signum, handler)

import _compiling  # noqa: E402

from gen_jax import command_line  # noqa: E402
from gen_jax.errors import UserError  # noqa: E402
from gen_jax.find import names  # noqa: E402
from gen_jax.modes import train  # noqa: E402
from gen_jax.report.workdir import Workdir  # noqa: E402
from gen_jax.terms.penalties import r1  # noqa: E402
from gen_jax.training import _arrays, checkpoint  # noqa: E402

ROOT = Path(__file__).parent.parent
SMALL = ["--config.model.widths=(16,)", "--config.data.num_train=512", "--config.evals.end=()",
         "--config.train.batch_size=16", "--config.evals.every_epochs=0", "--config.checkpoint.every_epochs=1"]
EPOCHS = "--config.train.epochs=24"


@pytest.fixture
def run(monkeypatch, capsys):
    """run(*args): launch.py with these arguments, in this process: (exit code, stdout, stderr)."""
    monkeypatch.chdir(ROOT)
    hold, claimed = Workdir._hold, []
    monkeypatch.setattr(Workdir, "_hold", lambda self, folders: claimed.append(self) or hold(self, folders))

    def run(*args):
        monkeypatch.setattr(flags, "FLAGS", flags.FlagValues())
        try:
            launch.or_exit(launch.main, launch.or_exit(command_line.parse, ["launch.py", *args],
                                                       str(launch.DEFAULT_CONFIG)))
            code = 0
        except SystemExit as end:
            code = end.code
        while claimed:  # as the end of a process does
            release(claimed.pop())
        return code, *capsys.readouterr()
    return run


def release(workdir):
    """Ends the claim to workdir."""
    if workdir._lock is not None:
        os.close(workdir._lock)
        workdir._lock = None


def parsed(monkeypatch, *args):
    """What command_line makes of args."""
    monkeypatch.setattr(flags, "FLAGS", flags.FlagValues())
    return command_line.parse(["launch.py", *args], str(launch.DEFAULT_CONFIG))


# Processes compile as this one does, so that their bits are its bits.
AS_HERE = {**os.environ, "XLA_FLAGS": _compiling.FLAGS}


def process(*args, cwd=ROOT):
    """A finished process of launch.py with these arguments."""
    return subprocess.run([sys.executable, str(ROOT / "launch.py"), *args], capture_output=True, text=True, cwd=cwd,
                          timeout=120, env=AS_HERE)


def start(workdir, epochs=EPOCHS):
    """A process of launch.py in the background, some of whose steps are done."""
    def saved():
        return {path.parent.name for path in Path(workdir).glob("checkpoints/*/manifest.json")}
    before = saved()
    running = subprocess.Popen([sys.executable, str(ROOT / "launch.py"), f"--workdir={workdir}", *SMALL, epochs],
                               cwd=ROOT, stderr=subprocess.PIPE, text=True, env=AS_HERE)
    deadline = time.monotonic() + 60
    while not saved() - before:
        assert running.poll() is None and time.monotonic() < deadline, running.stderr.read()
        time.sleep(0.02)
    return running


def result(workdir):
    return json.loads((Path(workdir) / "result.json").read_bytes())


# Faults

@pytest.mark.parametrize("args,said", [
    (["--config.train.epcohs=3", "--config.trian.epochs=3", "--config.seed=1e3", "--confg=x", "--mode=trian", "seed=3",
      "--config.optim.vae.lr=-1"],
     ["config.train has no key 'epcohs'; did you mean 'epochs'", "config has no key 'trian'; did you mean 'train'",
      "--config.seed=1e3: must be a whole number", "--confg: there is no such flag; did you mean 'config'?",
      f"--mode=trian: value should be one of <{'|'.join(names('modes'))}>", "'seed=3': not a flag",
      "optim.vae.lr=-1.0: must be positive"]),
    (["--config=configs/lab_ring.py:smoke", "--config.train.epochs=3", "--config.evals.every_epochs=2"],
     ["--config.train.epochs: has no effect where train.steps=12", "--config.evals.every_epochs: has no effect"]),
    (["--config.seed", "-5", "--config.objective.beta=0.5,1", "--config.train.epochs=3.0", "--config.model=3"],
     ["seed=-5: must be at least 0", "beta=0.5,1: must be a finite number, at least 0", "a whole number, positive",
      "is not a dict"]),
    (["--config.evals.concepts.pairs=(1,2)", "--config.evals.arithmetic.pair=('a',None)", "--config.seed=-5",
      "--config.evals.interpolation.pairs=(True,0)", "--config.evals.manifold.plane=('a','b')"],
     ["concepts.pairs=(1, 2): must be a tuple of texts", "arithmetic.pair=('a', None): must be a tuple of texts",
      "seed=-5: must be", "pairs=(True, 0): must be a tuple of whole numbers", "plane=('a', 'b'): must be a tuple of"]),
    (["--config.optim.vae.name=adamm", "--config.model.latent_dim=0", "--config.data.name=digit", "--config.seed=-1"],
     ["did you mean 'adam'", "model.latent_dim=0: must be at least 1 and below 2**31", "seed=-1: must be at least 0",
      "data: there is no 'digit'; did you mean 'digits'"]),
    (["--config.evals.concepts.pairs=('thin->bald',)", "--config.evals.latent_scatter.plane=(0,99)",
      "--config.evals.arithmetic.pair=('1->0',)"],
     ["no class or attribute 'bald'; did you mean 'bold'", "two latents, each index from 0 to 7",
      "must be two concepts"]),
    (["--config.data.name=folder", "--config.data.sise=(8,8)"], ["config.data has no key 'sise'; did you mean 'size'"]),
    (["--config.evals.end=('losses','elbow')"], ["evals: there is no 'elbow'; did you mean 'elbo'"]),
    (["--config=configs/vae_mnits.py"], ["there is no such file; did you mean 'configs/vae_mnist.py'"]),
    (["--config=configs/vae_digits.py:smok"], ["there is no variant 'smok' of this config; there is :smoke"]),
    (["--config.train.batch_size=5000"], ["train.batch_size=5000 is more than the 1438 training examples"]),
    (["--mode=eval", "--workdir=/nowhere/run"], ["no run there"]),
    (["--mode=eval", "--only=,"], ["--only=',': must be names of evals"]),
    (["--given.label=3"], ["--given: --mode=train has no such flag; it is of --mode=sample"]),
    (["--workdir=/proc/run"], ["cannot write there"]),
    (["--flagfile=/nonexistent"], ["--flagfile: Unable to open flagfile"]),
], ids=lambda value: value[0][:24])
def test_a_fault_is_one_line_and_exit_code_2(args, said, run):
    code, _, err = run(*args)
    lines = [line for line in err.splitlines() if line.startswith("launch.py: ")]
    assert code == 2 and len(lines) == len(said), err
    assert all(any(text in line for line in lines) for text in said), lines
    assert "Traceback" not in err


def test_a_process_that_fails_has_its_exit_code_and_no_traceback(tmp_path, run):
    done = process("--config.seed=-1", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.splitlines()[-1].startswith("launch.py: seed=-1: must be at least 0")
    code, _, err = run(f"--workdir={tmp_path}", *SMALL, "--config.optim.vae.name=sgd", "--config.optim.vae.lr=1e9")
    assert code == 3 and re.search(r"step \d+: vae/.* is not finite", err.splitlines()[-1])


@pytest.mark.parametrize("error", [MemoryError(), MemoryError("of 3 GB\nmore")], ids=["bare", "with words"])
def test_out_of_memory_is_one_line(error, capsys):
    def fail():
        raise error
    with pytest.raises(SystemExit):
        launch.or_exit(fail)
    assert re.fullmatch(r"launch.py: out of memory \((MemoryError|of 3 GB)\); make .* smaller\n",
                        capsys.readouterr().err)


def test_a_config_file_that_raises_keeps_its_traceback(tmp_path, run):
    (tmp_path / "broken.py").write_text("def get_config():\n    return 1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        run(f"--config={tmp_path / 'broken.py'}")
    (tmp_path / "empty.py").write_text("")
    assert "defines no get_config()" in run(f"--config={tmp_path / 'empty.py'}")[2]


# Overrides

def test_another_name_brings_that_part_s_settings_and_keeps_what_both_have(monkeypatch):
    config = parsed(monkeypatch, "--config.optim.vae.name=rmsprop", "--config.optim.vae.momentum=0.5",
                    "--config.data.name=folder", "--config.data.fit=crop", "--config.data.num_train=7").config
    optim = config.optim.vae
    assert (optim.name, optim.momentum, optim.decay, optim.lr, optim.schedule) == ("rmsprop", 0.5, 0.9, 2e-3, "cosine")
    assert "b1" not in optim
    assert (config.data.name, config.data.fit, config.data.num_train, config.data.test_fraction) == (
        "folder", "crop", 7, 0.2)


def test_an_eval_s_and_a_penalty_s_section_come_by_a_flag(monkeypatch):
    launched = parsed(monkeypatch, "--config=configs/dcgan_digits.py", "--config.objective.penalties.r1.weight=0.5",
                      "--config.objective.extras.feature_matching.weight=2", "--config.evals.exact_density.side=10",
                      "--config.evals.end=('samples','interpolation')")
    objective, evals = launched.config.objective, launched.config.evals
    assert list(objective.penalties) == ["r1"] and objective.penalties.r1.to_dict() == r1.hp(weight=0.5).to_dict()
    assert objective.extras.feature_matching.weight == 2.0
    assert evals.exact_density.side == 10 and evals.exact_density.examples == 500
    assert "pairs" in evals.interpolation and evals.samples.num == 64
    assert launched.overrides["objective.penalties.r1.weight"] == 0.5
    with pytest.raises(UserError, match="objective.penalties has no key 'r3'"):
        parsed(monkeypatch, "--config=configs/dcgan_digits.py", "--config.objective.penalties.r3.weight=0.5")
    with pytest.raises(UserError, match="evals.concepts has no key 'pears'; did you mean 'pairs'"):
        parsed(monkeypatch, "--config.evals.concepts.pears=()")


def test_help_and_dry_list_every_key_with_its_meaning(run, tmp_path):
    config = ["--config=configs/vae_digits.py:smoke", f"--workdir={tmp_path / 'run'}"]
    code, helped, _ = run(*config, "--help", "--config.data.name=folder")
    assert code == 0
    dry_code, dry, err = run(*config, "--mode=dry")
    assert dry_code == 0, err
    assert "parameters: " in dry and "MFLOP" in dry and "steps: 6 an epoch, 12 in all" in dry
    assert not (tmp_path / "run").exists()
    for text, start in ((helped, "  --config."), (dry, "")):
        for line in ("model.latent_dim = ", "optim.vae.lr = ", "objective.beta = ", "evals.samples.num = ",
                     "train.epochs = ", "seed = "):
            assert re.search(rf"^{start}{re.escape(line)}\S.* # \w", text, re.MULTILINE), line
    keys = [line for line in helped.splitlines() if line.startswith("  --config.")]
    without = [line for line in keys if "# " not in line]
    assert len(keys) > 40 and not without
    assert "--config.data.fit = 'refuse'" in helped
    for mode in ("train", "eval", "sample", "data", "dry", "bench", "report"):
        assert re.search(rf"^  {mode} +\S.*\.$", helped, re.MULTILINE), mode


# Runs that are stopped

def test_stopped_killed_and_resumed_runs_end_in_the_same_bits(tmp_path, run):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run(f"--workdir={whole}", *SMALL, EPOCHS)[0] == 0
    running = start(broken)
    code, _, err = run(f"--workdir={broken}", *SMALL, EPOCHS)
    assert code == 2 and "another process is at work there" in err
    running.send_signal(signal.SIGTERM)
    assert running.wait(30) == 143
    assert "stopped at step" in running.stderr.read()
    running = start(broken)
    running.kill()
    assert running.wait() == -signal.SIGKILL, "it had come to its end"
    code, _, err = run(f"--workdir={broken}", *SMALL, EPOCHS, "--config.optim.vae.lr=0.5")
    assert code == 2 and "optim.vae.lr: 0.002 -> 0.5" in err
    assert run(f"--workdir={broken}", *SMALL, EPOCHS)[0] == 0
    assert result(broken)["state_sha256"] == result(whole)["state_sha256"]
    assert (broken / "metrics.jsonl").read_bytes() == (whole / "metrics.jsonl").read_bytes()


def test_a_second_interrupt_leaves_at_once(tmp_path):
    running = start(tmp_path / "run", "--config.train.epochs=100000")
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGINT)
    assert running.wait(10) in (130, -signal.SIGINT)


class Killed(BaseException):
    """The end of a process: nothing of ours catches it, so that the disk is as a kill at this call leaves it."""


def train_until_killed(config, path, owner=None, name="", call=0):
    """Trains config in path, until the owner's function is called for the call-th time."""
    workdir, calls = Workdir(path), []
    with pytest.MonkeyPatch.context() as patch:
        if owner:
            whole = getattr(owner, name)

            def killed(*args, **kwargs):
                calls.append(1)
                if len(calls) == call:
                    raise Killed
                return whole(*args, **kwargs)
            patch.setattr(owner, name, killed)
        try:
            train.train(config, workdir)
        finally:
            release(workdir)


@pytest.fixture(scope="module")
def never_killed():
    """The digest of a run that nothing disturbed, once it has been made."""
    return {}


@pytest.mark.parametrize("owner,name,call", [
    (_arrays, "save", 2), (checkpoint.os, "replace", 5), (checkpoint.shutil, "rmtree", 1)],
    ids=["arrays", "rename", "removal"])
def test_killed_inside_a_save(owner, name, call, tiny_config, tmp_path, never_killed):
    tiny_config.train.epochs = 4
    if not never_killed:
        train_until_killed(tiny_config, tmp_path / "whole")
        never_killed["sha256"] = result(tmp_path / "whole")["state_sha256"]
    with pytest.raises(Killed):
        train_until_killed(tiny_config, tmp_path / "run", owner, name, call)
    assert list((tmp_path / "run" / "checkpoints").glob("*")) and not (tmp_path / "run" / "result.json").exists()
    train_until_killed(tiny_config, tmp_path / "run")
    assert result(tmp_path / "run")["state_sha256"] == never_killed["sha256"]
    assert not list((tmp_path / "run" / "checkpoints").glob("*.*"))


def test_a_write_that_fails_halfway_harms_nothing(tmp_path, run):
    keep_all = jax.config.jax_persistent_cache_min_compile_time_secs
    args = [f"--workdir={tmp_path}", *SMALL, "--config.optim.vae.schedule=constant"]
    assert run(*args, "--config.train.epochs=2")[0] == 0
    before, (soft, hard) = result(tmp_path)["state_sha256"], resource.getrlimit(resource.RLIMIT_FSIZE)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1e9)  # or half of a program would be kept
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        code, _, err = run(*args, "--config.train.epochs=4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", keep_all)
    assert code == 2 and "launch.py: --workdir" in err, err
    assert result(tmp_path)["state_sha256"] == before
    assert run(*args, "--config.train.epochs=4")[0] == 0


# Other modes

def test_other_data_than_the_run_was_trained_on_stop_training_and_no_sampling(tmp_path, run):
    images = np.random.default_rng(0).integers(0, 255, (64, 8, 8), np.uint8)
    where = f"--workdir={tmp_path / 'run'}"
    args = [*SMALL, "--config.train.epochs=1", "--config.data.name=npz", f"--config.data.path={tmp_path / 'a.npz'}"]
    np.savez(tmp_path / "a.npz", images=images)
    assert run(where, *args)[0] == 0
    images[0, 0, 0] ^= 1
    np.savez(tmp_path / "a.npz", images=images)
    for words, expected in ((args, 2), (["--mode=eval", "--only=elbo"], 0)):
        code, _, err = run(where, *words)
        assert code == expected and "fingerprint" in err, err
    code, _, err = run(where, "--mode=sample", "--num=2")
    assert code == 0 and "fingerprint" not in err, err


def test_other_modes(tmp_path, run, monkeypatch):
    monkeypatch.chdir(tmp_path)
    smoke, workdir = [f"--config={ROOT / 'configs' / 'vae_digits.py'}:smoke"], tmp_path / "runs" / "vae_digits_smoke"
    code, out, _ = run(*smoke, "--mode=data")
    assert code == 0 and "train: 96 examples of kind image, 8x8x1 uint8" in out
    assert (workdir / "data.png").exists()
    code, _, err = run(*smoke, "--config.evals.end=()")
    assert code == 0, err
    code, _, err = run(*smoke, "--mode=sample", "--num=10")
    assert code == 0, err
    samples = np.load(workdir / "samples.npz")
    assert samples["x"].shape == (10, 8, 8, 1) and samples["x"].dtype == np.uint8
    assert samples["latents"].shape[0] == 10
    code, _, err = run(*smoke, "--mode=sample", "--given.label=3")
    assert code == 2 and "does not condition on 'label'" in err
    before = result(workdir)
    (workdir / "result.json").unlink()
    code, _, err = run(f"--workdir={workdir}", "--mode=eval", "--config.evals.end=('elbo','manifold')")
    assert code == 0, err
    assert {"neg_elbo/test", *before["metrics"]} <= set(result(workdir)["metrics"])
    assert result(workdir)["state_sha256"] == before["state_sha256"]
    assert (workdir / "figures" / "manifold.png").exists()
    code, _, err = run(f"--workdir={workdir}", "--mode=eval", "--config.model.latent_dim=3")
    assert code == 2 and "model.latent_dim" in err and "cannot be changed for a run that has been trained" in err
