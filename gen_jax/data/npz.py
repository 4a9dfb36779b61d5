"""Arrays on disk, never pickles.

    x_train, y_train, x_test, y_test    as Keras keeps its data sets; without x_test, data.test_fraction is cut off
    x[, y][, classes]                   the same, all in one; images[, labels] are other names for x and y
    given_<name>[_train, _test]         what else is given with x, [N,...]; names_<name>: what its whole numbers mean
    a .npy file                         x alone

Of kind image, x is uint8 [N,H,W,C] or [N,H,W]; labels are integers [N] or [N,1], classes are names.
"""
import lzma
import math
import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from gen_jax import memory
from gen_jax.data._files import file_at
from gen_jax.data._settings import COMMON, IMAGES, PATH, TEST_FRACTION
from gen_jax.data._source import labelled, split_off
from gen_jax.errors import UserError
from gen_jax.find import find, names
from gen_jax.folders import expanded
from gen_jax.settings import Must, Setting, Settings
from gen_jax.types import Source

MAX_CLASSES = 100_000
UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError,
              SyntaxError, tokenize.TokenError, lzma.LZMAError)  # also encrypted, or packed in a way that is not known

hp = Settings(__name__, {
    **COMMON, **IMAGES, **PATH, **TEST_FRACTION,
    "kind": Setting("image", "what x is: a file of gen_jax/data/kinds",
                    Must(lambda kind: kind in names("data.kinds"), "image, points, sequence or another kind there is")),
})


def kind(hp: ConfigDict) -> str:
    """The kind that the user says it is."""
    return hp.kind


def load(hp: ConfigDict, split: str) -> Source:
    """x of the file hp.path, its labels if it has any, and what else is given.

    UserError for a file that cannot be read, types and shapes that do not fit the kind, and labels that do not fit.
    """
    arrays = _arrays(hp)
    arrays |= {new: arrays[old] for old, new in (("images", "x"), ("labels", "y")) if old in arrays}
    own_test = "x_test" in arrays
    end = f"_{split}" if own_test else "_train" if "x_train" in arrays else ""
    if f"x{end}" not in arrays:
        raise UserError(f"data: {hp.path} holds {', '.join(arrays) or 'no arrays'}; it needs x_train (and y_train, "
                        "x_test, y_test) or images (and labels, classes)")
    name = f"x{end} in {hp.path}"
    x = _images(arrays[f"x{end}"], name) if hp.kind == "image" else arrays[f"x{end}"]
    if fault := find("data.kinds", hp.kind).KIND.fault(x):
        raise UserError(f"data: {name}: {fault}")
    source = labelled(x, *_labels(arrays, f"y{end}", f"x{end}", hp.path))
    source = _with_given(source, arrays, end, hp.path)
    return source if own_test else split_off(source, split, hp.test_fraction)


def _with_given(source: Source, arrays: dict, end: str, path: str) -> Source:
    """source with the arrays given_<name><end>, and what their whole numbers mean."""
    given, words = dict(source.given), dict(source.names)
    for key, values in arrays.items():
        if not (key.startswith("given_") and key.endswith(end)):
            continue
        name = key.removeprefix("given_").removesuffix(end)
        if values.shape[:1] != source.x.shape[:1] or values.dtype.kind not in "iufb":
            raise UserError(f"data: {key} in {path} is {values.dtype} {values.shape}; it must be numbers "
                            f"[{len(source.x)},...]")
        given[name] = values.astype(np.int32 if values.dtype.kind in "iu" and values.dtype != np.uint8 else
                                    np.float32 if values.dtype.kind == "f" else values.dtype)
        if f"names_{name}" in arrays:
            words[name] = tuple(map(str, np.atleast_1d(arrays[f"names_{name}"]).tolist()))
            if values.size and not 0 <= values.min() <= values.max() < len(words[name]):
                raise UserError(f"data: {key} in {path} is {values.min()}..{values.max()}, and names_{name} has "
                                f"{len(words[name])} names")
    return Source(source.x, given, words)


def _arrays(hp: ConfigDict) -> dict[str, np.ndarray]:
    if not hp.path:
        raise UserError("data.path is not set: --config.data.path=FILE, an .npz or .npy file")
    path = file_at(expanded(hp.path, "data.path"))
    try:
        num_bytes = _num_bytes(path)
        memory.check(num_bytes, f"data: {path}", "keep fewer or smaller arrays in it")
        loaded = np.load(path, allow_pickle=False)
        arrays = {"images": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except UNREADABLE as error:
        raise UserError(f"data: {path} cannot be read as .npz or .npy without pickles ({error})") from error
    return {name: array for name, array in arrays.items() if isinstance(array, np.ndarray)}


def _num_bytes(path: Path) -> int:
    """How large the arrays in path say that they are, before one is read. ValueError where more than there is."""
    if not zipfile.is_zipfile(path):
        return np.load(path, mmap_mode="r", allow_pickle=False).nbytes
    total = 0
    with zipfile.ZipFile(path) as file:
        for member in file.infolist():
            with file.open(member) as content:
                if member.filename.endswith(".npy") and (claimed := _claimed(content)) > member.file_size:
                    raise ValueError(f"{member.filename} says that it holds {memory.size(claimed)}, and there are "
                                     f"{memory.size(member.file_size)}")
            total += member.file_size
    return total


def _claimed(content) -> int:
    """Bytes of the array that a .npy file's header announces."""
    version = np.lib.format.read_magic(content)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(content)
    return math.prod(shape) * dtype.itemsize


def _images(images: np.ndarray, name: str) -> np.ndarray:
    if images.dtype != np.uint8:
        low, high = (images.min(), images.max()) if images.size and images.dtype.kind in "iufb" else ("?", "?")
        raise UserError(f"data: {name} is {images.dtype} with values {low}..{high}; it must be uint8 with 0..255. "
                        "From 0..1: np.round(x * 255).astype(np.uint8)")
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[-1] not in (1, 3, 4):
        raise UserError(f"data: {name} has shape {images.shape}; it must be [N,H,W] or [N,H,W,C] with C in 1, 3, 4. "
                        "From [N,C,H,W]: x.transpose(0, 2, 3, 1)")
    return images


def _labels(arrays: dict, key: str, images: str, path: str) -> tuple[np.ndarray | None, tuple[str, ...]]:
    """The labels, int32 [N], and the class names: those in the file, else the numbers up to the largest label."""
    if key not in arrays:
        return None, ()
    count, labels = len(arrays[images]), arrays[key]
    if labels.dtype.kind not in "iu" or labels.shape not in ((count,), (count, 1)):
        raise UserError(f"data: {key} in {path} is {labels.dtype} {labels.shape}; it must be integers [{count}]")
    every = [arrays[name] for name in ("y_train", "y_test", "y") if name in arrays and arrays[name].size
             and arrays[name].dtype.kind in "iu"]
    low, high = min((int(y.min()) for y in every), default=0), max((int(y.max()) for y in every), default=-1)
    if high >= MAX_CLASSES:
        raise UserError(f"data: the labels in {path} are {low}..{high}; they must be below {MAX_CLASSES:,}. Numbered "
                        "anew: np.unique(y, return_inverse=True)[1]")
    classes = np.atleast_1d(arrays["classes"]).tolist() if "classes" in arrays else range(high + 1)
    if low < 0 or high >= len(classes):
        raise UserError(f"data: the labels in {path} are {low}..{high}; they must be 0..{len(classes) - 1}")
    return labels.ravel().astype(np.int32), tuple(map(str, classes))
