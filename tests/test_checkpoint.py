"""Checkpoints: whole, or noticed and set aside; the latest and the best kept."""
import random
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from gen_jax.errors import UserError
from gen_jax.training.checkpoint import Checkpoints
from gen_jax.training.state import digest


def tree_of(step):
    return {"w": jax.random.normal(jax.random.key(step), (40, 30)), "empty": {}, "n": jnp.int32(step)}


@pytest.fixture
def saved(tmp_path):
    """Checkpoints with the steps 1 and 2."""
    checkpoints = Checkpoints(tmp_path, keep=2, best="test/loss")
    for step in (1, 2):
        checkpoints.save(step, tree_of(step), {"test/loss": 5.0 - step}, {"spent": step / 2})
    return checkpoints


def test_restores_what_was_saved(saved):
    tree, meta = saved.restore(tree_of(0), True)
    assert digest(tree) == digest(tree_of(2))
    assert meta == {"spent": 1.0}


def test_keeps_the_latest_and_the_best(tmp_path):
    checkpoints = Checkpoints(tmp_path, keep=2, best="test/loss")
    for step, loss in enumerate([3.0, 1.0, 2.0, float("nan"), 4.0], 1):
        checkpoints.save(step, tree_of(step), {"test/loss": loss}, {})
    assert checkpoints.steps() == [2, 4, 5]
    assert checkpoints.best_step() == 2


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
    (saved.folder / "1" / "manifest.json").write_bytes(b"{}")
    with pytest.raises(UserError, match="no checkpoint is whole"):
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


def test_a_full_disk_is_noticed_before_anything_is_written(saved, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match="a checkpoint takes 0.1 MB, 0.0 MB are free"):
        saved.save(3, tree_of(3), {}, {})
    assert saved.steps() == [1, 2] and not list(saved.folder.glob("*.unfinished"))
