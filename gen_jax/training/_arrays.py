"""The arrays of a tree in a folder, by Orbax: found to be there when they are saved, and whole when they are read."""
import contextlib
import json
import logging as python_logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import tensorstore

from gen_jax.training.state import digests

PyTree = Any
PLAIN = re.compile(r"[\w./ =,+-]+", re.ASCII)  # paths that Orbax and TensorStore take as they are


class Damaged(Exception):
    """A checkpoint is not what was saved."""


def save(path: Path, tree: PyTree) -> None:
    """Writes the leaves of tree by their paths, and finds that a reader will find them. Raises OSError."""
    try:
        with _quiet(), _plain(path) as plain, ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(plain, {name: np.asarray(leaf) for name, leaf in _named(tree).items()})
            checkpointer.wait_until_finished()
            there = _shapes_in(plain)
    except ValueError as error:
        if "os_error_code" not in str(error):  # how TensorStore reports what the system says of a file
            raise
        raise OSError(f"{path}: {first_line(error)}") from error
    if there != {name: list(np.shape(leaf)) for name, leaf in _named(tree).items()}:
        raise OSError(f"{path}: what was written cannot be read back")


def _shapes_in(path: Path) -> dict[str, list[int]]:
    """The shape of each array of which all parts can be found at path; {} where a reader would find none.

    It asks TensorStore's index of keys, as a reader does: opening every array would take a third of a save's time.
    """
    if not (path / "_METADATA").is_file():
        return {}
    store = tensorstore.KvStore.open({"driver": "ocdbt", "base": {"driver": "file", "path": f"{path}/"}}).result()
    keys = [key.decode() for key in store.list().result()]
    described = {key: store.read(key) for key in keys if key.endswith("/.zarray")}
    filled = {key.rpartition("/")[0] for key in keys if key not in described}
    shapes = {key.rpartition("/")[0]: json.loads(read.result().value)["shape"] for key, read in described.items()}
    return {name: shape for name, shape in shapes.items() if name in filled or 0 in shape}


def load(path: Path, target: PyTree) -> PyTree:
    """The tree of target's structure that was saved. Raises Damaged."""
    try:
        with _quiet(), _plain(path) as plain, ocp.StandardCheckpointer() as checkpointer:
            arrays = checkpointer.restore(plain, jax.tree.map(ocp.utils.to_shape_dtype_struct, _named(target)))
    except Exception as error:  # Orbax and TensorStore raise a dozen kinds, and bare Exception, on damaged files
        raise Damaged(first_line(error)) from error
    # Copied, off Orbax's memory and bound to no device: a program compiled for arrays as they are made serves them too.
    leaves = [jnp.array(np.asarray(arrays[name])) for name in _named(target)]
    return jax.tree.unflatten(jax.tree.structure(target), leaves)


def records(tree: PyTree) -> dict[str, dict]:
    """{"shape", "dtype", "sha256"} of every leaf, by its path."""
    sha256 = digests(tree)
    return {name: {"shape": list(leaf.shape), "dtype": str(leaf.dtype), "sha256": sha256[name]}
            for name, leaf in _named(tree).items()}


def shapes(tree: PyTree) -> dict[str, str]:
    """The dtype and shape of each leaf, as text, by its path."""
    return {name: f"{leaf.dtype}{list(leaf.shape)}" for name, leaf in _named(tree).items()}


def _named(tree: PyTree) -> dict[str, Any]:
    """The leaves of tree by their paths."""
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


@contextlib.contextmanager
def _plain(path: Path) -> Iterator[Path]:
    """path itself, or by way of a link with a plain name where its own is not.

    Orbax looks for its files by a glob pattern and TensorStore makes a URL of the path: brackets, stars, backslashes
    and what is not UTF-8 lead them elsewhere.
    """
    if PLAIN.fullmatch(str(path)):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="gen_jax_") as folder:
        link = Path(folder, "link")
        link.symlink_to(path.parent)
        yield link / path.name


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Orbax from logging the tracebacks of its threads: what went wrong is raised as well."""
    before = python_logging.root.manager.disable
    python_logging.disable(python_logging.CRITICAL)
    try:
        yield
    finally:
        python_logging.disable(before)


def first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0] or type(error).__name__
