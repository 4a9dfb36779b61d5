"""Decoded data kept as arrays, so that they are decoded once. The folder may be deleted at any time."""
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from gen_jax.data._source import checked
from gen_jax.folders import expanded, user_cache
from gen_jax.types import Kind, Source
from gen_jax.whole import opened

VERSION = 3  # raise it when the same state would be decoded to other arrays


def path(hp: ConfigDict, split: str, state: str) -> Path:
    """Where the arrays of hp's data set lie while its state is this one: another state is another file."""
    key = hashlib.sha256(repr((VERSION, hp.name, split, state)).encode()).hexdigest()[:32]
    return folder(hp) / f"{hp.name}-{split}-{key}.npz"


def folder(hp: ConfigDict) -> Path:
    """The user's cache folder, or the one that hp names."""
    return expanded(hp.cache_dir, "data.cache_dir") if hp.cache_dir else user_cache()


def cached(path: Path, make: Callable[[], Source], kind: Kind) -> Source:
    """What make() gives, read from path if it is there and whole, else made, and written to path for the next time.

    A damaged file is made again; a folder that cannot be written costs a warning and never the run.
    """
    try:
        return checked(_read(path), str(path), kind)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except Exception as error:  # whatever is wrong with the copy, the original is there
        logging.warning("data: the cache %s cannot be used (%s); it is made again", path, error)
    source = make()
    try:
        _write(path, source)
    except OSError as error:
        logging.warning("data: nothing is cached, because %s cannot be written (%s)", path, error)
    return source


def _read(path: Path) -> Source:
    # An .npz is a zip file: every member carries a CRC-32, which is compared as it is read.
    with np.load(path, allow_pickle=False) as arrays:
        if (name := str(arrays["name"])) != path.stem:
            raise ValueError(f"it is {name}, under another name")
        parts = {part: {key.partition("/")[2]: arrays[key] for key in arrays if key.startswith(f"{part}/")}
                 for part in ("given", "names")}
        return Source(arrays["x"], parts["given"],
                      {key: tuple(words.tolist()) for key, words in parts["names"].items()})


def _write(path: Path, source: Source) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {"name": np.array(path.stem), "x": source.x,
              **{f"given/{key}": values for key, values in source.given.items()},
              **{f"names/{key}": np.array(words, dtype=str) for key, words in source.names.items()}}
    with opened(path) as file:
        np.savez(file, **arrays)
