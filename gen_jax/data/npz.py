"""Arrays on disk, never pickles.

    x_train, y_train, x_test, y_test    as Keras keeps its data sets; without x_test, data.test_fraction is cut off
    images[, labels][, classes]         the same, all in one
    a .npy file                         images alone

Images are uint8 [N,H,W,C] or [N,H,W], labels are integers [N] or [N,1], classes are names.
"""
import zipfile
import zlib
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from gen_jax.data.source import Source, cut
from gen_jax.errors import UserError


def load(hp: ConfigDict, split: str) -> Source:
    """The images of the file hp.path, uint8 [N,H,W,C], and their labels if it has any.

    UserError for a file that cannot be read, floats or other types, and shapes or labels that do not fit.
    """
    arrays = _arrays(hp)
    own_test = "x_test" in arrays
    images, labels = (f"x_{split}", f"y_{split}") if own_test else ("x_train", "y_train")
    if "x_train" not in arrays:
        images, labels = "images", "labels"
    if images not in arrays:
        raise UserError(f"data: {hp.path} holds {', '.join(arrays)}; it needs x_train (and y_train, x_test, y_test) or "
                        "images (and labels, classes)")
    source = Source(_images(arrays[images], f"{images} in {hp.path}"), *_labels(arrays, labels, images, hp.path))
    return source if own_test else cut(source, split, hp.test_fraction)


def _arrays(hp: ConfigDict) -> dict[str, np.ndarray]:
    if not hp.path:
        raise UserError("data.path is not set: --config.data.path=FILE, an .npz or .npy file")
    path = Path(hp.path).expanduser()
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
    every = np.concatenate([arrays[name].ravel() for name in ("y_train", "y_test", "labels") if name in arrays])
    classes = arrays["classes"].tolist() if "classes" in arrays else range(int(every.max(initial=-1)) + 1)
    if every.size and not 0 <= every.min() <= every.max() < len(classes):
        raise UserError(f"data: the labels in {path} are {every.min()}..{every.max()}; they must be 0.."
                        f"{len(classes) - 1}")
    return labels.ravel().astype(np.int32), tuple(map(str, classes))
