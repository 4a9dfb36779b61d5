"""Checkpoints that are whole or set aside: Orbax for the arrays, a manifest of digests on top.

checkpoints/<step>/arrays is Orbax's; checkpoints/<step>/metrics.jsonl is the log as it was at this step;
checkpoints/<step>/manifest.json has the run, the step, and a sha256 of each file, of each array and of itself. A step
is looked up as a reader would do it, and then appears by one rename: a kill leaves no torn one. Whatever is damaged
later is noticed on restore. What is being written or removed is <step>.unfinished. A step that is saved again is
<step>.replaced until the new one has its name.
"""
import contextlib
import errno
import itertools
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from absl import logging

from gen_jax.errors import UserError
from gen_jax.training import _arrays, _manifest
from gen_jax.training._arrays import Damaged
from gen_jax.training._manifest import saved_log

__all__ = ["Checkpoints", "Damaged", "saved_log"]

PyTree = Any
INODES = 50  # more files than a checkpoint has


class Checkpoints:
    """The saved steps of one run: the latest `keep`, and the one whose `best` metric is best."""

    def __init__(self, folder: Path, keep: int, best: str, run: str, higher: bool = False):
        """run: what tells the run from others, a digest of its config say; higher: whether more of `best` is better."""
        self.folder, self.keep, self.best, self.run, self.higher = folder, keep, best, run, higher

    def steps(self) -> list[int]:
        """The saved steps, in ascending order. A folder that may not be listed is a UserError."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except PermissionError as error:
            raise _manifest.not_permitted(error) from error
        return sorted(int(name) for name in names if re.fullmatch("0|[1-9][0-9]*", name))

    def refuse_others(self) -> None:
        """Raises UserError where some step was saved by another run."""
        for step, manifest in self._manifests().items():
            if manifest.get("run", self.run) != self.run:
                raise UserError(f"{self.folder / str(step)}: was saved by another run than that of config.json beside "
                                "it; put back what belongs here, or remove what does not")

    def last_step(self) -> int:
        """The latest saved step whose manifest is whole; 0 if there is none."""
        return max(self._manifests(), default=0)

    def save(self, step: int, tree: PyTree, metrics: Mapping[str, float], meta: Mapping[str, Any], log: bytes = b""
             ) -> None:
        """Saves tree as this step. Raises OSError.

        metrics: of this step, for `best`; meta: anything JSON; log: the content of metrics.jsonl.
        """
        if step in self.steps() and not metrics:
            return
        self._sweep()
        try:
            self._write(step, tree, {"run": self.run, "step": step, "metrics": dict(metrics), "meta": dict(meta)}, log)
        except OSError:
            with contextlib.suppress(OSError):
                self._sweep()
            raise
        self._remove_old()

    def _write(self, step: int, tree: PyTree, manifest: dict, log: bytes) -> None:
        """Writes one step beside the others, and gives it its name when it is whole."""
        unfinished = self.folder / f"{step}.unfinished"
        self._need_room(tree)
        unfinished.mkdir()
        _arrays.save(unfinished / "arrays", tree)
        _manifest.write_synced(unfinished / _manifest.LOG, log)
        _manifest.write(unfinished, manifest | {"arrays": _arrays.records(tree)})
        if (self.folder / str(step)).exists():  # saved before its record was made
            os.replace(self.folder / str(step), self.folder / f"{step}.replaced")
        os.replace(unfinished, self.folder / str(step))
        _manifest.sync_folder(self.folder)

    def restore(self, target: PyTree, set_aside: bool) -> tuple[PyTree, dict] | None:
        """(tree, meta) of the latest whole step; None where no step is saved.

        Args:
          target: a tree of the same arrays.
          set_aside: whether a damaged step is renamed. A process that only reads renames nothing.

        A damaged step is passed over, and a line says so; the step before it counts. Where no step is whole, nothing is
        renamed, so that the next launch finds the same.

        Raises UserError where steps are saved and none is whole, and where an array has another shape than target's.
        """
        if set_aside:
            self._put_back()
        damaged = {}
        for step in reversed(self.steps()):
            try:
                restored = self.read(step, target)
            except Damaged as error:
                damaged[step] = error
                continue
            for late, error in damaged.items():
                if set_aside:
                    self._put_aside(late, error)
                else:
                    logging.error("checkpoint %d is damaged (%s): passed over", late, error)
            return restored
        if damaged or list(self.folder.glob("*.damaged*")):
            what = "; ".join(f"{step}: {error}" for step, error in damaged.items()) or "all were set aside before"
            raise UserError(f"{self.folder}: no checkpoint is whole ({what}); put a whole one back, or start anew with "
                            "--restart, which moves the old run aside")
        return None

    def named(self, which: str) -> int | None:
        """The step that "best", "latest" or a number asks for; None for the latest, which restore finds. UserError."""
        if which == "latest":
            return None
        step = self.best_step() if which == "best" else int(which) if which.isdecimal() else None
        if step not in self.steps():
            why = "no best one was kept: checkpoint.best names its metric" if which == "best" else "it is not there"
            there = ", ".join(["latest", *["best"] * (self.best_step() is not None), *map(str, self.steps())])
            raise UserError(f"checkpoint {which!r}: {why}; there are: {there}")
        return step

    def meta(self) -> dict:
        """What the latest step whose manifest is whole says beside its arrays; {} where there is none."""
        manifests = self._manifests()
        return manifests[max(manifests)]["meta"] if manifests else {}

    def best_step(self) -> int | None:
        """The saved step whose `best` metric is best among the finite ones. None where no step has it."""
        values = {step: manifest["metrics"].get(self.best) for step, manifest in self._manifests().items()}
        finite = {step: value for step, value in values.items() if value is not None and np.isfinite(value)}
        return (max if self.higher else min)(finite, key=finite.get, default=None)

    def read(self, step: int, target: PyTree) -> tuple[PyTree, dict]:
        """(tree, meta) of one step, every byte verified. Raises Damaged or UserError."""
        path = self.folder / str(step)
        manifest = _manifest.read(path)
        try:
            whole = _manifest.file_digests(path) == manifest["files"]
        except PermissionError as error:
            raise _manifest.not_permitted(error) from error
        except OSError as error:  # also where a running process has just removed it
            raise Damaged(_arrays.first_line(error)) from error
        if not whole:
            raise Damaged("a file is not as it was written")
        expected = {name: f"{record['dtype']}{record['shape']}" for name, record in manifest["arrays"].items()}
        wanted = _arrays.shapes(target)
        for name in sorted({*expected, *wanted}):
            if expected.get(name) != wanted.get(name):
                raise UserError(f"{path}: array {name} is {expected.get(name)} there, {wanted.get(name)} now; the "
                                "code of the objective or of its nets has changed since")
        tree = _arrays.load(path / "arrays", target)
        if _arrays.records(tree) != manifest["arrays"]:
            raise Damaged("an array is not as it was saved")
        return tree, manifest["meta"]

    def _manifests(self) -> dict[int, dict]:
        """The manifests that are whole, by step."""
        manifests = {}
        for step in self.steps():
            with contextlib.suppress(Damaged):
                manifests[step] = _manifest.read(self.folder / str(step))
        return manifests

    def _need_room(self, tree: PyTree) -> None:
        """Raises OSError where tree will not fit, before anything is written: half a checkpoint keeps a disk full."""
        need = sum(leaf.nbytes for leaf in jax.tree.leaves(tree)) + 100_000  # and the manifests
        if need > (free := shutil.disk_usage(self.folder).free):
            raise OSError(errno.ENOSPC, f"No space left on device: a checkpoint takes {need / 1e6:.1f} MB, "
                          f"{free / 1e6:.1f} MB are free")
        inodes = os.statvfs(self.folder)
        if inodes.f_files and inodes.f_favail < INODES:  # some file systems do not count them
            raise OSError(errno.ENOSPC, f"No space left on device for more files: {inodes.f_favail} inodes are free")

    def _put_aside(self, step: int, error: Damaged) -> None:
        """Renames a damaged step, and says so."""
        numbers = (i for i in itertools.count(1) if not (self.folder / f"{step}.damaged{i}").exists())
        aside = self.folder / f"{step}.damaged{next(numbers)}"
        os.replace(self.folder / str(step), aside)
        logging.error("checkpoint %d is damaged (%s): set aside as %s", step, error, aside)

    def _put_back(self) -> None:
        """Gives a whole step its name again, where a kill came before the one that was to replace it had it."""
        for path in self.folder.glob("*.replaced"):
            if not (named := path.with_suffix("")).exists():
                os.replace(path, named)

    def _sweep(self) -> None:
        """Removes what was begun or replaced, and loses no whole step by it."""
        self._put_back()
        for path in (*self.folder.glob("*.unfinished"), *self.folder.glob("*.replaced")):
            shutil.rmtree(path)

    def _remove_old(self) -> None:
        """Removes the steps that need not be kept. A damaged one, which may have been the best, is set aside."""
        for step in self.steps():
            try:
                _manifest.read(self.folder / str(step))
            except Damaged as error:
                self._put_aside(step, error)
        kept = {*self.steps()[-self.keep:], self.best_step()}
        for step in self.steps():
            if step not in kept:
                # Renamed first: a kill in between must not leave half a step under a step's name.
                os.replace(self.folder / str(step), self.folder / f"{step}.unfinished")
        self._sweep()
