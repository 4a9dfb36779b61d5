"""Nothing is lost, and nothing is silently another: a run, its files, its log, and where its output goes."""
import json
import os
import shutil
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from PIL import Image

import gen_jax
from gen_jax import experiment, memory
from gen_jax.config import validate
from gen_jax.errors import UserError
from gen_jax.evals.samples import samples_over_time
from gen_jax.folders import expanded, user_cache
from gen_jax.identity import differences, run_id
from gen_jax.modes import eval, sample, train
from gen_jax.modes._run import measure
from gen_jax.report import environment
from gen_jax.report.files import read_json
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.terminal import Quiet
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run
from gen_jax.training import _manifest
from gen_jax.training.checkpoint import saved_log
from gen_jax.training.interrupt import Interrupts


def trained(config, path, **options):
    """Trains config in path, and lets it go."""
    workdir = Workdir(path)
    try:
        train.train(config, workdir, **options)
    finally:
        if workdir._lock is not None:
            os.close(workdir._lock)
    return workdir


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A run that has ended, with the checkpoints 6 and 12 and a record of each, and its config: only to be copied."""
    from configs import vae_digits
    config = vae_digits.get_config("smoke")
    config.model.update({"widths": (16,), "latent_dim": 2})
    config.evals.update({"end": (), "every_epochs": 0})
    config.checkpoint.every_epochs = 1
    config.optim.vae.schedule = "constant"
    return config, trained(config, tmp_path_factory.mktemp("original") / "run").path


@pytest.fixture
def run(original, tmp_path):
    """A copy of it, to be harmed."""
    config, path = original
    shutil.copytree(path, tmp_path / "run")
    return config.copy_and_resolve_references(), Workdir(tmp_path / "run")


def edited(path, **changes):
    """Changes values of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes))


def refused(config, workdir):
    """The lines of the refusal."""
    with pytest.raises(UserError) as caught:
        trained(config, workdir.path)
    return "\n".join(caught.value.faults)


# Whose checkpoint it is

def test_without_config_json_nothing_is_resumed(run):
    config, workdir = run
    workdir.config.unlink()
    assert "its config.json is missing" in refused(config, workdir)


def test_a_folder_in_which_a_launch_saved_nothing_is_no_run(tiny, workdir):
    workdir.metrics.touch()
    assert workdir.compare(tiny.config).derived.run


def test_another_run_s_config_or_checkpoint_is_refused_by_name(run):
    config, workdir = run
    whole = workdir.config.read_bytes()
    config.seed = 5
    workdir.adopt(experiment.build(config).config)
    assert f"{workdir.checkpoints / '6'}: was saved by another run" in refused(config, workdir)
    with pytest.raises(UserError, match="was saved by another run"):
        load_run(workdir, {})
    for foreign in (b'{"a": 1}', b"[]", b"[" * 100_000, b"\xff", b'{"derived": 3}', b'{"derived": {"format": 1}}'):
        workdir.config.write_bytes(foreign)
        with pytest.raises(UserError, match="config.json"):
            workdir.stored_config()
    workdir.config.write_bytes(whole)


def test_fewer_epochs_than_are_done_are_refused_and_change_nothing(run):
    config, workdir = run
    whole = workdir.config.read_bytes()
    (workdir.checkpoints / "6").rename(workdir.checkpoints / "999")  # no step of 999
    config.train.epochs = 1
    assert "has done 12 steps, and this config ends at 6; set train.epochs=2" in refused(config, workdir)
    assert workdir.config.read_bytes() == whole


def test_lost_checkpoints_are_no_new_run(run):
    config, workdir = run
    shutil.rmtree(workdir.checkpoints)
    metrics = workdir.metrics.read_bytes()
    workdir.result.unlink()
    assert "is empty, and a run has been here" in refused(config, workdir)
    assert workdir.metrics.read_bytes() == metrics


def test_restart_moves_the_old_run_aside_and_nothing_else(run, capsys):
    config, workdir = run
    (workdir.path / "notes.txt").write_text("mine")
    (workdir.path / "me.png").write_bytes(b"x")
    for name in ("samples.svg", "data.pdf"):  # as --config.report.format asks for
        (workdir.path / name).write_bytes(b"x")
    sha256 = read_json(workdir.result)["state_sha256"]
    for step in (6, 12):
        (workdir.checkpoints / str(step) / "manifest.json").write_bytes(b"{}")
    assert "no checkpoint is whole" in (first := refused(config, workdir)) and first == refused(config, workdir)
    trained(config, workdir.path, restart=True)
    assert read_json(workdir.result)["state_sha256"] == sha256
    assert "the run that was in" in capsys.readouterr().err
    assert sorted(path.name for path in (workdir.path / "old_1").iterdir()) == [
        "checkpoints", "config.json", "data.pdf", "metrics.jsonl", "report.html", "result.json", "run.json",
        "samples.svg", "timing.jsonl"]
    assert (workdir.path / "notes.txt").exists() and (workdir.path / "me.png").exists()
    Workdir(workdir.path / "old_1").move_aside()
    assert (workdir.path / "old_1" / "old_1" / "config.json").exists()


# What stands beside the checkpoints

def test_a_result_of_another_state_is_measured_again(run, capsys):
    config, workdir = run
    whole = read_json(workdir.result)
    edited(workdir.result, state_sha256="0", metrics={"test/loss": -1.0})
    trained(config, workdir.path)
    assert "is not of the state that is saved" in capsys.readouterr().err
    assert {**read_json(workdir.result), "wall_s": 0, "images_per_s": 0} == {**whole, "wall_s": 0, "images_per_s": 0}
    trained(config, workdir.path)
    assert "finished before" in capsys.readouterr().err
    edited(workdir.result, metrics=None)
    workdir.path.joinpath("figures").mkdir(exist_ok=True)
    measure(load_run(workdir, {}), workdir, (), Interrupts(), None, lambda *_: [])
    assert read_json(workdir.result)["metrics"] == whole["metrics"]


def test_another_jax_is_said_and_an_odd_run_json_refused(run, capsys):
    config, workdir = run
    launch = read_json(workdir.run)["launches"][0]
    edited(workdir.run, launches=[launch | {"packages": launch["packages"] | {"jax": "0.1"}}])
    trained(config, workdir.path)
    assert f"launched before under jax 0.1 ({jax.__version__} now)" in capsys.readouterr().err
    for odd in ({"launches": 3}, {"launches": [3]}, {"launches": None}):
        edited(workdir.run, **odd)
        with pytest.raises(UserError, match="run.json: is not what was written there"):
            train._note_launch(workdir, workdir.stored_config())
    assert environment.changes({"packages": [], "device": 1}, launch) == ""


LINES = [b'{"step": 6, "test/loss": 2.0}\n', b'{"step": 12, "test/loss": 1.0}\n']


@pytest.mark.parametrize("content", [
    LINES[0], LINES[1], LINES[1] + LINES[0], LINES[0] * 2 + LINES[1], LINES[0] + LINES[1] * 2, b"",
    LINES[0] + LINES[1].replace(b"1.0", b"0.5"), LINES[0] + b"[1]\n" + LINES[1], LINES[0] + LINES[1] + b"x\n",
    LINES[0] + LINES[1] + b'{"step": "13"}\n', LINES[0] + LINES[1] + b"[" * 100_000 + b"\n", None,
], ids=["last lost", "first lost", "order", "doubled", "last doubled", "empty", "edited", "list", "text", "no step",
        "nested", "no file"])
def test_a_log_that_is_not_the_checkpoint_s_is_noticed_and_put_back(content, tmp_path, capsys):
    log, copy = MetricsLog(tmp_path / "metrics.jsonl"), b"".join(LINES)
    if content is not None:
        log.path.write_bytes(content)
    assert [record["step"] for record in log.history(12, copy)] == [6, 12]
    said = "is not as it was when step 12 was saved" in capsys.readouterr().err
    assert said == (content is not None), "a run that is sent to someone needs no log"
    log.rewind(12, copy)
    assert log.path.read_bytes() == copy
    assert "was not as it was when step 12 was saved" in capsys.readouterr().err
    aside = list(tmp_path.glob("metrics.jsonl.damaged1"))
    assert [path.read_bytes() for path in aside] == ([] if content is None else [content])


def test_records_after_the_checkpoint_are_dropped_and_a_torn_one_is_no_damage(tmp_path, capsys):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    for tail in (b"", LINES[1], LINES[1][:9], LINES[1] + b'{"st'):
        log.path.write_bytes(LINES[0] + tail)
        log.rewind(6, LINES[0])
        assert log.path.read_bytes() == log.sync() == LINES[0]
    log.append({"step": 12, "test/loss": float("inf")})
    assert log.sync() == log.path.read_bytes() == LINES[0] + b'{"step": 12, "test/loss": null}\n'
    assert not capsys.readouterr().err
    for line in (b"3", b'{"step": 1.5}', b"{}", b"[" * 100_000, b"\xff"):
        log.path.write_bytes(LINES[0] + line + b"\n")
        with pytest.raises(UserError, match="metrics.jsonl: has a damaged line"):
            log.records()


def test_a_lost_record_changes_no_result(run, capsys):
    config, workdir = run
    whole = workdir.metrics.read_bytes()
    assert saved_log(workdir.checkpoints / "12") == whole and whole.startswith(saved_log(workdir.checkpoints / "6"))
    workdir.metrics.write_bytes(whole.splitlines(keepends=True)[0])
    assert [record["step"] for record in load_run(workdir, {}).trained.history] == [6, 12]
    assert "the checkpoint's copy is used" in capsys.readouterr().err
    trained(config, workdir.path)
    assert workdir.metrics.read_bytes() == whole


def test_a_run_of_the_commit_before_is_still_read(run):
    config, workdir = run
    for step in (6, 12):
        path = workdir.checkpoints / str(step)
        (path / "metrics.jsonl").unlink()
        manifest = json.loads((path / "manifest.json").read_bytes())
        del manifest["run"], manifest["files"]["metrics.jsonl"]
        _manifest.write(path, manifest)
    assert [record["step"] for record in load_run(workdir, {}).trained.history] == [6, 12]
    workdir.result.unlink()
    trained(config, workdir.path)
    assert read_json(workdir.result)["step"] == 12


def test_a_run_goes_on_and_is_read_once_there_are_more_settings(run, capsys):
    config, workdir = run
    stored = json.loads(workdir.config.read_bytes())
    for section, key in (("objective", "augment"), ("train", "ema_nets"), ("derived", "run")):  # as if they came later
        del stored[section][key]
    workdir.config.write_text(json.dumps(stored))
    for step in (6, 12):
        path = workdir.checkpoints / str(step)
        _manifest.write(path, json.loads((path / "manifest.json").read_bytes()) | {"run": run_id(stored)})
    assert gen_jax.load(workdir.path).sample(2).shape == (2, 8, 8, 1)
    config.train.epochs = 3
    trained(config, workdir.path)
    assert read_json(workdir.result)["step"] == 18 and workdir.stored_config().derived.run == run_id(stored)
    trained(config, workdir.path)
    sample.sample(workdir, {}, {}, num=2)
    assert "finished before" in capsys.readouterr().err


def test_overrides_of_a_trained_run(run):
    config, workdir = run
    loaded = load_run(workdir, {"evals.log_likelihood.weights": 50, "checkpoint.best": "test/kl"}, "best",
                      ["log_likelihood"])
    kl = {record["step"]: record["test/kl"] for record in MetricsLog(workdir.metrics).records()}
    assert loaded.trained.hp.log_likelihood.weights == 50 and loaded.trained.step == min(kl, key=kl.get)
    with pytest.raises(UserError, match="train.epochs: 2 -> 3: cannot be changed"):
        load_run(workdir, {"train.epochs": 3})


def test_only_what_compares_with_the_second_run_needs_it(run, capsys):
    _, workdir = run
    stored = json.loads(workdir.config.read_bytes())
    edited(workdir.config, evals=stored["evals"] | {"other": "/gone"})
    sample.sample(workdir, {}, {}, num=2)
    eval.evaluate(workdir, {}, only="losses,ae_vs_vae")
    assert "left out: ae_vs_vae (evals.other=/gone: /gone: no run there" in capsys.readouterr().err
    assert [*read_json(workdir.result)["evals"]] == ["losses"] and not read_json(workdir.result)["left_out"]


def test_to_load_a_run_no_training_step_must_fit(run, monkeypatch):
    config, workdir = run
    monkeypatch.setattr(memory, "of_largest", lambda _: 10**18)
    assert load_run(workdir, {}).trained.step == 12
    assert "a training step would take" in refused(config, workdir)


def test_a_damaged_picture_is_left_out(tmp_path, caplog):
    grey = np.zeros((4, 4), np.uint8)
    for epoch, content in ((1, grey), (2, grey), (3, b"no picture"), (4, np.zeros((4, 4, 3), np.uint8))):
        path = tmp_path / f"samples_{epoch}.png"
        path.write_bytes(content) if isinstance(content, bytes) else Image.fromarray(content).save(path)
    (tmp_path / "samples_2.png").write_bytes((tmp_path / "samples_2.png").read_bytes()[:45])
    found = [samples_over_time._pixels(tmp_path / f"samples_{epoch}.png") for epoch in range(1, 5)]
    assert [frame is None for frame in found] == [False, True, True, False]
    assert "samples_3.png is left out" in caplog.text


# What config.json keeps

def test_every_value_that_a_config_accepts_is_read_back(run):
    config, workdir = run
    config.optim.vae.clip_norm = config.train.on_device_gb = float("inf")
    config.evals.update({"end": ("a[\"Infinity", "\udcff")})
    config.derived = workdir.stored_config().derived
    workdir.adopt(config)
    assert json.loads(workdir.config.read_bytes(), parse_constant=pytest.fail)["train"]["on_device_gb"] == float("inf")
    assert workdir.stored_config().evals.end == ("a[\"Infinity", "\udcff")
    nested = [{"a": value, "derived": {}} for value in (((0, 1), (2, 3)), [[0, 1], [2, 3]])]
    assert not differences(*nested)
    config.train.on_device_gb = float("nan")
    with pytest.raises(UserError, match="train.on_device_gb=nan: must be a finite number"):
        validate(config)


def test_a_value_that_config_json_does_not_keep_is_refused(run, monkeypatch):
    config, workdir = run
    config.derived = workdir.stored_config().derived
    monkeypatch.setattr("gen_jax.report.workdir.write_json",
                        lambda path, value: edited(path, model=value["model"] | {"latent_dim": None}))
    with pytest.raises(UserError, match="model.latent_dim: None -> 2: cannot be kept"):
        workdir.adopt(config)


# Where things are

def test_addresses_and_homes_of_nobody_are_refused(monkeypatch):
    with pytest.raises(UserError, match="is an address"):
        Workdir("gs://bucket/run")
    assert Workdir("gs:").path.name == "gs:"
    with pytest.raises(UserError, match="--workdir=~nouser_/x: there is no such home folder"):
        Workdir("~nouser_/x")
    with pytest.raises(UserError, match="data.path"):
        expanded("~nouser_", "data.path")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 987_654)  # who has no name
    assert user_cache().name == "gen_jax_987654"


# Output

@pytest.mark.parametrize("dead", ["full", "pipe", "closed"])
def test_output_that_goes_nowhere_is_quiet(dead):
    reading, writing = os.pipe()
    if dead == "full":
        os.close(writing)
        writing = os.open("/dev/full", os.O_WRONLY)
    stream = Quiet(open(writing, "w"))  # noqa: SIM115
    os.close(reading)
    if dead == "closed":
        stream.close()
    for _ in range(2):
        print("x" * 100_000, file=stream, flush=True)
    assert SimpleNamespace(write=stream.write).write("abc") == 3
    if dead != "closed":
        assert os.readlink(f"/proc/self/fd/{writing}") == os.devnull
