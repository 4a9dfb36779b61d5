"""TensorFlow Datasets without TensorFlow: prepared here, downloaded, damaged, real."""
import gzip
import hashlib
import io
import json
import os
import socket
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from _loading import both, config, refusal

from gen_jax import data
from gen_jax.data import _prepare


def gzipped_idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return gzip.compress(header + array.tobytes())


def tiny_mnist() -> dict[str, bytes]:
    random = np.random.RandomState(0)
    files = {}
    for part, count in (("train", 30), ("t10k", 10)):
        files[f"{part}-images-idx3-ubyte.gz"] = gzipped_idx(random.randint(0, 256, (count, 28, 28)).astype(np.uint8))
        files[f"{part}-labels-idx1-ubyte.gz"] = gzipped_idx((np.arange(count) % 10).astype(np.uint8))
    return files


def tiny_cifar(folder: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def record(monkeypatch):
    """record(dataset, files, url): TFDS has these files on record for the data set, at this address."""
    tfds = pytest.importorskip("tensorflow_datasets")
    from tensorflow_datasets.core.download import checksums

    def put(dataset: str, files: dict[str, bytes], url: str = "http://127.0.0.1:9/") -> None:
        infos = {url + name: checksums.UrlInfo(len(content), hashlib.sha256(content).hexdigest(), name)
                 for name, content in files.items()}
        monkeypatch.setattr(tfds.builder_cls(dataset), "url_infos", infos)
        for address, info in infos.items():
            monkeypatch.setitem(checksums.get_all_url_infos(), address, info)

    return put


def place(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_mnist_is_prepared_from_the_files_a_user_has_put_there(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    place(tmp_path / "downloads" / "manual", files)
    half_made = tmp_path / "mnist" / "incomplete.ABCDEF_3.0.1"  # left by a killed run
    place(half_made, {"dataset_info.json": b"{}"})
    train, test = both(name="tfds", data_dir=tmp_path)
    assert (tmp_path / "mnist" / "3.0.1" / "dataset_info.json").is_file()
    original = _prepare.read_idx(tmp_path / "downloads" / "manual" / "train-images-idx3-ubyte.gz")
    assert sorted(image.tobytes() for image in train.x) == sorted(image.tobytes() for image in original)
    assert np.bincount(train.labels).tolist() == [3] * 10 and len(test.x) == 10
    assert train.classes == tuple("0123456789")
    assert "without a version" in refusal(name="tfds", data_dir=tmp_path, dataset="mnist:1.0.0")
    half = data.load(config(name="tfds", data_dir=tmp_path, size=(14, 14), fit="resize", channels=3), "test")
    assert half.x.shape == (10, 14, 14, 3)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_cifar_is_prepared_from_its_archive(tmp_path, record, dataset):
    folder, parts, label_files = _prepare.CIFAR[dataset]
    random, num_labels = np.random.RandomState(0), len(label_files)
    files = {name: b"".join(bytes([row % 20] * (num_labels - 1) + [row % 10]) + random.bytes(3072) for row in range(10))
             for names in parts.values() for name in names}
    counts = {"coarse_label": 20, "label": 10 if dataset == "cifar10" else 100}
    for key, name in label_files.items():
        files[name] = "\n".join(f"{key}_{index}" for index in range(counts[key])).encode() + b"\n\n"
    archive = {"cifar.tar.gz": tiny_cifar(folder, files)}
    record(dataset, archive)
    place(tmp_path / "downloads" / "manual" / dataset, archive)
    train, test = both(name="tfds", dataset=dataset, data_dir=tmp_path)
    assert len(train.x) == 10 * len(parts["train"]) and test.x.shape == (10, 32, 32, 3)
    assert test.classes[3] == "label_3" and len(test.classes) == counts["label"]
    third = np.frombuffer(files[parts["test"][0]], np.uint8).reshape(10, -1)[3, num_labels:].reshape(3, 32, 32)
    assert (test.x[test.labels == 3][0] == third.transpose(1, 2, 0)).all()


def test_a_download_is_checked_against_the_record(tmp_path, record):
    files = tiny_mnist()

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(files[self.path[1:]])

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        record("mnist", dict(files), f"http://127.0.0.1:{server.server_port}/")
        right = files["t10k-labels-idx1-ubyte.gz"]
        files["t10k-labels-idx1-ubyte.gz"] = b"<html>please log in</html>"
        assert "not the file that TFDS has on record" in refusal(name="tfds", data_dir=tmp_path)
        files["t10k-labels-idx1-ubyte.gz"] = right
        assert len(data.load(config(name="tfds", data_dir=tmp_path), "train").x) == 30
    finally:
        server.shutdown()
        server.server_close()


def test_without_network_one_line_at_once_says_what_to_do(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    start = time.monotonic()
    line = refusal(name="tfds", data_dir=tmp_path)
    assert time.monotonic() - start < 5
    for part in [*files, str(tmp_path / "downloads" / "manual"), "configs/vae_digits.py", "MB"]:
        assert part in line
    assert not list(tmp_path.iterdir())


def test_a_server_that_never_answers_is_given_up_soon():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        assert not _prepare._answers(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.3)
        assert time.monotonic() - start < 2


def test_a_wrong_file_is_named(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    damaged = bytearray(files["train-images-idx3-ubyte.gz"])
    damaged[100] ^= 1
    place(tmp_path / "downloads" / "manual", files | {"train-images-idx3-ubyte.gz": bytes(damaged)})
    assert "train-images-idx3-ubyte.gz is not mnist's" in refusal(name="tfds", data_dir=tmp_path)


def test_a_damaged_or_foreign_prepared_set_is_named(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    place(tmp_path / "downloads" / "manual", files)
    data.load(config(name="tfds", data_dir=tmp_path), "train")
    folder = tmp_path / "mnist" / "3.0.1"
    info, records = folder / "dataset_info.json", folder / "mnist-train.array_record-00000-of-00001"
    whole = records.read_bytes()
    for damage in (b"", whole[:len(whole) // 2], whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:]):
        records.write_bytes(damage)
        assert f"{folder} is damaged" in refusal(name="tfds", data_dir=tmp_path)
    text = info.read_text()
    info.write_text(text.replace("array_record", "tfrecord"))
    assert "convert_format" in refusal(name="tfds", data_dir=tmp_path)
    info.write_text("{")
    assert f"{folder} is damaged" in refusal(name="tfds", data_dir=tmp_path)
    info.unlink()
    assert "not a prepared data set" in refusal(name="tfds", data_dir=tmp_path)


def test_without_a_test_split_validation_serves_or_a_share_is_cut_off(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    place(tmp_path / "downloads" / "manual", files)
    test = data.load(config(name="tfds", data_dir=tmp_path), "test")
    folder = tmp_path / "mnist" / "3.0.1"
    (folder / "mnist-test.array_record-00000-of-00001").rename(folder / "mnist-validation.array_record-00000-of-00001")
    info = json.loads((folder / "dataset_info.json").read_text())
    info["splits"][1]["name"] = "validation"
    (folder / "dataset_info.json").write_text(json.dumps(info))
    assert data.fingerprint(data.load(config(name="tfds", data_dir=tmp_path), "test")) == data.fingerprint(test)
    del info["splits"][1]
    (folder / "dataset_info.json").write_text(json.dumps(info))
    train, test = both(name="tfds", data_dir=tmp_path)
    assert (len(train.x), len(test.x), data.duplicates(train, test)) == (24, 6, 0)


def test_names_that_tfds_does_not_know_or_cannot_prepare_here(tmp_path):
    assert "did you mean mnist" in refusal(name="tfds", data_dir=tmp_path, dataset="mnsit")
    assert "tfds build svhn_cropped" in refusal(name="tfds", data_dir=tmp_path, dataset="svhn_cropped")


def prepared(dataset: str) -> None:
    folder = Path(os.environ.get("TFDS_DATA_DIR", "/nowhere"), dataset)
    if not folder.is_dir():
        pytest.skip(f"TFDS_DATA_DIR holds no prepared {dataset}")


def test_the_real_mnist():
    prepared("mnist")
    train, test = both(name="tfds")
    assert train.x.shape == (60000, 28, 28, 1) and test.x.shape == (10000, 28, 28, 1)
    assert round(train.x.mean() / 255, 4) == 0.1307
    assert np.bincount(train.labels).tolist()[:3] == [5923, 6742, 5958]
    assert data.duplicates(train, test) == 0


def test_the_real_cifar10():
    prepared("cifar10")
    test = data.load(config(name="tfds", dataset="cifar10", classes="automobile"), "test")
    assert test.x.shape == (1000, 32, 32, 3) and test.classes == ("automobile",) and not test.labels.any()


def test_the_real_idx_files():
    folder = os.environ.get("GEN_JAX_RAW_MNIST")
    if not folder:
        pytest.skip("GEN_JAX_RAW_MNIST does not name a folder with MNIST's four files")
    images = _prepare.read_idx(Path(folder, "train-images-idx3-ubyte.gz"))
    assert images.shape == (60000, 28, 28) and images.dtype == np.uint8
    assert _prepare.read_idx(Path(folder, "t10k-labels-idx1-ubyte.gz"))[:5].tolist() == [7, 2, 1, 0, 4]
