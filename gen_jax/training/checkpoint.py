"""Checkpoints that are whole or set aside: Orbax for the arrays, a manifest of digests on top.

checkpoints/<step>/arrays is Orbax's; checkpoints/<step>/manifest.json has a sha256 of each file and each array and of
itself. A step appears by one rename, so a kill leaves no torn one; whatever is damaged later is noticed on restore.
"""
import contextlib
import errno
import hashlib
import json
import logging as python_logging
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging

from gen_jax.errors import UserError
from gen_jax.training.state import digests

PyTree = Any


class Damaged(Exception):
    """A checkpoint is not what was saved."""


class Checkpoints:
    """The saved steps of one run: the latest `keep`, and the one whose `best` metric is lowest."""

    def __init__(self, folder: Path, keep: int, best: str):
        self.folder, self.keep, self.best = folder, keep, best

    def steps(self) -> list[int]:
        """The saved steps, in ascending order."""
        return sorted(int(path.name) for path in self.folder.glob("*") if path.name.isdigit())

    def save(self, step: int, tree: PyTree, metrics: Mapping[str, float], meta: Mapping[str, Any]) -> None:
        """Saves tree as this step. metrics: of this step, for `best`; meta: anything JSON. Raises OSError."""
        if step in self.steps() and not metrics:
            return
        self._remove_unfinished()
        try:
            self._write(step, tree, {"step": step, "metrics": dict(metrics), "meta": dict(meta)})
        except OSError:
            with contextlib.suppress(OSError):
                self._remove_unfinished()
            raise
        self._remove_old()

    def _write(self, step: int, tree: PyTree, manifest: dict) -> None:
        """Writes one step beside the others, and gives it its name when it is whole."""
        unfinished = self.folder / f"{step}.unfinished"
        self._need_room(tree)
        _save_arrays(unfinished / "arrays", tree)
        manifest |= {"files": _file_digests(unfinished), "arrays": _array_records(tree)}
        manifest["sha256"] = _self_digest(manifest)
        with open(unfinished / "manifest.json", "w") as file:
            json.dump(manifest, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        if (self.folder / str(step)).exists():  # saved before its record was made
            os.replace(self.folder / str(step), self.folder / f"{step}.replaced.unfinished")
        os.replace(unfinished, self.folder / str(step))

    def restore(self, target: PyTree, set_aside: bool) -> tuple[PyTree, dict] | None:
        """(tree, meta) of the latest whole step, or None where none is saved. target: a tree of the same arrays.

        A damaged step is passed over for the one before it, which is said, and with set_aside renamed: a process that
        only reads leaves all as it is. If no step is whole, or arrays are of other shapes than target's, it is a
        UserError.
        """
        steps = self.steps()
        for step in reversed(steps):
            try:
                return self.read(step, target)
            except Damaged as error:
                where = f"set aside as {self._set_aside(step)}" if set_aside else "passed over"
                logging.error("checkpoint %d is damaged (%s): %s", step, error, where)
        if steps:
            raise UserError(f"{self.folder}: no checkpoint is whole; restore one, or remove the folder to start anew")
        return None

    def named(self, which: str) -> int | None:
        """The step that "best", "latest" or a number asks for; None for the latest, which restore finds. UserError."""
        if which == "latest":
            return None
        step = self.best_step() if which == "best" else int(which) if which.isdecimal() else None
        if step not in self.steps():
            why = "no best one was kept: checkpoint.best names its metric" if which == "best" else "it is not there"
            there = ", ".join(map(str, self.steps())) or "none"
            raise UserError(f"--checkpoint={which}: {why}; there are latest, best and the steps {there}")
        return step

    def meta(self) -> dict:
        """What the latest step whose manifest is whole says beside its arrays; {} where there is none."""
        for step in reversed(self.steps()):
            with contextlib.suppress(Damaged):
                return _read_manifest(self.folder / str(step))["meta"]
        return {}

    def best_step(self) -> int | None:
        """The saved step with the lowest finite `best` metric."""
        values = {}
        for step in self.steps():
            try:
                value = _read_manifest(self.folder / str(step))["metrics"].get(self.best)
            except Damaged:
                continue
            if value is not None and np.isfinite(value):
                values[step] = value
        return min(values, key=values.get, default=None)

    def read(self, step: int, target: PyTree) -> tuple[PyTree, dict]:
        """(tree, meta) of one step, every byte verified. Raises Damaged or UserError."""
        path = self.folder / str(step)
        manifest = _read_manifest(path)
        try:
            whole = _file_digests(path) == manifest["files"]
        except OSError as error:  # also where a running process has just removed it
            raise Damaged(_first_line(error)) from error
        if not whole:
            raise Damaged("a file is not as it was written")
        expected = {name: f"{record['dtype']}{record['shape']}" for name, record in manifest["arrays"].items()}
        wanted = {name: f"{array.dtype}{list(array.shape)}" for name, array in _named(target).items()}
        for name in sorted({*expected, *wanted}):
            if expected.get(name) != wanted.get(name):
                raise UserError(f"{path}: array {name} is {expected.get(name)} there, {wanted.get(name)} in this "
                                "config")
        tree = _load_arrays(path / "arrays", target)
        if _array_records(tree) != manifest["arrays"]:
            raise Damaged("an array is not as it was saved")
        return tree, manifest["meta"]

    def _need_room(self, tree: PyTree) -> None:
        """Raises OSError where tree will not fit, before anything is written: half a checkpoint keeps a disk full."""
        need = sum(leaf.nbytes for leaf in jax.tree.leaves(tree)) + 100_000  # and the manifests
        if need > (free := shutil.disk_usage(self.folder).free):
            raise OSError(errno.ENOSPC, f"No space left on device: a checkpoint takes {need / 1e6:.1f} MB, "
                          f"{free / 1e6:.1f} MB are free")

    def _set_aside(self, step: int) -> Path:
        for i in range(1, 1000):
            aside = self.folder / f"{step}.damaged{i}"
            if not aside.exists():
                os.replace(self.folder / str(step), aside)
                return aside
        raise OSError(f"{self.folder}: too many damaged checkpoints set aside; remove some")

    def _remove_unfinished(self) -> None:
        for path in self.folder.glob("*.unfinished"):
            shutil.rmtree(path)

    def _remove_old(self) -> None:
        kept = {*self.steps()[-self.keep:], self.best_step()}
        for step in self.steps():
            if step not in kept:
                # Renamed first: a kill in between must not leave half a step under a step's name.
                os.replace(self.folder / str(step), self.folder / f"{step}.unfinished")
        self._remove_unfinished()


def _named(tree: PyTree) -> dict[str, Any]:
    """The leaves of tree by their paths."""
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def _save_arrays(path: Path, tree: PyTree) -> None:
    """Writes the leaves of tree by their paths. Raises OSError."""
    try:
        with _quiet(), ocp.StandardCheckpointer() as checkpointer:
            checkpointer.save(path, {name: np.asarray(leaf) for name, leaf in _named(tree).items()})
    except ValueError as error:
        if "os_error_code" not in str(error):  # how TensorStore reports what the system says of a file
            raise
        raise OSError(f"{path}: {_first_line(error)}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps Orbax from logging the tracebacks of its threads: what went wrong is raised as well."""
    before = python_logging.root.manager.disable
    python_logging.disable(python_logging.CRITICAL)
    try:
        yield
    finally:
        python_logging.disable(before)


def _load_arrays(path: Path, target: PyTree) -> PyTree:
    """The tree of target's structure that was saved. Raises Damaged."""
    try:
        with _quiet(), ocp.StandardCheckpointer() as checkpointer:
            arrays = checkpointer.restore(path, jax.tree.map(ocp.utils.to_shape_dtype_struct, _named(target)))
    except Exception as error:  # Orbax and TensorStore raise a dozen kinds, and bare Exception, on damaged files
        raise Damaged(_first_line(error)) from error
    leaves = [arrays[name] for name in _named(target)]
    return jax.tree.unflatten(jax.tree.structure(target), leaves)


def _array_records(tree: PyTree) -> dict[str, dict]:
    """{"shape", "dtype", "sha256"} of every leaf, by its path."""
    sha256 = digests(tree)
    return {name: {"shape": list(leaf.shape), "dtype": str(leaf.dtype), "sha256": sha256[name]}
            for name, leaf in _named(tree).items()}


def _file_digests(folder: Path) -> dict[str, str]:
    """sha256 of every file below folder but the manifest, by its relative path."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / "manifest.json"}


def _read_manifest(path: Path) -> dict:
    """The manifest of one saved step, found to be as it was written. Raises Damaged."""
    try:
        manifest = json.loads((path / "manifest.json").read_bytes())
        whole = manifest["sha256"] == _self_digest(manifest)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Damaged(f"manifest: {_first_line(error)}") from error
    if not whole:
        raise Damaged("the manifest is not as it was written")
    return manifest


def _self_digest(manifest: dict) -> str:
    content = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0] or type(error).__name__
