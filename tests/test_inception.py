"""Inception from a user's file: what is read of it, what is refused, and what the network computes."""
import io
import json
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from types import ModuleType

import jax
import numpy as np
import pytest
from agreement._inputs import images, random_weights
from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.errors import UserError
from gen_jax.evals.samples import quality
from gen_jax.judges.features import _inception_net, _torch_file, _weights_file, inception

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array(7), "b": np.ones((3, 2), np.float32)}


class Storage:
    """What torch keeps an array's numbers in."""

    def __init__(self, key, array, torch):
        self.key, self.size = key, array.size
        self.kind = torch.LongStorage if array.dtype == np.int64 else torch.FloatStorage


class Pickler(pickle.Pickler):
    """Writes arrays as torch.save does; it needs torch no more than to be named. reach: elements beyond the end."""

    def __init__(self, file, torch, reach=0):
        super().__init__(file, protocol=2)
        self.torch, self.reach, self.keys = torch, reach, {}

    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            return ("storage", obj.kind, obj.key, "cpu", obj.size)

    def reducer_override(self, obj):
        if not isinstance(obj, np.ndarray):
            return NotImplemented
        key = self.keys[id(obj)] = str(len(self.keys))
        strides = tuple(stride // obj.itemsize for stride in obj.strides)
        where = Storage(key, obj, self.torch), self.reach, obj.shape, strides, False, OrderedDict()
        return sys.modules["torch._utils"]._rebuild_tensor_v2, where


@pytest.fixture
def torch(monkeypatch):
    """Stands in for torch's names, for what writes. What reads does without: it finds nothing to call there."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))

    def _rebuild_tensor_v2():
        raise AssertionError("what was read was called")
    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return torch


def save_zip(path, content, torch, reach=0):
    """As torch.save does since PyTorch 1.6."""
    index = io.BytesIO()
    Pickler(index, torch, reach).dump(content)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", index.getvalue())
        for key, array in enumerate(value for value in content.values() if isinstance(value, np.ndarray)):
            archive.writestr(f"archive/data/{key}", array.tobytes())


def save_stream(path, content, torch, reach=0):
    """As torch.save did before: the file that the field computes FID with is written so."""
    arrays = [value for value in content.values() if isinstance(value, np.ndarray)]
    with open(path, "wb") as file:
        for word in (_torch_file.MAGIC, 1001, {"little_endian": True}):
            pickle.dump(word, file, protocol=2)
        Pickler(file, torch, reach).dump(content)
        pickle.dump([str(key) for key in range(len(arrays))], file, protocol=2)
        for array in arrays:
            file.write(array.size.to_bytes(8, "little") + array.tobytes())


def save_safetensors(path, arrays):
    index, begin = {"__metadata__": {"format": "pt"}}, 0
    for name, array in arrays.items():
        index[name] = {"dtype": {"f": "F32", "i": "I64"}[array.dtype.kind], "shape": array.shape,
                       "data_offsets": [begin, begin := begin + array.nbytes]}
    words = json.dumps(index).encode()
    path.write_bytes(len(words).to_bytes(8, "little") + words + b"".join(array.tobytes() for array in arrays.values()))


def assert_same(found, arrays):
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array, strict=True)


@pytest.mark.parametrize("save", [save_zip, save_stream])
def test_torch_files_are_read_without_torch(save, torch, tmp_path):
    save(tmp_path / "w.pth", OrderedDict(ARRAYS), torch)
    assert_same(_weights_file.read(tmp_path / "w.pth"), ARRAYS)


def test_other_formats_are_read(tmp_path):
    np.savez(tmp_path / "w.npz", **ARRAYS)
    save_safetensors(tmp_path / "w.safetensors", ARRAYS)
    for path in (tmp_path / "w.npz", tmp_path / "w.safetensors"):
        assert_same(_weights_file.read(path), ARRAYS)


class Attack:
    """A pickle that makes a folder when it is loaded as pickles usually are."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("save", [save_zip, save_stream])
def test_nothing_in_a_torch_file_is_executed(save, torch, tmp_path):
    save(tmp_path / "w.pth", {"a": Attack(tmp_path / "harm")}, torch)
    with pytest.raises(ValueError, match="it asks for .*mkdir"):
        _torch_file.read(tmp_path / "w.pth")
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("save", [save_zip, save_stream])
def test_no_array_reaches_outside_of_its_storage(save, torch, tmp_path):
    for reach in (1, -1):
        save(tmp_path / "w.pth", ARRAYS, torch, reach)
        with pytest.raises(ValueError, match="lies outside of the 6 numbers"):
            _torch_file.read(tmp_path / "w.pth")


@pytest.mark.parametrize("name,content", [
    ("w.pth", b"<!DOCTYPE html>"), ("w.pth", b""), ("w.npz", b"PK\3\4"), ("w.safetensors", b"\xff" * 20)])
def test_what_is_no_file_of_weights_is_refused(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match="is no file of weights, or a damaged one .*pt_inception-2015-12-05-6726825d"):
        built(tmp_path / name)


@pytest.mark.parametrize("save", [save_zip, save_stream])
def test_a_file_that_ends_too_early_is_refused(save, torch, tmp_path):
    save(path := tmp_path / "w.pth", ARRAYS, torch)
    whole = path.read_bytes()
    for size in range(0, len(whole), 37):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError):
            _torch_file.read(path)


def built(path):
    return inception.features(ConfigDict(), None, ConfigDict({"inception": str(path)}))


@pytest.fixture
def small(monkeypatch):
    """The arrays of a network of one layer, taken for the whole one."""
    shapes = {"one.conv.weight": (4, 3, 1, 1), "fc.weight": (5, 4), "fc.bias": (5,)}
    shapes |= {f"one.bn.{part}": (4,) for part in ("weight", "bias", "running_mean", "running_var")}
    monkeypatch.setattr(_inception_net, "shapes", lambda: shapes)
    random = np.random.RandomState(0)
    return {name: random.uniform(0.5, 1.5, shape).astype(np.float32) for name, shape in shapes.items()}


def test_features_are_official_by_the_hash_of_their_file_alone(small, tmp_path, monkeypatch, caplog):
    np.savez(path := tmp_path / "pt_inception-2015-12-05-6726825d.npz", **small, **{"one.bn.num_batches_tracked": 0})
    found, digest = built(path), inception._sha256(path)
    assert (found.name, found.official) == (f"inception:{digest[:8]}", False)
    assert f"begins with {digest[:8]}, not 6726825d" in caplog.text
    monkeypatch.setattr(inception, "ORIGINAL", digest)
    assert built(path).official


@pytest.mark.parametrize("change,line", [
    ({"fc.bias": None}, "it lacks fc.bias; "), ({"more": np.ones(1)}, "it has besides more; "),
    ({"one.bn.bias": np.ones(3)}, r"it has in another shape one.bn.bias \(3,\) for \(4,\); "),
    ({"one.bn.bias": np.full(4, np.nan)}, "it has no finite numbers in one.bn.bias; "),
    ({"fc.weight": None, "fc.bias": None}, "it lacks fc.weight and 1 more; ")])
def test_other_networks_are_refused(small, change, line, tmp_path):
    changed = {name: array for name, array in (small | change).items() if array is not None}
    np.savez(tmp_path / "w.npz", **changed)
    with pytest.raises(UserError, match=line):
        built(tmp_path / "w.npz")


def test_a_missing_file_is_answered_with_what_to_get(tmp_path):
    for name, line in (("", "weights come from a file that you have"), (tmp_path / "w.pth", "there is no such file")):
        with pytest.raises(UserError, match=f"{line}; evals.quality.inception must name pt_inception-2015-12-05-67"):
            built(name)


def test_a_wrong_file_is_found_before_anything_is_trained(tiny_config, tmp_path):
    tiny_config.evals.end = ("quality",)
    tiny_config.evals.quality = quality.hp(features=("values",), inception=str(tmp_path / "w.pth"))
    with pytest.raises(UserError, match="there is no such file; evals.quality.inception must name"):
        experiment.build(tiny_config)


def test_batch_norm_is_folded_into_the_kernel(small):
    layer = _inception_net.folded(small)["one"]
    x = np.random.RandomState(1).normal(size=3)
    mean, variance, gain, bias = (small[f"one.bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    expected = (small["one.conv.weight"][:, :, 0, 0] @ x - mean) / np.sqrt(variance + 1e-3) * gain + bias
    np.testing.assert_allclose(x @ layer.kernel[0, 0] + layer.bias, expected, rtol=1e-4, atol=1e-6)


def test_the_network_has_the_arrays_of_the_original():
    shapes = _inception_net.shapes()
    assert len(shapes) == 94 * 5 + 2
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 23_885_392  # torch-fidelity's has as many
    assert shapes["Mixed_7c.branch3x3dbl_3b.conv.weight"] == (384, 384, 3, 1)


def test_images_are_enlarged_as_tensorflow_1_did():
    corners = np.array([[0, 4], [8, 12]], np.float32)[None, :, :, None]
    expected = [[0, 2, 4, 4], [4, 6, 8, 8], [8, 10, 12, 12], [8, 10, 12, 12]]
    enlarged = jax.jit(_inception_net.enlarged, static_argnums=1)
    np.testing.assert_array_equal(enlarged(corners, 4)[0, :, :, 0], expected)
    np.testing.assert_array_equal(enlarged(enlarged(corners, 4), 2), corners)


def test_padding_is_not_averaged():
    np.testing.assert_allclose(jax.jit(_inception_net._average)(np.ones((1, 4, 4, 2), np.float32)), 1, rtol=1e-6)


def test_images_of_any_number_of_channels_become_coloured_ones():
    grey, opaque = np.full((2, 4, 4, 1), 128, np.uint8), np.arange(32, dtype=np.uint8).reshape(1, 2, 4, 4)
    np.testing.assert_array_equal(inception._pixels(grey), np.full((2, 4, 4, 3), 128, np.uint8), strict=True)
    np.testing.assert_array_equal(inception._pixels(opaque), opaque[..., :3])


@pytest.mark.slow
def test_the_network_computes_what_torch_fidelity_computes(tmp_path):
    """The numbers are torch-fidelity 0.4.0's, as tests/agreement/torch_fidelity.py runs it."""
    np.savez(tmp_path / "w.npz", **random_weights(0))
    found, photos = built(tmp_path / "w.npz"), images()["photos 64x64"]
    features, logits = found.answers(photos)
    np.testing.assert_allclose(features[:, ::512], [[6.4250612, 0.85965985, 0.16723216, 0.18047060],
                                                    [6.7898588, 1.1191945, 0.12526554, 0.074559845]], rtol=1e-4)
    np.testing.assert_allclose(logits[:, ::336], [[11.917305, -2.7532079, -6.4164906],
                                                  [12.855688, -1.7791978, -6.9738054]], rtol=1e-4)
    many = found.of(np.concatenate([photos, np.repeat(photos[::-1], 10, 0)]))
    np.testing.assert_allclose(many, np.concatenate([features, np.repeat(features[::-1], 10, 0)]), rtol=1e-4, atol=1e-5)
