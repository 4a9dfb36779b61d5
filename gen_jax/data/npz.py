"""Arrays on disk, never pickles.

    x_train, y_train, x_test, y_test    as Keras keeps its data sets; without x_test, data.test_fraction is cut off
    x[, y][, classes]                   the same, all in one; images[, labels] are other names for x and y
    given_<name>[_train, _test]         what else is given with x, [N,...]; names_<name>: what its whole numbers mean
    a .npy file                         x alone

Of kind image, x is uint8 [N,H,W,C] or [N,H,W]; labels are integers [N] or [N,1], classes are names.
"""
import zipfile
import zlib

import numpy as np
from ml_collections import ConfigDict

from gen_jax.data._files import file_at
from gen_jax.data._settings import COMMON, IMAGES, PATH, TEST_FRACTION
from gen_jax.data._source import labelled, split_off
from gen_jax.errors import UserError
from gen_jax.find import find, names
from gen_jax.folders import expanded
from gen_jax.settings import Must, Setting, Settings
from gen_jax.types import Source

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
        raise UserError(f"data: {hp.path} holds {', '.join(arrays)}; it needs x_train (and y_train, x_test, y_test) or "
                        "images (and labels, classes)")
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
        if values.shape[:1] != source.x.shape[:1]:
            raise UserError(f"data: {key} in {path} has shape {values.shape}; it must be [{len(source.x)},...]")
        given[name] = values.astype(np.int32 if values.dtype.kind in "iu" and values.dtype != np.uint8 else
                                    np.float32 if values.dtype.kind == "f" else values.dtype)
        if f"names_{name}" in arrays:
            words[name] = tuple(map(str, arrays[f"names_{name}"].tolist()))
    return Source(source.x, given, words)


def _arrays(hp: ConfigDict) -> dict[str, np.ndarray]:
    if not hp.path:
        raise UserError("data.path is not set: --config.data.path=FILE, an .npz or .npy file")
    path = file_at(expanded(hp.path, "data.path"))
    try:
        loaded = np.load(path, allow_pickle=False)
        return {"images": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"data: {path} cannot be read as .npz or .npy without pickles ({error})") from error


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
    every = np.concatenate([arrays[name].ravel() for name in ("y_train", "y_test", "y") if name in arrays])
    classes = arrays["classes"].tolist() if "classes" in arrays else range(int(every.max(initial=-1)) + 1)
    if every.size and not 0 <= every.min() <= every.max() < len(classes):
        raise UserError(f"data: the labels in {path} are {every.min()}..{every.max()}; they must be 0.."
                        f"{len(classes) - 1}")
    return labels.ravel().astype(np.int32), tuple(map(str, classes))
