"""Decoded data are kept by the content of their files."""
import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from _loading import config, save

from gen_jax import data
from gen_jax.data import _files


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A folder of 10 images as a config with a cache, where it is cached, and how many images have been decoded."""
    from gen_jax.data import folder

    for index in range(10):
        save(tmp_path / "images" / f"{index}.png", value=index)
    decoded, original = [], folder._decoded
    monkeypatch.setattr(folder, "_decoded", lambda *args: decoded.append(args) or original(*args))
    hp = config(name="folder", path=tmp_path / "images", cache=True, cache_dir=tmp_path / "cache")
    return hp, tmp_path / "cache", decoded


def test_cache_spares_decoding_until_the_source_or_the_form_changes(cached):
    hp, folder, decoded = cached
    first = data.load(hp, "train")
    assert len(decoded) == 8
    again = data.load(hp, "train")
    assert len(decoded) == 8 and data.fingerprint(again) == data.fingerprint(first) and again.labels is None
    save(Path(hp.path) / "3.png", value=99)
    assert 99 in data.load(hp, "train").x and len(decoded) == 16
    assert data.load(config(**hp.to_dict() | {"channels": 1}), "train").x.shape[-1] == 1 and len(decoded) == 24
    assert len(list(folder.glob("*.npz"))) == 3 and not list(folder.glob(".*"))


def test_a_damaged_cache_is_made_again(cached):
    hp, folder, decoded = cached
    want = data.fingerprint(data.load(hp, "train"))
    (file,) = folder.glob("*.npz")
    whole = file.read_bytes()
    damages = [b"", whole[:len(whole) // 2], whole[:-1], b"not an npz"]
    for place in np.linspace(0, len(whole) - 1, 16).astype(int):
        damages.append(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1:])
    for damage in damages:
        file.write_bytes(damage)
        assert data.fingerprint(data.load(hp, "train")) == want
    assert len(decoded) > 8 * 12


def test_a_cache_that_cannot_be_written_costs_a_warning(cached, tmp_path, caplog):
    hp = cached[0].copy_and_resolve_references()
    (tmp_path / "file").write_bytes(b"")
    hp.cache_dir = str(tmp_path / "file" / "cache")
    assert len(data.load(hp, "train").x) == 8
    assert "nothing is cached" in caplog.text


def test_content_decides_what_is_cached_and_not_size_and_time(cached):
    hp, _, decoded = cached
    data.load(hp, "train")
    path = max((file for file, _ in decoded), key=lambda file: file.stat().st_size)
    before, content = path.stat(), path.read_bytes()
    other = min(Path(hp.path).iterdir(), key=lambda file: (file.stat().st_size, file == path)).read_bytes()
    path.write_bytes(other + bytes(before.st_size - len(other)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    changed = data.load(hp, "train")
    assert len(decoded) == 16 and path.read_bytes() != content
    shutil.copytree(hp.path, f"{hp.path}_moved")  # the same content elsewhere
    moved = data.load(config(**hp.to_dict() | {"path": f"{hp.path}_moved"}), "train")
    assert len(decoded) == 16 and data.fingerprint(moved) == data.fingerprint(changed)


def test_a_file_at_rest_is_read_once(cached, monkeypatch):
    hp, folder, _ = cached
    monkeypatch.setattr(_files, "SETTLED_NS", -1)
    read, digest = [], hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *args: read.append(args) or digest(*args))
    want = [data.fingerprint(source) for source in (data.load(hp, "train"), data.load(hp, "test"))]
    assert len(read) == 10
    assert [data.fingerprint(data.load(hp, split)) for split in ("train", "test")] == want and len(read) == 10
    (kept,) = folder.glob("digests-*")
    kept.write_bytes(kept.read_bytes()[:-1])
    data.load(hp, "train")
    assert len(read) == 18


def test_exchanged_cache_files_are_made_again(cached, caplog):
    hp, folder, _ = cached
    want = [data.fingerprint(data.load(hp, split)) for split in ("train", "test")]
    train, test = (next(folder.glob(f"folder-{split}-*")) for split in ("train", "test"))
    train.rename(folder / "x")
    test.rename(train)
    (folder / "x").rename(test)
    assert [data.fingerprint(data.load(hp, split)) for split in ("train", "test")] == want
    assert "under another name" in caplog.text
