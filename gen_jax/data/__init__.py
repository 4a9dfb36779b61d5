"""Where data come from: each file here is a data set. It defines load(hp, split) -> Source, and may define

hp          its Settings; COMMON are those that every data set has
KIND        the name of its kind, a file of gen_jax/data/kinds; "image" where it says nothing; or kind(hp) -> the name
state       state(hp, split) -> a text that changes whenever what load returns would change; its arrays are then cached
prepare_picture  prepare_picture(hp, shape, picture, name) -> uint8 [H,W,C] of a person's PIL image, as its images are
stream      stream(hp) -> None, or draw(key, num) -> Batch [num,...] by JAX: training then draws new data at each step
chosen      chosen(hp) -> (values by key, a line): what the data choose of settings that hp leaves to them
broken      broken(hp) -> [(file, why),...]: what cannot be read, of all splits
note        note(hp, split, source) -> a line on what was loaded, files that were left out say, or ""

Class choice, caps and checks act on any of them, here.
"""
import contextlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import jax
import numpy as np
from absl import logging
from ml_collections import ConfigDict
from PIL import Image, ImageOps

from gen_jax.data import _cache
from gen_jax.data._cache import folder as cache_folder
from gen_jax.data._pixels import form_like, pixels
from gen_jax.data._settings import COMMON
from gen_jax.data._source import (
    batch_of,
    binarized,
    cap,
    checked,
    duplicates,
    fingerprint,
    labelled,
    of_classes,
    split_off,
    stratified_rows,
    take,
)
from gen_jax.data._splits import Splits
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.types import Kind, Source, Spec

__all__ = ["COMMON", "Splits", "batch_of", "broken", "cache_folder", "choose", "described", "duplicates", "fingerprint",
           "has", "kind", "labelled", "load", "picture", "spec", "spec_of", "split_off", "splits", "stratified_rows",
           "stream", "take"]


def load(hp: ConfigDict, split: str) -> Source:
    """One split, as config.data asks for it; N >= 1.

    hp: config.data. split: "train" or "test". hp.classes keeps some classes only; hp.num_train and hp.num_test are
    the most examples there may be, a fixed choice with the classes in their proportions; hp.binarize makes every pixel
    0 or 255. UserError for what the user can mend: nothing found, nothing left.
    """
    module = find("data", hp.name)
    if hp.cache and hasattr(module, "state"):
        path = _cache.path(hp, split, module.state(hp, split))
        source = _cache.cached(path, lambda: module.load(hp, split), kind(hp))
    else:
        source = checked(module.load(hp, split), f"gen_jax.data.{hp.name}", kind(hp))
    _say(module.note(hp, split, source) if hasattr(module, "note") else "")
    if hp.classes:
        source = of_classes(source, hp.classes)
    most = {"train": hp.num_train, "test": hp.num_test}[split]
    if most is not None:
        source = cap(source, most)
    if not len(source.x):
        raise UserError(f"data: no {split} examples are left in {hp.name}; look at data.test_fraction, data.classes "
                        f"and data.num_{split}")
    return binarized(source) if hp.get("binarize") else source


def picture(hp: ConfigDict, shape: tuple[int, int, int], file: Path | Image.Image) -> np.ndarray:
    """uint8 [H,W,C] of a picture, a file or Pillow's, prepared as the images of hp's data set were. shape: (H,W,C).

    As the data set's own prepare_picture does it; else it is fitted as hp.fit says: stretched, or scaled to cover the
    size, of which the middle is cut out. UserError where the file cannot be read.
    """
    prepare = getattr(find("data", hp.name), "prepare_picture", None)
    is_open = isinstance(file, Image.Image)
    name = "the picture" if is_open else str(file)
    try:
        with contextlib.nullcontext(file) if is_open else Image.open(file) as opened:
            upright = ImageOps.exif_transpose(opened)
            if prepare:
                return prepare(hp, shape, upright, name)
            return pixels(upright, form_like(hp, shape), name)
    except UserError:
        raise
    except Exception as error:  # decoders raise almost anything on a broken file
        raise UserError(f"{name}: cannot be read as an image ({error})") from error


def splits(hp: ConfigDict, expected: str = "") -> Splits:
    """Both splits, as config.data asks for them, loaded when they are needed. expected: their fingerprint, if known."""
    return Splits(lambda split: load(hp, split), expected)


def choose(hp: ConfigDict) -> None:
    """Sets what hp, config.data, leaves to the data, the size of images say, and says so. UserError as load has it."""
    module = find("data", hp.name)
    values, line = module.chosen(hp) if hasattr(module, "chosen") else ({}, "")
    with hp.unlocked():
        hp.update(values)
    _say(line)


def broken(hp: ConfigDict) -> list[tuple]:
    """(file, why) of each file that cannot be read, where the data set is of files."""
    module = find("data", hp.name)
    return module.broken(hp) if hasattr(module, "broken") else []


def kind(hp: ConfigDict) -> Kind:
    """The kind of the data set that hp, config.data, names."""
    module = find("data", hp.name)
    name = module.kind(hp) if hasattr(module, "kind") else getattr(module, "KIND", "image")
    return find("data.kinds", name).KIND


def stream(hp: ConfigDict) -> Callable | None:
    """draw(key, num) -> Batch of new data, where training is to draw them anew at each step; else None."""
    make = getattr(find("data", hp.name), "stream", None)
    return make(hp) if make else None


def spec(source: Source, kind: Kind) -> Spec:
    """What models and objectives may know of source."""
    given = {key: jax.ShapeDtypeStruct((1, *values.shape[1:]), values.dtype) for key, values in source.given.items()}
    return Spec(source.x.shape[1:], given, source.names, kind, source.x.dtype)


def has(spec: Spec, need: str) -> bool | None:
    """Whether the data have what an eval needs of them: see gen_jax/evals. None where it needs that of a model."""
    if need.startswith("kind:"):
        return need == f"kind:{spec.kind.name}"
    return {"labels": "label" in spec.given, "tiles": spec.kind.tile is not None}.get(need)


def described(spec: Spec) -> dict:
    """spec as JSON has it: what a checkpoint keeps of the data, so that a model can be used without them."""
    given = {key: {"shape": list(of.shape[1:]), "dtype": str(of.dtype)} for key, of in spec.given.items()}
    return {"kind": spec.kind.name, "shape": list(spec.x), "dtype": str(spec.dtype), "given": given,
            "names": {key: list(words) for key, words in spec.names.items()}}


def spec_of(description: dict) -> Spec:
    """The spec that was described."""
    given = {key: jax.ShapeDtypeStruct((1, *of["shape"]), of["dtype"]) for key, of in description["given"].items()}
    names = {key: tuple(words) for key, words in description["names"].items()}
    return Spec(tuple(description["shape"]), given, names, find("data.kinds", description["kind"]).KIND,
                np.dtype(description["dtype"]))


@cache
def _say(line: str) -> None:
    """Says a line, once in a process: data are loaded by training, by judges and by evals."""
    if line:
        logging.warning(line)
