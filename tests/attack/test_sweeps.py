"""A sweep that is killed or stopped leaves no process behind, and ends in the bits of one that nothing disturbed."""
import fcntl
import os
import random
import signal
import time

import pytest
from _launched import ended, outcome, start

from gen_jax import child
from gen_jax.report.files import read_json

pytestmark = pytest.mark.slow
GROUP = ["--seeds=2", "--sweep=config.objective.beta=1,2", "--config.train.epochs=40"]
FOLDERS = [f"objective.beta={beta}/seed_{seed}" for beta in (1, 2) for seed in (1, 2)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a sweep that nothing disturbed."""
    group = tmp_path_factory.mktemp("whole")
    code, err = ended(group, *GROUP)
    assert code == 0, err
    assert [run["folder"] for run in read_json(group / "sweep.json")["runs"]] == FOLDERS
    return group


def saved(group):
    return {path for path in group.glob("*/*/checkpoints/*/manifest.json") if path.parent.name.isdecimal()}


def until_more_is_saved(group, process, num):
    """Waits until the process has saved num checkpoints."""
    seen, before = set(), saved(group)
    while len(seen) < num:
        assert process.poll() is None, process.stderr.read()
        seen |= saved(group) - before
        time.sleep(0.02)


def is_held(folder):
    """Whether some process is at work there."""
    with open(folder / ".lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_a_sweep_killed_three_times_ends_as_an_unkilled_one(whole, tmp_path):
    rng = random.Random(0)
    for _ in range(3):
        process = start(tmp_path, *GROUP)
        until_more_is_saved(tmp_path, process, 2)
        time.sleep(rng.uniform(0, 1))
        process.kill()
        process.communicate()
        deadline = time.monotonic() + 5  # sooner than another launch comes to its first run
        while any(is_held(lock.parent) for lock in tmp_path.glob("**/.lock")):
            assert time.monotonic() < deadline, "a process was left behind"
            time.sleep(0.05)
    code, err = ended(tmp_path, *GROUP)
    assert code == 0, err
    assert [outcome(tmp_path / folder) for folder in FOLDERS] == [outcome(whole / folder) for folder in FOLDERS]


def test_a_stopped_sweep_is_saved_and_goes_on(whole, tmp_path):
    process = start(tmp_path, *GROUP)
    until_more_is_saved(tmp_path, process, 1)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 143 and b"of 4 runs are finished, and the others are saved" in err, err
    logs = [log.read_text() for log in tmp_path.glob("*/*/launch.log")]
    assert logs and all("stopped at step" in log or "stopped before" in log for log in logs), logs
    assert ended(tmp_path, *GROUP)[0] == 0
    assert [outcome(tmp_path / folder) for folder in FOLDERS] == [outcome(whole / folder) for folder in FOLDERS]


def test_a_run_of_a_sweep_is_a_run_alone_on_as_many_cores(whole, tmp_path):
    cores = child.own_cores()
    share = max(len(cores) // min(len(cores), len(FOLDERS)), 1)
    pinned = {**os.environ, child.CORES: ",".join(map(str, cores[:share]))}
    code, err = ended(tmp_path, "--config.train.epochs=40", "--config.objective.beta=2", "--config.seed=2", env=pinned)
    assert code == 0, err
    assert outcome(tmp_path) == outcome(whole / "objective.beta=2" / "seed_2")


def test_a_run_that_diverges_stops_no_other(tmp_path):
    code, err = ended(tmp_path, "--config.optim.vae.name=sgd", "--sweep=config.optim.vae.lr=1e9,1e-6",
                      "--config.train.epochs=2")
    assert code == 3 and "1 of 2 runs failed" in err and "optim.vae.lr=1e9: exit code 3: step" in err, err
    assert (tmp_path / "optim.vae.lr=1e-6" / "result.json").exists()
