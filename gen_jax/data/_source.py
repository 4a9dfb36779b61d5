"""What can be done with any data set in memory: choose classes, cut, cap, check, fingerprint, compare."""
import hashlib

import numpy as np

from gen_jax.errors import UserError
from gen_jax.find import nearest
from gen_jax.types import Batch, Kind, Source


def labelled(x: np.ndarray, labels: np.ndarray | None, classes: tuple[str, ...]) -> Source:
    """A Source of x with labels, int32 [N], and their names; without, where labels is None."""
    return Source(x) if labels is None else Source(x, {"label": labels}, {"label": classes})


def checked(source: Source, name: str, kind: Kind) -> Source:
    """source itself, if it is what Source and its kind promise; else a ValueError that says what name gave."""
    if fault := kind.fault(source.x):
        raise ValueError(f"{name}: {fault}")
    for key in (*source.given, *source.names):
        values, words = source.given.get(key), source.names.get(key)
        if values is None:
            raise ValueError(f"{name}: there are names of {key!r} and no {key!r}")
        if values.shape[:1] != source.x.shape[:1]:
            raise ValueError(f"{name}: {key!r} must be [{len(source.x)},...], not {values.shape}")
        if key == "label" and (values.dtype != np.int32 or values.ndim != 1 or words is None):
            raise ValueError(f"{name}: 'label' must be int32 [{len(source.x)}] with names, not {values.dtype} "
                             f"{values.shape}")
        if words is not None and values.size and not 0 <= values.min() <= values.max() < len(words):
            raise ValueError(f"{name}: {key!r} {values.min()}..{values.max()} does not fit {len(words)} names")
    return source


def batch_of(source: Source, rows: np.ndarray) -> Batch:
    """The examples at rows, as they are stored."""
    return Batch(source.x[rows], {key: values[rows] for key, values in source.given.items()})


def take(source: Source, rows: np.ndarray) -> Source:
    """The examples at rows, an index or a mask over N."""
    return Source(source.x[rows], {key: values[rows] for key, values in source.given.items()}, source.names)


def of_classes(source: Source, wanted: str) -> Source:
    """Only the wanted classes, re-numbered 0, 1, ... in the order in which they are named.

    wanted: names or indices, separated by commas, such as "cat,dog" or "3,5"; a name goes before an index. UserError
    for a class that there is not, with the nearest name, or that is named twice.
    """
    if source.labels is None:
        raise UserError(f"data.classes={wanted!r}: these data have no labels; set data.classes=''")
    chosen = [_class_index(part.strip(), source.classes) for part in wanted.split(",")]
    if len(set(chosen)) < len(chosen):
        raise UserError(f"data.classes={wanted!r}: a class is named twice")
    number = np.full(len(source.classes), -1, np.int32)
    number[chosen] = np.arange(len(chosen))
    labels = number[source.labels]
    kept = take(source._replace(given={**source.given, "label": labels}), labels >= 0)
    return kept._replace(names={**source.names, "label": tuple(source.classes[index] for index in chosen)})


def _class_index(name: str, classes: tuple[str, ...]) -> int:
    if name in classes:
        return classes.index(name)
    if name.isdecimal() and int(name) < len(classes):
        return int(name)
    raise UserError(f"data.classes: there is no class {name!r}{nearest(name, list(classes))}, by index 0 to "
                    f"{len(classes) - 1}")


def cap(source: Source, most: int) -> Source:
    """At most `most` examples, in their order: a fixed choice with the classes in their proportions.

    The choice of 1,000 holds the choice of 500, so that runs on more and more data compare.
    """
    return take(source, stratified_rows(source, most))


def held_out(labels: np.ndarray | None, count: int, fraction: float) -> np.ndarray:
    """bool [count], True for the images of the test part: a fixed share of each class.

    labels: int [count], or None for a share of all. A class of one image stays whole in the training part as long as
    fraction < 1/2.
    """
    mask = np.zeros(count, bool)
    mask[stratified_order(labels, count)[:round(fraction * count)]] = True
    return mask


def split_off(source: Source, split: str, fraction: float) -> Source:
    """The "train" or "test" part of data that come without a test part of their own, as held_out divides them."""
    mask = held_out(source.labels, len(source.x), fraction)
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
    draws = np.random.RandomState(0).randint(0, 255, source.x.shape, np.uint8)
    return source._replace(x=np.where(draws < source.x, np.uint8(255), np.uint8(0)))


def stratified_rows(source: Source, most: int) -> np.ndarray:
    """Rows of at most `most` examples, with the classes in their proportions whatever the order of the examples."""
    return np.sort(stratified_order(source.labels, len(source.x))[:most])


def fingerprint(source: Source) -> str:
    """The sha256, in hex, of x, of all that is given with it and of their names, with shapes: one bit changes it."""
    digest = hashlib.sha256()
    for name, array in (("x", source.x), *sorted(source.given.items())):
        digest.update(f"{name} {array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array))
    digest.update(repr(sorted(source.names.items())).encode())
    return digest.hexdigest()


def duplicates(train: Source, test: Source) -> int:
    """How many test examples have exactly the x of some training example; what is given does not matter."""
    if train.x.shape[1:] != test.x.shape[1:]:
        return 0
    seen = {_digest(x) for x in train.x}
    return sum(_digest(x) in seen for x in test.x)


def _digest(x: np.ndarray) -> bytes:
    return hashlib.blake2b(x.tobytes(), digest_size=16).digest()
