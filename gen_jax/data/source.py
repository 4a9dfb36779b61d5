"""A data set in memory, and what can be done with any: choose classes, cut, cap, check, fingerprint, compare."""
import hashlib
from typing import NamedTuple

import numpy as np

from gen_jax.errors import UserError
from gen_jax.find import nearest


class Source(NamedTuple):
    """One split of a data set."""

    images: np.ndarray          # uint8 [N,H,W,C], C is 1, 3 or 4
    labels: np.ndarray | None   # int32 [N] in [0, len(classes)); None where there are none
    classes: tuple[str, ...]    # class names by label; () where there are no labels


def checked(source: Source, name: str) -> Source:
    """source itself, if it is what Source promises; else a ValueError that says what name, a data set, gave."""
    images, labels, classes = source
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in (1, 3, 4):
        raise ValueError(f"{name}: images must be uint8 [N,H,W,C] with C in 1, 3, 4, not {images.dtype} {images.shape}")
    if labels is None:
        if classes:
            raise ValueError(f"{name}: there are class names and no labels")
    elif labels.dtype != np.int32 or labels.shape != images.shape[:1]:
        raise ValueError(f"{name}: labels must be int32 [{len(images)}], not {labels.dtype} {labels.shape}")
    elif len(labels) and not 0 <= labels.min() <= labels.max() < len(classes):
        raise ValueError(f"{name}: labels {labels.min()}..{labels.max()} do not fit {len(classes)} class names")
    return source


def take(source: Source, rows: np.ndarray) -> Source:
    """The images and labels at rows, an index or a mask over N."""
    images, labels, classes = source
    return Source(images[rows], None if labels is None else labels[rows], classes)


def of_classes(source: Source, wanted: str) -> Source:
    """Only the wanted classes, re-numbered 0, 1, ... in the order in which they are named.

    wanted: names or indices, separated by commas, such as "cat,dog" or "3,5"; a name goes before an index. UserError
    for a class that there is not, with the nearest name, or that is named twice.
    """
    if source.labels is None:
        raise UserError(f"data.classes={wanted!r}: these images have no labels; set data.classes=''")
    chosen = [_class_index(part.strip(), source.classes) for part in wanted.split(",")]
    if len(set(chosen)) < len(chosen):
        raise UserError(f"data.classes={wanted!r}: a class is named twice")
    number = np.full(len(source.classes), -1, np.int32)
    number[chosen] = np.arange(len(chosen))
    labels = number[source.labels]
    kept = labels >= 0
    return Source(source.images[kept], labels[kept], tuple(source.classes[index] for index in chosen))


def _class_index(name: str, classes: tuple[str, ...]) -> int:
    if name in classes:
        return classes.index(name)
    if name.isdecimal() and int(name) < len(classes):
        return int(name)
    raise UserError(f"data.classes: there is no class {name!r}{nearest(name, list(classes))}, by index 0 to "
                    f"{len(classes) - 1}")


def first(source: Source, most: int) -> Source:
    """At most `most` images, in their order: a fixed choice with the classes in their proportions.

    The choice of 1,000 holds the choice of 500, so that runs on more and more data compare.
    """
    return take(source, np.sort(stratified_order(source.labels, len(source.images))[:most]))


def held_out(labels: np.ndarray | None, count: int, fraction: float) -> np.ndarray:
    """bool [count], True for the images of the test part: a fixed share of each class.

    labels: int [count], or None for a share of all. A class of one image stays whole in the training part as long as
    fraction < 1/2.
    """
    mask = np.zeros(count, bool)
    mask[stratified_order(labels, count)[:round(fraction * count)]] = True
    return mask


def cut(source: Source, split: str, fraction: float) -> Source:
    """The "train" or "test" part of images that come without a test part of their own, as held_out divides them."""
    mask = held_out(source.labels, len(source.images), fraction)
    return take(source, mask if split == "test" else ~mask)


def stratified_order(labels: np.ndarray | None, count: int) -> np.ndarray:
    """int [count], a fixed pseudo-random order of which every beginning has the classes in their proportions.

    labels: int [count] or None. RandomState and not default_rng, because numpy promises its stream for ever.
    """
    shuffled = np.random.RandomState(0).permutation(count)
    if labels is None:
        return shuffled
    quantile = np.empty(count)
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        quantile[members] = (np.arange(len(members)) + 0.5) / len(members)
    return shuffled[np.argsort(quantile[shuffled], kind="stable")]


def binarized(source: Source) -> Source:
    """The same with every pixel drawn once, 255 with its grey value's probability, else 0: fixed binarisation.

    A pixel's draw depends on its place in the split alone. Larochelle & Murray, "The Neural Autoregressive Distribution
    Estimator", AISTATS 2011, used such a set; theirs was drawn with other random numbers.
    """
    draws = np.random.RandomState(0).randint(0, 255, source.images.shape, np.uint8)
    return source._replace(images=np.where(draws < source.images, np.uint8(255), np.uint8(0)))


def fingerprint(source: Source) -> str:
    """The sha256, in hex, of the images, their labels and the class names, with shapes: one pixel changes it."""
    digest = hashlib.sha256()
    for array in (source.images, source.labels):
        if array is not None:
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array))
    digest.update(repr(source.classes).encode())
    return digest.hexdigest()


def duplicates(train: Source, test: Source) -> int:
    """How many test images have exactly the pixels of some training image; labels do not matter."""
    if train.images.shape[1:] != test.images.shape[1:]:
        return 0
    seen = {_digest(image) for image in train.images}
    return sum(_digest(image) in seen for image in test.images)


def _digest(image: np.ndarray) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
