"""Any image data set of TensorFlow Datasets by its name, read without TensorFlow.

It is read from <data_dir>/<dataset>/<version>, prepared in the array_record format; those in prepare.NAMES are
prepared there on first use. hp.dataset is TFDS's name: "mnist", "mnist:3.0.1", "emnist/letters".
"""
import difflib
import glob
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict
from PIL import Image

from gen_jax.data import _prepare as prepare
from gen_jax.data._files import digests
from gen_jax.data._pixels import form, form_like, pixels, stack
from gen_jax.data._settings import COMMON, FORM, IMAGES, TEST_FRACTION
from gen_jax.data._source import labelled, split_off
from gen_jax.data._strokes import strokes
from gen_jax.errors import UserError
from gen_jax.find import nearest
from gen_jax.folders import expanded
from gen_jax.settings import Setting, Settings, placeholder
from gen_jax.types import Source

STROKES = ("mnist", "kmnist", "emnist")
CHUNK = 1024  # records read at once

hp = Settings(__name__, {
    **COMMON, **IMAGES, **FORM, **TEST_FRACTION,
    "dataset": Setting("mnist", "TFDS's name of the data set"),
    "data_dir": Setting(placeholder(str), "prepared data; unset: $TFDS_DATA_DIR, else TFDS's own default"),
})


def load(hp: ConfigDict, split: str) -> Source:
    """The images of one split and their labels, in the form of hp.size, hp.fit and hp.channels.

    "test" is TFDS's test split, else its validation split; where there is no training split beside one of these,
    hp.test_fraction is cut off what there is. Labels are the feature "label", else the only one that names classes;
    a split with unknown labels (-1) has none. UserError for what is not there, not images, or damaged.
    """
    folder = _prepared(hp)
    part, shared = _part(folder, split)
    source = _read(folder, part, hp)
    return split_off(source, split, hp.test_fraction) if shared else source


def prepare_picture(hp: ConfigDict, shape: tuple[int, int, int], picture: Image.Image, name: str) -> np.ndarray:
    """A user's own picture as the data set's images are: strokes for those of MNIST's family, else cut to shape."""
    if re.split("[:/]", hp.dataset)[0] in STROKES and shape[2] == 1:
        return strokes(picture, shape[0], round(shape[0] * 20 / 28), name)
    return pixels(picture, form_like(hp, shape), name)


def state(hp: ConfigDict, split: str) -> str:
    """What the images depend on: the prepared data set's files, their contents, and the form asked for."""
    folder = _prepared(hp)
    try:
        files = sorted(folder.iterdir())
        contents = [(file.name, digest) for file, digest in zip(files, digests(files, hp), strict=True)]
    except OSError as error:  # the folder has gone, or may not be listed
        raise UserError(_damaged(folder, error)) from error
    return repr((form(hp), hp.test_fraction if _part(folder, split)[1] else None, contents))


def _prepared(hp: ConfigDict) -> Path:
    """The folder of the prepared data set, which is prepared if need be."""
    root = expanded(hp.data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets", "data.data_dir")
    folder = _find(root, hp.dataset)
    if folder is None:
        if hp.dataset not in prepare.NAMES:
            raise UserError(_unprepared(root, hp.dataset))
        prepare.prepare(hp.dataset, root)
        folder = _find(root, hp.dataset)
    formats = _description(folder).formats
    if "array_record" not in formats:
        raise UserError(f"data: {folder} is prepared as {' and '.join(formats)}, which only TensorFlow reads; set "
                        "data.data_dir to another folder, or where TensorFlow is installed run tfds convert_format "
                        f"--dataset_version_dir={folder} --out_file_format=array_record")
    return folder


def _find(root: Path, dataset: str) -> Path | None:
    """The folder of the asked or the latest version; None if there is none. Half-made ones have other names."""
    name, _, version = dataset.partition(":")
    versions = [os.path.dirname(file) for file in glob.glob("*/dataset_info.json", root_dir=root / name)]
    found = [each for each in versions if re.fullmatch(r"\d+\.\d+\.\d+", each) and version in ("", each)]
    latest = max(found, key=lambda each: tuple(map(int, each.split("."))), default=None)
    return latest and root / name / latest


def _unprepared(root: Path, dataset: str) -> str:
    """The line for a data set that TFDS does not know, or knows and that only TensorFlow prepares."""
    import tensorflow_datasets as tfds  # 0.3 to 0.9 s, so only where it is needed

    known = tfds.list_builders(with_community_datasets=False)
    name = re.split("[:/]", dataset)[0]
    if name not in known:
        close = ", ".join(difflib.get_close_matches(name, known, 5))
        return f"data.dataset={dataset!r}: TFDS has no such data set" + (f"; did you mean {close}?" if close else "")
    if name in prepare.NAMES:
        return f"data: {dataset} is not prepared in {root}; without a version, {name} is prepared on first use"
    configs = {f"{name}/{file.split(os.sep)[0]}" for file in glob.glob("*/*/dataset_info.json", root_dir=root / name)}
    if configs:
        return f"data.dataset={dataset!r} is not prepared in {root}{nearest(dataset, sorted(configs))}"
    return (f"data: {dataset} is not prepared in {root}, and TFDS prepares it with TensorFlow only: pip install "
            f"tensorflow, then tfds build {dataset} --file_format=array_record --data_dir={root}")


class Description(NamedTuple):
    """What dataset_info.json says."""

    formats: tuple[str, ...]    # of the record files
    splits: tuple[str, ...]


def _description(folder: Path) -> Description:
    try:
        info = json.loads((folder / "dataset_info.json").read_bytes())
        formats = (info.get("fileFormat", "tfrecord"), *info.get("alternativeFileFormats", ()))
        splits = tuple(split["name"] for split in info["splits"])
        if not splits or not all(isinstance(name, str) for name in (*formats, *splits)):
            raise ValueError("dataset_info.json names no splits")
        return Description(formats, splits)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(_damaged(folder, error)) from error


def _damaged(folder: Path, error: Exception) -> str:
    line = (str(error) or repr(error)).splitlines()[0][:200]
    return f"data: {folder} is damaged ({line}); delete this folder to have it prepared again"


def _part(folder: Path, split: str) -> tuple[str, bool]:
    """TFDS's split to read for "train" or "test", and whether that must be cut out of it."""
    there = _description(folder).splits
    test = next((name for name in ("test", "validation") if name in there), None)
    if "train" in there and test:
        return {"train": "train", "test": test}[split], False
    return "train" if "train" in there else there[0], True


def _read(folder: Path, part: str, hp: ConfigDict) -> Source:
    """All images and labels of TFDS's split part."""
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder_from_directory(folder)
        image, label = _keys(builder.info.features, folder)
        raw = builder.as_data_source(part, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)
        examples = list(_examples(raw, image, label))
        wanted, names = form(hp), [f"{hp.dataset} {part}[{index}]" for index in range(len(examples))]
        labels = np.array([number for _, number in examples], np.int32)
        known = label is not None and labels.min(initial=0) >= 0
        classes = tuple(builder.info.features[label].names) if known else ()
        if known and labels.max(initial=0) >= len(classes):
            raise ValueError(f"a label is {labels.max()}, and there are {len(classes)} classes")
        named = ((name, _decoded(picture, wanted, name)) for (picture, _), name in zip(examples, names, strict=True))
        return labelled(stack(named, len(names)), labels if known else None, classes)
    except (UserError, ImportError, MemoryError):
        raise
    except Exception as error:  # a missing, cut or changed file shows in many ways
        raise UserError(_damaged(folder, error)) from error


def _keys(features, folder: Path) -> tuple[str, str | None]:
    """The names of the image and of the label among TFDS's features."""
    import tensorflow_datasets as tfds

    images = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    labels = [key for key, feature in features.items() if isinstance(feature, tfds.features.ClassLabel)]
    image = "image" if "image" in images else images[0] if len(images) == 1 else None
    if image is None or features[image].np_dtype not in (np.uint8, np.uint16):
        raise UserError(f"data: {folder} is not a data set of one 8- or 16-bit image each; it has "
                        f"{', '.join(features)}")
    return image, "label" if "label" in labels else labels[0] if len(labels) == 1 else None


def _examples(raw, image: str, label: str | None) -> Iterator[tuple[bytes, int]]:
    """The encoded picture and the label (-1 where there is none) of each record.

    The records are parsed here, because TFDS would decode every feature, and takes three times as long.
    """
    from tensorflow_datasets.proto import tf_example_pb2

    for start in range(0, len(raw), CHUNK):
        for record in raw.__getitems__(range(start, min(start + CHUNK, len(raw)))):
            feature = tf_example_pb2.Example.FromString(record).features.feature
            yield feature[image].bytes_list.value[0], feature[label].int64_list.value[0] if label else -1


def _decoded(picture: bytes, wanted, name: str) -> np.ndarray:
    return pixels(Image.open(io.BytesIO(picture)), wanted, name)
