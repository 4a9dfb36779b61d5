"""Checkpoints: whole, or noticed and set aside; the latest and the best kept."""
import os
import random
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from gen_jax.errors import UserError
from gen_jax.training import _arrays
from gen_jax.training.checkpoint import Checkpoints, Damaged
from gen_jax.training.state import digest


def tree_of(step):
    return {"w": jax.random.normal(jax.random.key(step), (40, 30)), "empty": {}, "n": jnp.int32(step)}


@pytest.fixture
def saved(tmp_path):
    """Checkpoints with the steps 1 and 2."""
    checkpoints = Checkpoints(tmp_path, keep=2, best="test/loss", run="a")
    for step in (1, 2):
        checkpoints.save(step, tree_of(step), {"test/loss": 5.0 - step}, {"spent": step / 2})
    return checkpoints


def test_restores_what_was_saved(saved):
    tree, meta = saved.restore(tree_of(0), True)
    assert digest(tree) == digest(tree_of(2))
    assert meta == {"spent": 1.0}
    assert not any(leaf.committed for leaf in jax.tree.leaves(tree)), "a resumed run's programs are compiled again"


def test_keeps_the_latest_and_the_best(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2, best="test/loss", run="a")
    for step, loss in enumerate([3.0, 1.0, 2.0, float("nan"), 4.0], 1):
        checkpoints.save(step, tree_of(step), {"test/loss": loss}, {})
    assert checkpoints.steps() == [2, 4, 5]
    assert checkpoints.best_step() == 2
    assert Checkpoints(tmp_path, keep=2, best="test/loss", run="a", higher=True).best_step() == 5


@pytest.mark.parametrize("harm", ["flip", "truncate", "delete"])
def test_no_damage_to_any_file_passes_unnoticed(saved, harm):
    rng = random.Random(0)
    files = sorted(path for path in (saved.folder / "2").rglob("*") if path.is_file())
    assert len(files) > 5
    for path in files:
        whole = path.read_bytes()
        if harm == "delete":
            path.unlink()
        elif harm == "truncate" and whole:
            path.write_bytes(whole[:len(whole) // 2])
        elif whole:
            at = rng.randrange(len(whole))
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1:])
        else:
            path.write_bytes(b"x")  # an empty file has no bit to flip
        tree, _ = saved.restore(tree_of(0), True)
        assert digest(tree) == digest(tree_of(1)), path
        aside = next(saved.folder.glob("2.damaged*"))
        aside.rename(saved.folder / "2")
        path.write_bytes(whole)
    assert digest(saved.restore(tree_of(0), True)[0]) == digest(tree_of(2))


def test_a_reader_changes_nothing_and_no_whole_step_is_the_user_s_to_mend(saved):
    (saved.folder / "2" / "manifest.json").write_bytes(b"{}")
    assert digest(saved.restore(tree_of(0), False)[0]) == digest(tree_of(1))
    assert saved.steps() == [1, 2]
    (saved.folder / "1" / "manifest.json").write_bytes(b"[" * 100_000)
    for _ in range(2):  # what is refused once is refused again
        with pytest.raises(UserError, match="no checkpoint is whole .2: manifest.*; 1: manifest.*--restart"):
            saved.restore(tree_of(0), True)
        assert saved.steps() == [1, 2]
    for step in (1, 2):
        (saved.folder / str(step)).rename(saved.folder / f"{step}.damaged1")
    with pytest.raises(UserError, match="all were set aside before"):
        saved.restore(tree_of(0), True)


def test_arrays_of_another_config_are_the_user_s_error(saved):
    with pytest.raises(UserError, match=r"array w is float32\[40, 30\] there, float32\[40, 31\]"):
        saved.restore({**tree_of(0), "w": jnp.zeros((40, 31))}, True)
    with pytest.raises(UserError, match="array w is float32"):
        saved.restore({**tree_of(0), "w": jnp.zeros((40, 30), jnp.bfloat16)}, True)
    assert saved.steps() == [1, 2]


def test_what_a_kill_left_is_swept_away(saved):
    (saved.folder / "3.unfinished" / "arrays").mkdir(parents=True)
    assert saved.steps() == [1, 2]
    saved.save(3, tree_of(3), {}, {})
    assert saved.steps() == [2, 3]
    assert not list(saved.folder.glob("*.unfinished"))


@pytest.mark.parametrize("end", [KeyboardInterrupt, OSError])
def test_a_step_that_is_saved_again_is_there_whatever_comes_between(end, saved, monkeypatch):
    replace = os.replace

    def stopped(old, new):
        if str(old).endswith(".unfinished"):  # the old step has lost its name, the new one has none yet
            raise end
        replace(old, new)
    with monkeypatch.context() as patch, pytest.raises(end):
        patch.setattr(os, "replace", stopped)
        saved.save(2, tree_of(3), {"test/loss": 1.0}, {})
    assert digest(saved.restore(tree_of(0), True)[0]) == digest(tree_of(2)) and saved.steps() == [1, 2]
    saved.save(2, tree_of(3), {"test/loss": 1.0}, {})
    assert digest(saved.restore(tree_of(0), True)[0]) == digest(tree_of(3))
    assert sorted(path.name for path in saved.folder.iterdir()) == ["1", "2"]


def test_a_full_disk_is_noticed_before_anything_is_written(saved, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match="a checkpoint takes 0.1 MB, 0.0 MB are free"):
        saved.save(3, tree_of(3), {}, {})
    assert saved.steps() == [1, 2] and not list(saved.folder.glob("*.unfinished"))


@pytest.mark.parametrize("name", ["beta[4]", "a\\b", "a*[!b]?", "gs:", "gs:/b", " a\nb ", b"\xff\xfe"])
def test_any_path_will_do(name, tmp_path):
    folder = tmp_path / os.fsdecode(name)
    (tmp_path / "a4").mkdir()  # what the pattern a*[!b]? means
    folder.mkdir(parents=True)
    checkpoints = Checkpoints(folder, keep=2, best="", run="a")
    checkpoints.save(1, tree_of(1), {}, {})
    (folder / "link").symlink_to(".")
    linked = Checkpoints(folder / "link", keep=2, best="", run="a")
    linked.save(2, tree_of(2), {}, {})
    assert digest(checkpoints.read(1, tree_of(0))[0]) == digest(tree_of(1))
    assert digest(checkpoints.read(2, tree_of(0))[0]) == digest(tree_of(2))
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2", "link"] and not any((tmp_path / "a4").iterdir())


@pytest.mark.parametrize("harm", ["glob", "lost"])
def test_a_save_that_cannot_be_read_back_does_not_count(harm, saved, tmp_path, monkeypatch):
    if harm == "glob":  # Orbax then finds no file to merge
        monkeypatch.setattr(_arrays, "PLAIN", re.compile(".*"))
        saved.folder = tmp_path / "beta[4]"
        saved.folder.mkdir()
    else:
        save = _arrays.ocp.StandardCheckpointer.save
        monkeypatch.setattr(_arrays.ocp.StandardCheckpointer, "save",
                            lambda self, path, arrays: save(self, path, {"w": arrays["w"]}))
    with pytest.raises(OSError, match="cannot be read back"):
        saved.save(3, tree_of(3), {}, {})
    assert 3 not in saved.steps() and not list(saved.folder.glob("*.unfinished"))


def test_exchanged_steps_and_another_run_s_are_noticed(saved, tmp_path):
    other = Checkpoints(tmp_path / "other", keep=2, best="", run="b")
    other.folder.mkdir()
    other.save(3, tree_of(3), {}, {})
    shutil.copytree(other.folder / "3", saved.folder / "3")
    with pytest.raises(UserError, match=f"{saved.folder / '3'}: was saved by another run"):
        saved.refuse_others()
    shutil.rmtree(saved.folder / "3")
    saved.refuse_others()
    for old, new in (("1", "x"), ("2", "1"), ("x", "2")):
        (saved.folder / old).rename(saved.folder / new)
    with pytest.raises(UserError, match="2: it is step 1, under another name; 1: it is step 2"):
        saved.restore(tree_of(0), True)


def test_a_damaged_best_is_set_aside_and_never_removed(tmp_path, caplog):
    checkpoints = Checkpoints(tmp_path, keep=1, best="test/loss", run="a")
    for step, loss in enumerate([1.0, 2.0, 3.0], 1):
        checkpoints.save(step, tree_of(step), {"test/loss": loss}, {})
        if step == 2:
            (tmp_path / "1" / "manifest.json").write_bytes(b"{}")
    assert checkpoints.steps() == [2, 3] and (tmp_path / "1.damaged1" / "arrays").exists()
    assert "checkpoint 1 is damaged" in caplog.text


def test_what_may_not_be_read_is_not_called_damaged(saved, monkeypatch):
    def forbidden(path, *args):
        raise PermissionError(13, "Permission denied", str(path))
    for owner, name in ((os, "listdir"), (os, "scandir"), (Path, "read_bytes")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, forbidden)
            with pytest.raises(UserError, match="cannot be read .permission denied"):
                saved.restore(tree_of(0), True)
    assert saved.steps() == [1, 2]


def test_a_disk_without_inodes_is_noticed_before_anything_is_written(saved, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda path: SimpleNamespace(
        f_files=1000, f_favail=3, f_bavail=10**9, f_blocks=10**9, f_bfree=10**9, f_frsize=4096))
    with pytest.raises(OSError, match="for more files: 3 inodes are free"):
        saved.save(3, tree_of(3), {}, {})
    assert not list(saved.folder.glob("*.unfinished"))


def test_odd_names_among_the_steps_are_passed_over(saved):
    for name in ("\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT THREE}", "007", "-1", "1e3", "notes"):
        (saved.folder / name).mkdir()
    (saved.folder / "9").write_bytes(b"")
    assert saved.steps() == [1, 2, 9]
    assert digest(saved.restore(tree_of(0), False)[0]) == digest(tree_of(2))
    with pytest.raises(Damaged):
        saved.read(9, tree_of(0))
