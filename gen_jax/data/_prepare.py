"""Prepares MNIST, Fashion-MNIST, KMNIST, CIFAR-10 and CIFAR-100 for TFDS without TensorFlow.

The result is a data set as TFDS itself prepares it (its builders' names, versions, features and splits, its checksums,
its record order), in the array_record format. TFDS's own builders need TensorFlow only to unpack files and to encode
PNG; the builder here does these two with the standard library and Pillow.
"""
import contextlib
import gzip
import hashlib
import io
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from absl import logging
from PIL import Image

from gen_jax.errors import UserError

# CIFAR's archives: the folder inside, the files of each split, and the file that names the classes of each label byte.
CIFAR = {
    "cifar10": ("cifar-10-batches-bin",
                {"train": [f"data_batch_{index}.bin" for index in range(1, 6)], "test": ["test_batch.bin"]},
                {"label": "batches.meta.txt"}),
    "cifar100": ("cifar-100-binary",
                 {"train": ["train.bin"], "test": ["test.bin"]},
                 {"coarse_label": "coarse_label_names.txt", "label": "fine_label_names.txt"}),
}
NAMES = ("mnist", "fashion_mnist", "kmnist", *CIFAR)


def prepare(name: str, root: Path) -> None:
    """Prepares the data set name, one of NAMES, as root/<name>/<version>, from files at hand or else from the network.

    Files that the user has put into root/downloads/manual, TFDS's place for them, or root/downloads/manual/<name> are
    used (the three MNISTs' have the same names). All are compared with the sha256 that TFDS has on record. UserError,
    at once, where files are wrong or missing and the network does not answer. TFDS writes into a folder of another
    name and renames it when it is complete, so a killed run leaves no half data set, and of two at once the second
    finds the work done.
    """
    import tensorflow_datasets as tfds

    infos = tfds.builder_cls(name).url_infos
    builder = _builder(name, root, infos)
    done = builder.data_path / "dataset_info.json"
    try:
        manual = _manual(name, root, infos)
        _check_files(name, root, manual, infos)
        if builder.data_path.exists() and not done.exists():
            raise UserError(f"data: {builder.data_path} is not a prepared data set (no dataset_info.json); delete it")
        _run(builder, root, manual)
    except UserError:
        raise
    except Exception as error:
        if not done.exists():
            raise _explained(name, root, error) from error
        logging.info("data: another process has prepared %s", name)


def _run(builder, root: Path, manual: Path) -> None:
    import tensorflow_datasets as tfds

    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    config = tfds.download.DownloadConfig(manual_dir=manual, try_download_gcs=False)
    builder.download_and_prepare(download_dir=root / "downloads", download_config=config, file_format="array_record")


def _explained(name: str, root: Path, error: Exception) -> Exception:
    """The UserError for what can go wrong outside the program; error itself for the rest."""
    import requests
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

    line = str(error).splitlines()[0][:300] if str(error) else type(error).__name__
    if isinstance(error, (requests.RequestException, tfds.download.DownloadError)):
        return UserError(f"data: the download of {name} broke off ({line}); run again")
    if isinstance(error, NonMatchingChecksumError):
        return UserError(f"data: {line} It is not the file that TFDS has on record; run again")
    if isinstance(error, (OSError, RuntimeError)):  # the record writer says RuntimeError for a full disk
        return UserError(f"data: {name} cannot be prepared in {root} ({line}); it needs a folder with space that can "
                         "be written to, see data.data_dir")
    return error


def _manual(name: str, root: Path, infos: dict) -> Path:
    """The folder where the user puts downloaded files: the common one if any lies there, else the data set's own."""
    common = root / "downloads" / "manual"
    own = common / name
    return common if not own.is_dir() and any((common / info.filename).is_file() for info in infos.values()) else own


def _check_files(name: str, root: Path, manual: Path, infos: dict) -> None:
    """UserError for files at hand with a wrong checksum, and for files that are neither at hand nor to be had."""
    from tensorflow_datasets.core.download import resource

    missing = {}
    for url, info in infos.items():
        cached = root / "downloads" / name / resource.get_dl_fname(url, info.checksum)
        path = next((path for path in (manual / info.filename, cached) if path.is_file()), None)
        if path is None:
            missing[url] = info
        elif _sha256(path) != info.checksum:
            raise UserError(f"data: {path} is not {name}'s (its sha256 is not {info.checksum}): it is damaged, or of "
                            f"another data set; delete it, or put {name}'s files into "
                            f"{root / 'downloads' / 'manual' / name}")
    if missing and not _answers(next(iter(missing))):
        raise UserError(_needed(name, root, manual, missing))


def _needed(name: str, root: Path, manual: Path, missing: dict) -> str:
    """The line that says which files are missing, how large they are, whence they come and where they go."""
    url, names = next(iter(missing)), ", ".join(info.filename for info in missing.values())
    megabytes = sum(info.size for info in missing.values()) / 1e6
    return (f"data: {name} is not prepared in {root} and {urlsplit(url).hostname} does not answer: get {names} "
            f"({megabytes:.1f} MB) from {url.rpartition('/')[0]}/ into {manual} and run again, or set "
            "data.data_dir; --config=configs/vae_digits.py runs without them")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _answers(url: str, seconds: float = 2.0) -> bool:
    """Whether url can be downloaded, said within seconds: TFDS itself would try for more than three minutes.

    A thread asks, because looking up a host's name has no time limit of its own.
    """
    import requests

    answers = []

    def ask():
        with contextlib.suppress(requests.RequestException), requests.get(url, stream=True, timeout=seconds) as reply:
            answers.append(reply.ok)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    return answers == [True]


def _builder(name: str, root: Path, infos: dict):
    """TFDS's builder of the data set, with the two steps replaced that need TensorFlow."""
    import tensorflow_datasets as tfds

    parent = tfds.builder_cls(name)
    examples = _cifar_examples if name in CIFAR else _idx_examples

    class Builder(parent, skip_registration=True):
        name = parent.name
        VERSION = parent.VERSION

        def _split_generators(self, dl_manager):
            files = dl_manager.download({info.filename: url for url, info in infos.items()})
            if self.name in CIFAR:
                _name_classes(self.name, files, self.info.features)
            return {split: examples(self.name, files, split) for split in ("train", "test")}

    return Builder(data_dir=root)


def _idx_examples(name: str, files: dict, split: str) -> Iterator[tuple[int, dict]]:
    """The numbered examples of one split of a data set in four IDX files, as the three MNISTs come."""
    prefix = {"train": "train", "test": "t10k"}[split]
    images = read_idx(files[f"{prefix}-images-idx3-ubyte.gz"])
    labels = read_idx(files[f"{prefix}-labels-idx1-ubyte.gz"])
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        yield index, {"image": _png(image), "label": int(label)}


def read_idx(path) -> np.ndarray:
    """uint8 array of a gzipped IDX file: two zeros, type 8, the number of axes, their lengths big-endian, the bytes."""
    data = gzip.decompress(Path(path).read_bytes())
    axes = data[3]
    shape = np.frombuffer(data, ">i4", axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape)


def _cifar_examples(name: str, files: dict, split: str) -> Iterator[tuple[int, dict]]:
    """The numbered examples of one split of CIFAR: records of one byte a label, then 3,072 of [3,32,32]."""
    _, parts, names = CIFAR[name]
    data = b"".join(_member(name, files, part) for part in parts[split])
    for index, record in enumerate(np.frombuffer(data, np.uint8).reshape(-1, len(names) + 3072)):
        image = record[len(names):].reshape(3, 32, 32).transpose(1, 2, 0)
        labels = {key: int(label) for key, label in zip(names, record, strict=False)}
        yield index, {"id": f"{split}_{index:05d}", "image": _png(image), **labels}


def _name_classes(name: str, files: dict, features) -> None:
    for key, part in CIFAR[name][2].items():
        features[key].names = _member(name, files, part).decode().split()


def _member(name: str, files: dict, part: str) -> bytes:
    """The bytes of one file in CIFAR's only archive."""
    (archive,) = files.values()
    with tarfile.open(archive) as tar:
        return tar.extractfile(f"{CIFAR[name][0]}/{part}").read()


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()
