"""A folder of image files; sub-folders are classes where there are some.

    path/*.png                          no labels
    path/<class>/**/*.png               a class for each sub-folder, numbered in the order of their names
    path/{train,test}/[<class>/]*.png   the same, with a test part of its own; else data.test_fraction is cut off

Files and folders whose names begin with a dot, and files of other kinds, are passed over.
"""
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict
from PIL import Image, ImageOps

from gen_jax.data._files import digests, file_at
from gen_jax.data._pixels import Form, form, pixels, stack
from gen_jax.data._settings import COMMON, FORM, IMAGES, PATH, TEST_FRACTION
from gen_jax.data._source import held_out, labelled
from gen_jax.errors import UserError
from gen_jax.folders import expanded
from gen_jax.settings import Settings
from gen_jax.types import Source

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}


hp = Settings(__name__, {**COMMON, **IMAGES, **PATH, **FORM, **TEST_FRACTION})


class Listing(NamedTuple):
    """The files of one split."""

    files: list[Path]
    labels: np.ndarray | None   # int32 [N]
    classes: tuple[str, ...]


def load(hp: ConfigDict, split: str) -> Source:
    """The images under hp.path in the form of hp.size, hp.fit and hp.channels; of a moving picture, the first frame.

    Cameras' orientation marks (EXIF) are followed. UserError for no image, a broken file, images of unlike shapes.
    """
    files, labels, classes = _listing(hp, split)
    if not files:
        raise UserError(f"data: {hp.path} has no {split} images at data.test_fraction={hp.test_fraction}")
    wanted = form(hp)
    with ThreadPoolExecutor() as pool:
        try:
            images = stack(pool.map(lambda file: _decoded(file, wanted), files), [str(file) for file in files])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after a broken file the rest need not be decoded
    return labelled(images, labels, classes)


def state(hp: ConfigDict, split: str) -> str:
    """What the images depend on: their files' names and contents, the classes, and the form asked for."""
    (files, _, classes), root = _listing(hp, split), _root(hp)
    names = [str(file.relative_to(root)) for file in files]
    return repr((form(hp), classes, list(zip(names, digests(files, hp), strict=True))))


def _listing(hp: ConfigDict, split: str) -> Listing:
    root = _root(hp)
    parts = _parts(root)
    classes = tuple(sorted({name for files in parts.values() for name in files.values() if name}))
    files = parts.get(split, parts.get("all"))
    labels = _labels(files, classes)
    if "all" not in parts:
        return Listing(list(files), labels, () if labels is None else classes)
    mask = held_out(labels, len(files), hp.test_fraction) == (split == "test")
    chosen = [file for file, kept in zip(files, mask, strict=True) if kept]
    return Listing(chosen, None if labels is None else labels[mask], classes)


def _parts(root: Path) -> dict[str, dict[Path, str]]:
    """The files of root, with their classes, as "train" and "test" if it has these sub-folders, else as "all"."""
    halves = [half for half in ("train", "test") if os.path.isdir(root / half)]
    if len(halves) == 1:
        raise UserError(f"data: {root} has {halves[0]}/ and no {'test' if halves == ['train'] else 'train'}/; add it, "
                        f"or set data.path={root / halves[0]} to have data.test_fraction cut off")
    parts = {half: _files(root / half) for half in halves} or {"all": _files(root)}
    if not any(parts.values()):
        raise UserError(f"data: no images in {root}; it needs files that end in {' '.join(sorted(SUFFIXES))}")
    return parts


def _root(hp: ConfigDict) -> Path:
    if not hp.path:
        raise UserError("data.path is not set: --config.data.path=FOLDER, a folder of images")
    root = expanded(hp.path, "data.path")
    if not os.path.isdir(root):
        raise UserError(f"data.path={hp.path}: there is no such folder")
    return root


def _files(root: Path) -> dict[Path, str]:
    """Each image file under root, in the order of their names, with its class: its first sub-folder, or ""."""
    files = {file: _printable(file.relative_to(root).parts[0]) if file.parent != root else ""
             for file in sorted(_walk(root))}
    loose = [file for file, name in files.items() if not name]
    if loose and len(loose) < len(files):
        raise UserError(f"data: {loose[0]} lies beside sub-folders that are classes; put all images into one of them")
    return files


def _walk(folder: Path, above: tuple[tuple[int, int], ...] = ()) -> Iterator[Path]:
    """The image files in folder and below. above: the device and inode of each folder that it lies in."""
    try:
        found, entries = os.stat(folder), sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"data: {folder} cannot be listed ({error.strerror})") from error
    here = (found.st_dev, found.st_ino)
    if here in above:
        raise UserError(f"data: {folder} is a link to a folder that it lies in, where its images would come again and "
                        "again; remove it")
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if os.path.isdir(entry):
            yield from _walk(Path(entry), (*above, here))
        elif Path(entry).suffix.lower() in SUFFIXES:
            yield Path(entry)


def _printable(name: str) -> str:
    """A name of a folder as text, also where it is not UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _labels(files: dict[Path, str], classes: tuple[str, ...]) -> np.ndarray | None:
    if not any(files.values()):
        return None
    number = {name: index for index, name in enumerate(classes)}
    return np.array([number[name] for name in files.values()], np.int32)


def _decoded(file: Path, wanted: Form) -> np.ndarray:
    try:
        with Image.open(file_at(file)) as picture:
            picture = ImageOps.exif_transpose(picture)
            return pixels(picture, wanted, str(file))
    except UserError:
        raise
    except Exception as error:  # decoders raise almost anything on a broken file
        raise UserError(f"data: {file} cannot be read as an image ({error}); mend or remove it") from error
