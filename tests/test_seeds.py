"""Groups of runs: --seeds and --sweep, in every form. Each run is the one that a launch of its own would be."""
import os
import signal
import time
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from ml_collections import ConfigDict
from test_launch import ROOT, parsed, release, result, run  # noqa: F401

from configs import vae_digits
from gen_jax import cgroup, child, experiment, sweeps
from gen_jax.errors import UserError
from gen_jax.modes import _group, train
from gen_jax.modes._group_runs import Failure, Group, GroupRun, planned
from gen_jax.modes._programs import Programs
from gen_jax.modes._seed_group import SeedGroup
from gen_jax.modes._session import Session
from gen_jax.modes.forms import loop, processes, vmap
from gen_jax.report.files import read_json
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run
from gen_jax.training.interrupt import Interrupted, Interrupts
from gen_jax.training.state import digest

TINY = ["--config=configs/vae_digits.py:smoke", "--config.model.widths=(16,)", "--config.model.latent_dim=2",
        "--config.objective.likelihood=bernoulli", "--config.evals.end=()", "--config.evals.every_epochs=0"]



# Grids

def test_values_are_parted_by_commas_outside_of_brackets_and_quotes():
    assert sweeps.split("1,2, 4") == ("1", "2", "4")
    assert sweeps.split("(64,32),(16,),('a,b',[1,(2,3)])") == ("(64,32)", "(16,)", "('a,b',[1,(2,3)])")
    assert sweeps.split("'a,b',\"c','d\",e") == ("'a,b'", "\"c','d\"", "e")


def test_folders_are_named_by_what_differs():
    axes = sweeps.axes(["config.objective.beta=1,2", "config.model.widths=(64,),(32, 16)"])

    def folders(*args):
        return [member.folder for member in sweeps.members(*args)]
    assert folders({}, range(3, 5), True) == ["seed_3", "seed_4"]
    assert folders({"objective.beta": ("1", "2")}, [0], False) == ["objective.beta=1", "objective.beta=2"]
    both = sweeps.members(axes, [0, 1], True)
    assert len(both) == 8 and both[3] == ("objective.beta=1,model.widths=(32,_16)/seed_1",
                                          {"objective.beta": "1", "model.widths": "(32, 16)"}, 1)


def test_more_runs_are_added_to_a_group_and_others_are_refused(tmp_path):
    def noted(axes, seeds, in_seeds=True):
        sweeps.note(tmp_path, "c.py", ["launch.py"], axes, sweeps.members(axes, seeds, in_seeds))
        return read_json(tmp_path / "sweep.json")
    assert noted({"a.b": ("1",)}, [0]) == {
        "config": "c.py", "command": ["launch.py"], "axes": {"config.a.b": ["1"]}, "seeds": [0],
        "runs": [{"folder": "a.b=1/seed_0", "overrides": {"a.b": "1"}, "seed": 0}]}
    more = noted({"a.b": ("2",)}, [0, 1])
    assert more["axes"] == {"config.a.b": ["1", "2"]} and more["seeds"] == [0, 1]
    assert [member["folder"] for member in more["runs"]] == ["a.b=1/seed_0", "a.b=2/seed_0", "a.b=2/seed_1"]
    for axes, in_seeds in (({}, True), ({"a.b": ("1",)}, False), ({"a.c": ("1",)}, True)):
        with pytest.raises(UserError, match="folders like a.b=1/seed_0"):
            noted(axes, [0], in_seeds)
    (tmp_path / "sweep.json").write_text('{"a": 1}')
    with pytest.raises(UserError, match="sweep.json: is not what was written there"):
        noted({}, [0])


@pytest.mark.parametrize("args,said", [
    (["--sweep", "config.objective.beat=1,2", "--sweep=config.model.latent_dim=2,2.5", "--sweep=config.model=1"],
     ["config.objective has no key 'beat'; did you mean 'beta'", "latent_dim=2.5: must be a whole number",
      "--config.model=1"]),
    (["--sweep=config.objective.beta=1,-2,-3"], ["objective.beta=-2.0: must be at least 0", "objective.beta=-3.0"]),
    (["--sweep=config.objective.beta=1,2", "--config.objective.beta=3"], ["--config.objective.beta is given too"]),
    (["--sweep=config.objective.beta=1,2,1", "--sweep=config.seed=1,2", "--sweep=objective.beta=1"],
     ["2 runs would be in objective.beta=1; give each value once", "seeds are asked for by --seeds=3",
      "must be a key and its values, as in --sweep config.objective.beta=1,2,4"]),
    (["--seeds=0", "--jobs=0", "--form=fork"], ["--seeds=0: must be from 1", "--jobs=0: must be positive", "--form"]),
    (["--sweep=config.objective.beta=1,2,1.0"], ["objective.beta=1.0 is the same run as objective.beta=1; give each"]),
    (["--seeds=2", "--form=loop", "--jobs=2"], ["--jobs: --form=loop trains one run at a time"]),
    (["--jobs=2"], ["--jobs, --form: are about several runs"]),
    (["--seeds=2", "--config.seed=4294967295"], ["the last is 4294967296"]),
    (["--seeds=2", "--config.evals.end=('ae_vs_vae',)", "--config.evals.other=configs/ae_mnist.py"],
     ["evals.other=configs/ae_mnist.py: several runs cannot train it first"]),
    (["--mode=dry", "--sweep=config.objective.beta=1,2"], ["--sweep: --mode=dry has no such flag"]),
    (["--mode=eval", "--seeds=2"], ["--seeds: --mode=eval has no such flag"]),
], ids=lambda value: value[0][:24])
def test_what_is_wrong_is_said_before_anything_runs(args, said, run, tmp_path):  # noqa: F811
    code, _, err = run(f"--workdir={tmp_path / 'run'}", *args)
    lines = [line for line in err.splitlines() if line.startswith("launch.py: ")]
    assert code == 2 and len(lines) == len(said) and "Traceback" not in err, err
    assert all(any(text in line for line in lines) for text in said), lines
    assert not list(tmp_path.glob("run/*"))


def test_what_a_flagfile_asks_for_is_of_the_group_and_not_of_its_runs(tmp_path, monkeypatch):
    (tmp_path / "flags").write_text("# of a group\n--seeds=3\n--sweep=config.objective.beta=1,2\n--config.seed=7\n")
    launch = parsed(monkeypatch, "--flagfile", str(tmp_path / "flags"), f"--workdir={tmp_path}", "--restart")
    runs, _ = planned(launch)
    assert len(runs) == 6 and runs[1].words == [
        "launch.py", "--config.objective.beta=1", f"--workdir={tmp_path}/objective.beta=1/seed_8", "--config.seed=8"]
    monkeypatch.setattr(child, "_parents", [0])
    with pytest.raises(RuntimeError, match="asked to train several"), open(tmp_path / "log", "wb") as log:
        child.start(runs[0].words, [], 0, log)


# Runs

@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("seeds")


@pytest.fixture(scope="module")
def config():
    """What TINY asks for."""
    config = vae_digits.get_config("smoke")
    config.model.update({"widths": (16,), "latent_dim": 2})
    config.objective.likelihood = "bernoulli"
    config.evals.update({"end": (), "every_epochs": 0})
    return config


@pytest.fixture(scope="module")
def solo(config, folder):
    """The folder of a run of seed 1, trained alone."""
    workdir = Workdir(folder / "solo")
    train.train(ConfigDict({**config, "seed": 1}), workdir)
    release(workdir)
    return workdir.path


@pytest.fixture(scope="module")
def sessions(config, folder):
    """sessions(name): of seeds 0 and 1, in folders of their own under that name, their programs shared."""
    built = experiment.build(config)
    programs = Programs(built)

    def make(name):
        made = []
        for seed in (0, 1):
            workdir = Workdir(folder / name / f"seed_{seed}")
            workdir.claim()
            made.append(Session(built._replace(config=experiment.seeded(built.config, seed)), workdir, programs))
        return made
    return make


def trained(sessions):
    """What has stopped some of them, when they have been trained in one program."""
    with Interrupts() as interrupts:
        return SeedGroup(dict.fromkeys(sessions)).train(interrupts)


@pytest.fixture(scope="module")
def together(sessions):
    """Sessions that have been trained in one program."""
    made = sessions("together")
    assert trained(made) == {}
    return made


def test_a_loop_over_seeds_gives_each_the_bits_of_a_run_alone(run, solo, tmp_path, monkeypatch):  # noqa: F811
    # It has tests of its own.
    monkeypatch.setattr(_group, "compare", lambda workdirs, out: [f"compared: {workdirs == [out]}"])
    group, words = tmp_path / "group", [*TINY, f"--workdir={tmp_path / 'group'}", "--form=loop"]
    code, out, err = run(*words, "--seeds=2")
    assert code == 0 and out.splitlines()[-1] == "compared: True", err
    assert result(group / "seed_1")["state_sha256"] == result(solo)["state_sha256"]
    assert MetricsLog(group / "seed_1" / "metrics.jsonl").records() == MetricsLog(solo / "metrics.jsonl").records()
    assert result(group / "seed_1")["config"] == result(solo)["config"], "a run that can be gone on with alone"
    before = (group / "seed_0" / "run.json").stat().st_mtime_ns
    monkeypatch.setattr(_group, "compare", lambda *_: 1 / 0)
    code, _, err = run(*words, "--seeds=3")
    assert code == 0 and "3 runs, 2 of them finished before" in err, err
    assert "comparison: could not be made (ZeroDivisionError: division by zero)" in err
    assert (group / "seed_0" / "run.json").stat().st_mtime_ns == before and (group / "seed_2" / "result.json").exists()
    for args, said in (([*words, "--seeds=3", "--config.objective.beta=3"], "objective.beta: 1.0 -> 3.0"),
                       ([*TINY, f"--workdir={group}"], "holds 3 runs, seed_0, seed_1, seed_2; name one of them"),
                       (["--mode=eval", f"--workdir={group}"], "holds 3 runs, seed_0, seed_1, seed_2; name one of"),
                       ([*TINY, f"--workdir={solo}", "--seeds=2"], "a single run is there")):
        code, _, err = run(*args)
        assert code == 2 and said in err, err
    assert not (group / "checkpoints").exists() and not (solo / "sweep.json").exists()
    monkeypatch.setattr(loop, "train_built", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    code, _, err = run(*words, "--seeds=3", "--restart", "--config.objective.beta=3")
    assert code == 143 and "leave --restart out of the next launch" in err, err
    assert len(list(group.glob("seed_?/old_1/result.json"))) == 3 and not list(group.glob("seed_?/result.json"))


def test_seeds_in_one_program_are_launched_like_any(run, together, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr(_group, "compare", lambda *_: [])
    code, _, err = run(*TINY, f"--workdir={tmp_path}", "--form=vmap", "--seeds=3", "--jobs=2")
    assert code == 0, err
    for i, mine in enumerate(together):
        assert result(tmp_path / f"seed_{i}")["state_sha256"] == digest(mine.progress.state)
    launches = [read_json(tmp_path / f"seed_{i}" / "run.json")["launches"] for i in range(3)]
    assert [launch["seeds_in_one_program"] for [launch] in launches] == [2, 2, 1]


def test_seeds_in_one_program_differ_from_runs_alone_by_rounding(solo, together):
    alone = load_run(Workdir(solo), {}).state
    for mine, wanted in zip(*map(jax.tree.leaves, (together[1].progress.state, alone)), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-5)
    for mine, wanted in zip(together[1].metrics.records(), MetricsLog(solo / "metrics.jsonl").records(), strict=True):
        assert mine == pytest.approx(wanted, rel=1e-5)
    losses = [session.metrics.records()[-1]["test/loss"] for session in together]
    assert abs(losses[0] - losses[1]) > 1e-3, "seeds differ"


def test_a_seed_that_diverges_stops_no_other(sessions, together):
    sound, bad = sessions("diverging")
    state = bad.progress.state
    planted = jax.tree.map(lambda leaf: leaf * np.nan, state.vars.params)
    bad.progress = bad.progress._replace(state=state.replace(vars=state.vars.replace(params=planted)))
    faults = trained([sound, bad])
    assert list(faults) == [bad] and "step 1: " in str(faults[bad])
    assert not bad.checkpoints.steps()
    assert sound.is_done and sound.metrics.records()[-1] == pytest.approx(together[0].metrics.records()[-1], rel=1e-5)


def test_a_seed_whose_eval_fails_is_saved_and_stops_no_other(sessions, together, monkeypatch):
    sound, bad = sessions("failing")
    monkeypatch.setattr(bad, "_test_metrics", lambda: 1 / 0)
    faults = trained([sound, bad])
    assert [*faults] == [bad] and isinstance(faults[bad], ZeroDivisionError)
    assert bad.checkpoints.steps() == [6] and not bad.metrics.records()
    assert sound.is_done and sound.metrics.records()[-1] == pytest.approx(together[0].metrics.records()[-1], rel=1e-5)


def test_seeds_in_one_program_go_on_after_a_signal_between_their_records(sessions, together, monkeypatch):
    calls, test_metrics = [], Session._test_metrics

    def signalled(self):
        calls.append(self)
        if len(calls) == 2:  # the second seed's, of the first epoch
            signal.raise_signal(signal.SIGTERM)
        return test_metrics(self)
    broken = sessions("broken")
    with monkeypatch.context() as patch, pytest.raises(Interrupted, match="stopped at step 6 of 12"):
        patch.setattr(Session, "_test_metrics", signalled)
        trained(broken)
    for session in broken:
        release(session.workdir)
    again = sessions("broken")
    assert [(session.step, session.due) for session in again] == [(6, False), (6, True)]
    trained(again)
    for mine, undisturbed in zip(again, together, strict=True):
        assert mine.metrics.records() == undisturbed.metrics.records()
        assert digest(mine.progress.state) == digest(undisturbed.progress.state)


# Processes

def script(tmp_path, name, text, total_steps=10):
    """A run whose process is a script in place of the launcher."""
    file = tmp_path / f"{name}.py"
    file.write_text(f"import os, signal, sys, time\n{text}\n")
    config = SimpleNamespace(derived=SimpleNamespace(total_steps=total_steps))
    return GroupRun(sweeps.Member(name, {}, 0), config, Workdir(tmp_path / name), [str(file)])


def ended(*runs, jobs=2):
    return processes.run(Group(list(runs), len(runs), 1e6, jobs))


def test_processes_keep_to_their_cores_and_one_that_fails_stops_no_other(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "blocked").write_text("no folder")
    pinned = f"sys.path.insert(0, {str(ROOT)!r})\nfrom gen_jax import child\nchild.begin()\n"
    failures = ended(script(tmp_path, "bad", "print('launch.py: step 7: vae/loss is not finite'); sys.exit(3)"),
                     script(tmp_path, "killed", "os.kill(os.getpid(), signal.SIGKILL)"),
                     script(tmp_path, "gone", f"os.rename({str(tmp_path / 'gone')!r}, 'away'); sys.exit(4)"),
                     script(tmp_path, "blocked", ""),
                     *(script(tmp_path, f"good{i}", pinned + "print(*os.sched_getaffinity(0))") for i in range(3)))
    assert "cannot write there (File exists)" in failures.pop("blocked").line
    assert failures == {"gone": (4, "exit code 4: "), "bad": (3, "exit code 3: step 7: vae/loss is not finite"),
                        "killed": (137, "killed by signal 9; where memory is short, set --jobs lower")}
    cores = child.own_cores()
    for i in range(3):
        own = (tmp_path / f"good{i}" / "launch.log").read_text().split()
        assert len(own) == max(len(cores) // 2, 1) and {*map(int, own)} <= {*cores}
    assert "bad: exit code 3" in capsys.readouterr().err


@pytest.mark.parametrize("happens,raised,said", [
    (lambda: signal.raise_signal(signal.SIGTERM), Interrupted, "0 of 3 runs are finished, and the others are saved"),
    (lambda: 1 / 0, ZeroDivisionError, "division by zero"),
], ids=["signal", "fault"])
def test_what_stops_the_launcher_reaches_every_process_and_is_waited_for(happens, raised, said, tmp_path, monkeypatch):
    waits = ("signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), sys.exit(143)))\n"
             "print('ready', flush=True)\ntime.sleep(60)")
    runs = [script(tmp_path, name, waits) for name in "abc"]
    show = processes.Processes._show

    def stopped(self):
        logs = [tmp_path / name / "launch.log" for name in "ab"]
        if not self.interrupts.requested() and all(log.exists() and log.read_text() for log in logs):
            happens()
        show(self)
    monkeypatch.setattr(processes.Processes, "_show", stopped)
    with pytest.raises(raised, match=said):
        ended(*runs)
    assert [(tmp_path / name / "launch.log").read_text() for name in "ab"] == ["ready\nsaved\n"] * 2
    assert not (tmp_path / "c").exists(), "no further one is started"


def test_a_process_ends_with_its_parent(tmp_path):
    (tmp_path / "child.py").write_text(f"import sys, time\nsys.path.insert(0, {str(ROOT)!r})\nfrom gen_jax import child"
                                       "\nchild.begin()\nprint('ready', flush=True)\ntime.sleep(60)\n")
    with open(tmp_path / "log", "wb") as log, child.leash() as leash:
        process = child.start([str(tmp_path / "child.py")], [], leash, log)
        while not (tmp_path / "log").read_bytes():
            assert process.poll() is None
            time.sleep(0.01)
    assert process.wait(10) == child.ORPHANED


def test_processes_are_for_cpus(monkeypatch):
    def form(name):
        return _group._form(SimpleNamespace(options={"form": name, "jobs": None}))
    assert form("auto") is processes
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert form("auto") is vmap
    with pytest.raises(UserError, match="--form=processes: is for CPUs"):
        form("processes")


def test_the_exit_code_of_failed_runs_is_never_that_of_a_stopped_launch():
    stopped, bad = Failure(143, "exit code 143: stopped"), Failure(3, "exit code 3: diverged")
    assert _group._failed({"a": stopped, "b": bad}, 4).exit_code == 3
    assert _group._failed({"a": stopped}, 4).faults == (
        "1 of 4 runs failed; the same command trains them on", "a: exit code 143: stopped")
    assert _group._failed({"a": stopped}, 4).exit_code == 1


def test_limits_of_a_job_are_found_above_it_and_in_it(tmp_path, monkeypatch):
    def limits(own, **files):
        monkeypatch.setattr(cgroup, "ROOT", tmp_path / "fs")
        monkeypatch.setattr(cgroup, "OWN", tmp_path / "own")
        (tmp_path / "own").write_text(own)
        for path, text in files.items():
            (tmp_path / "fs" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "fs" / path).write_text(text)
        return cgroup.memory(), cgroup.cores()
    assert limits("0::/") == (float("inf"), float("inf"))
    assert limits("0::/job_1/step\n", **{
        "memory.max": "8000\n", "job_1/memory.max": "6000\n", "job_1/step/memory.max": "max\n",
        "cpu.max": "max 100000\n", "job_1/cpu.max": "150000 100000\n"}) == (6000, 1.5)
    assert limits("4:memory:/slurm/job_2\n2:cpu,cpuacct:/slurm/job_2\n", **{
        "memory/slurm/memory.limit_in_bytes": "9000\n", "memory/slurm/job_2/memory.limit_in_bytes": "7000\n",
        "cpu/slurm/job_2/cpu.cfs_quota_us": "400000\n", "cpu/slurm/job_2/cpu.cfs_period_us": "100000\n",
        "cpu/slurm/cpu.cfs_quota_us": "-1\n", "cpu/slurm/cpu.cfs_period_us": "100000\n"}) == (7000, 4)


def test_processes_that_are_timed_begin_together(tmp_path):
    (tmp_path / "child.py").write_text(
        f"import sys, time\nsys.path.insert(0, {str(ROOT)!r})\nfrom gen_jax import child\nchild.begin()\n"
        "time.sleep(float(sys.argv[1]))\nready = time.monotonic()\nchild.wait_for_others()\n"
        "print(ready, time.monotonic())\n")
    started = []
    program, gate = str(tmp_path / "child.py"), tmp_path / "gate"
    with child.leash() as leash:
        with child.gate(gate, started):
            for delay in ("0", "0.3"):
                with open(tmp_path / delay, "wb") as log:
                    started.append(child.start([program, delay], [], leash, log, str(gate)))
        assert [process.wait(10) for process in started] == [0, 0]
    ready, began = zip(*(map(float, (tmp_path / delay).read_text().split()) for delay in ("0", "0.3")), strict=True)
    assert max(ready) <= min(began)


def test_as_many_processes_as_cores_and_memory_allow(monkeypatch):
    def at_once(num_runs, num_bytes, cores=range(8), jobs=None):
        monkeypatch.setattr(child, "own_cores", lambda: list(cores))
        return processes.slots(Group([], num_runs, num_bytes, jobs))
    monkeypatch.setattr(processes.memory, "of_machine", lambda: 10e9)
    monkeypatch.setattr(processes.cgroup, "cores", lambda: quota)
    quota = 2.5
    assert at_once(20, 1e9) == [[0], [1]]
    quota = float("inf")
    assert at_once(20, 1e9) == [[i] for i in range(8)]
    assert at_once(20, 2e9) == [[0, 1], [2, 3], [4, 5], [6, 7]]
    assert at_once(3, 1e9) == [[0, 1], [2, 3], [4, 5]]
    assert at_once(3, 20e9) == [list(range(8))]
    assert at_once(9, 1e9, cores=(4, 6), jobs=3) == [[4], [6], [4]]
    assert len(at_once(2, 1e9, cores=())) == min(2, os.cpu_count()), "where processes cannot be pinned"
