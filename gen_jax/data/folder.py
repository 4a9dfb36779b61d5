"""A folder of image files; sub-folders are classes where there are some.

    path/*.png                          no labels
    path/<class>/**/*.png               a class for each sub-folder, numbered in the order of their names
    path/{train,test}/[<class>/]*.png   the same, with a test part of its own; else data.test_fraction is cut off

Files and folders whose names begin with a dot, and files of other kinds, are passed over.
"""
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict
from PIL import Image, ImageOps

from gen_jax.data._files import digests, is_odd
from gen_jax.data._pixels import Form, form, pixels, shape_of, stack
from gen_jax.data._settings import COMMON, FORM, IMAGES, PATH, TEST_FRACTION
from gen_jax.data._source import held_out, labelled
from gen_jax.errors import UserError
from gen_jax.folders import expanded
from gen_jax.settings import Setting, Settings, one_of
from gen_jax.types import Source

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"}

SIDE = 32  # pixels of a chosen size, at most: of this size two CPU cores train a VAE or a GAN in an hour
NAMED = 3  # broken files that a refusal names

hp = Settings(__name__, {
    **COMMON, **IMAGES, **PATH, **FORM, **TEST_FRACTION,
    "size": FORM["size"]._replace(meaning=f"(height, width) in pixels that images are brought to; (): as they are, or "
                                  f"with data.fit crop or resize chosen by the images, {SIDE} a side at most"),
    "channels": FORM["channels"]._replace(meaning="1 grey, 3 RGB, 4 RGBA: images are converted; 0: as they are, or "
                                          "with data.fit crop or resize RGB where they differ"),
    "broken": Setting("refuse", "files that cannot be read: refuse them all, or skip (leave them out)",
                      one_of("refuse", "skip")),
})


class Listing(NamedTuple):
    """The files of one split."""

    files: list[Path]
    labels: np.ndarray | None   # int32 [N]
    classes: tuple[str, ...]


class Broken(NamedTuple):
    """A file that cannot be read, is no picture or only a part of one, or holds what 8 bits cannot."""

    file: Path
    why: str


def load(hp: ConfigDict, split: str) -> Source:
    """The images under hp.path in the form of hp.size, hp.fit and hp.channels; of a moving picture, the first frame.

    Cameras' orientation marks (EXIF) are followed. Broken files are left out where hp.broken is "skip": the others are
    in the same splits as before. UserError for no image, a broken file else, images of unlike shapes.
    """
    files, labels, classes = _listing(hp, split)
    wanted, kept = form(hp), []

    def whole(decoded: Iterable[np.ndarray | Broken]) -> Iterator[tuple[str, np.ndarray]]:
        for i, one in enumerate(decoded):
            if not isinstance(one, Broken):
                kept.append(i)
                yield str(files[i]), one
            elif hp.broken == "refuse":
                raise UserError(_refusal(broken(hp) or [one]))
    images = _each(lambda file: _decoded(file, wanted), files, lambda decoded: stack(whole(decoded), len(files)))
    if not kept:
        raise UserError(_nothing(hp, split, len(files)))
    return labelled(images, None if labels is None else labels[kept], classes)


def chosen(hp: ConfigDict) -> tuple[dict, str]:
    """(values of hp.size and hp.channels that hp leaves to the images, a line that says what they are); ({}, "") where
    it leaves none.

    All images count, those of the test part too. Where they are all of one size, and of SIDE pixels a side or fewer, it
    stays; else it is a square of SIDE pixels, or of their median shorter side if that is shorter.
    """
    if hp.fit == "refuse" or hp.size and hp.channels:
        return {}, ""
    shapes = [shape for shape in _each(_shape, _all_files(hp), list) if shape]
    if not shapes:
        return {}, ""
    sizes, channels = {shape[:2] for shape in shapes}, {shape[2] for shape in shapes}
    side = min(SIDE, int(np.median([min(shape[:2]) for shape in shapes])))
    size = max(sizes) if len(sizes) == 1 and max(max(sizes)) <= SIDE else (side, side)
    values = {"size": tuple(hp.size) or size, "channels": hp.channels or (max(channels) if len(channels) == 1 else 3)}
    smallest, largest = (pick(sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
    was = _by(largest) if len(sizes) == 1 else f"{_by(smallest)} to {_by(largest)}"
    return values, (f"data: images of {was} pixels are brought to {_by(values['size'])}x{values['channels']} "
                    f"(data.fit={hp.fit}); data.size and data.channels choose otherwise")


def broken(hp: ConfigDict) -> list[Broken]:
    """Every file under hp.path that cannot be read, of both splits."""
    wanted = form(hp)._replace(size=(), channels=0)
    return [one for one in _each(lambda file: _decoded(file, wanted), _all_files(hp), list) if isinstance(one, Broken)]


def note(hp: ConfigDict, split: str, source: Source) -> str:
    """What the user should know of a split that was loaded: how many files were left out; "" if none."""
    files = len(_listing(hp, split).files)
    left_out = files - len(source.x)
    return (f"data: {left_out} of {files} {split} images cannot be read and are left out (data.broken=skip); "
            "--mode=data lists them" if left_out else "")


def state(hp: ConfigDict, split: str) -> str:
    """What the images depend on: their files' names and contents, the classes, and the form asked for."""
    (files, _, classes), root = _listing(hp, split), _root(hp)
    names = [str(file.relative_to(root)) for file in files]
    return repr((form(hp), hp.broken, classes, list(zip(names, digests(files, hp), strict=True))))


def _all_files(hp: ConfigDict) -> list[Path]:
    return [file for files in _parts(_root(hp)).values() for file in files]


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
        raise UserError(f"data: {loose[0]} lies beside sub-folders, which are classes; put every image into a "
                        "sub-folder, that of its class")
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


def _each(function: Callable, files: list[Path], collect: Callable):
    """collect(what function gives of each file, in order); files are read at the same time."""
    with ThreadPoolExecutor() as pool:
        try:
            return collect(pool.map(function, files))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # after a fault the rest need not be read


def _opened(file: Path) -> Image.Image:
    if is_odd(file):
        raise ValueError("it is no file, but a folder, a pipe or a device")
    return Image.open(file)


def _decoded(file: Path, wanted: Form) -> np.ndarray | Broken:
    """The picture in the wanted form. UserError where the settings, and not the file, are in the way of that."""
    try:
        with _opened(file) as picture:
            picture = ImageOps.exif_transpose(picture)
            return pixels(picture, wanted, str(file))
    except UserError:
        raise
    except Exception as error:  # decoders raise almost anything on a broken file
        why = error.strerror if isinstance(error, OSError) and error.errno else str(error)
        return Broken(file, " ".join(why.split()) or type(error).__name__)


def _shape(file: Path) -> tuple[int, int, int] | None:
    """(height, width, channels) by the file's header; None where it is broken."""
    try:
        with _opened(file) as picture:
            return shape_of(picture)
    except Exception:  # what is wrong is said when it is decoded
        return None


def _nothing(hp: ConfigDict, split: str, files: int) -> str:
    """The line for a split without an image. files: how many it has, which are then all broken."""
    if files:
        return (f"data: none of the {files} {split} images in {hp.path} can be read; mend them, --mode=data lists them")
    if split in _parts(_root(hp)):
        return f"data: there are no images in {_root(hp) / split}; put some there"
    return (f"data: {hp.path} has no {split} images at data.test_fraction={hp.test_fraction}; change it, or add images")


def _refusal(found: list[Broken]) -> str:
    """The line for broken files: how many, and the first few."""
    first, *others = found
    names = ", ".join(str(one.file) for one in others[:NAMED - 1]) + (", ..." if len(others) >= NAMED else "")
    more = f", nor can {len(others)} more ({names})" if others else ""
    return (f"data: {first.file} cannot be read as an image ({first.why}){more}; mend or remove what is broken, leave "
            "it out with --config.data.broken=skip, or see all of it with --mode=data")


def _by(size: tuple[int, int]) -> str:
    return "x".join(map(str, size))
