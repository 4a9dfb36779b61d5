"""A trained run to work with in Python: arrays in, arrays out. gen_jax.load() gives one."""
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from gen_jax import asking
from gen_jax.errors import UserError
from gen_jax.evals import Trained, in_words, lacks
from gen_jax.evals.latent._paths import spherical
from gen_jax.find import nearest
from gen_jax.report.files import read_json
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run


def load(workdir: str | Path, checkpoint: str | int = "latest") -> "LoadedRun":
    """The run in workdir. checkpoint: "latest", "best" or a step that was saved.

    Its data are not needed, and nothing is written. Raises UserError.
    """
    folder = Workdir(workdir)
    return LoadedRun(load_run(folder, {}, str(checkpoint)).trained, folder)


class LoadedRun:
    """A trained model. Averaged weights are used where the run has some.

    x are examples [N,...] as models see them: images are float32 [N,H,W,C] in [0,1]. z are their codes, [N,Z] where
    codes are vectors. Of given, which conditional models take, a value is a class name or a number for all examples,
    or a list with one for each. Methods that the model cannot serve raise UserError.
    """

    def __init__(self, trained: Trained, workdir: Workdir):
        self._trained, self._workdir = trained, workdir

    def __repr__(self) -> str:
        of = f"{self.config.model.name}, {self.config.data.name}"
        return f"<the run in {self._workdir.path}, step {self.step:,}: {of}>"

    @property
    def config(self) -> ConfigDict:
        """The config of the run, locked."""
        return self._trained.config

    @property
    def step(self) -> int:
        """How many training steps the weights have seen."""
        return self._trained.step

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names of its data; () where there are none."""
        return self._trained.spec.classes

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What was measured of these weights, by name: the record of their step, and what result.json adds to it."""
        of_step = next((record for record in reversed(self._trained.history) if record["step"] == self.step), {})
        results = (read_json(folder.result) or {} for folder in (self._workdir, self._workdir.of_step(self.step)))
        measured = [result["metrics"] for result in results if result.get("step") == self.step]
        return {name: value for part in (of_step, *measured) for name, value in part.items() if "/" in name}

    @cached_property
    def params(self) -> dict[str, Any]:
        """The weights by net, as the net's module has them: nested dicts of arrays."""
        return jax.tree.map(np.asarray, self._trained.vars.params)

    def sample(self, num: int, seed: int = 0, given: Mapping[str, Any] | None = None, truncation: float = 1.0
               ) -> np.ndarray:
        """num samples x. truncation: a factor of the latents; below 1, samples are more typical and less diverse.

        Fewer values of given than samples are taken in turn. Where a model conditions on the label and given says
        nothing of it, the classes are taken in turn.
        """
        self._needs("decode")
        num, seed, truncation = asking.checked(num=num, seed=seed, truncation=truncation)
        given = self._trained.wanted(num, asking.given_of(self._trained, given or {}, num, in_turn=True))
        return self._trained.decode(asking.drawn(self._trained, num, given, seed, truncation), given)

    def prepare(self, x: Any) -> np.ndarray:
        """x as the model sees it. x: arrays, or pictures, files or Pillow's.

        Pictures are prepared as the training data were: strokes of digits are made bright on black, scaled, centred.
        """
        return asking.examples_of(self._trained, x)

    def encode(self, x: Any, given: Mapping[str, Any] | None = None) -> Any:
        """Codes of x: as for prepare."""
        self._needs("encode")
        x = self.prepare(x)
        return self._trained.encode(x, self._given(given, len(x)))

    def decode(self, z: Any, given: Mapping[str, Any] | None = None) -> np.ndarray:
        """x of codes z."""
        self._needs("decode")
        z = asking.codes_of(self._trained, z, "z")
        return self._trained.decode(z, self._given(given, len(jax.tree.leaves(z)[0])))

    def reconstruct(self, x: Any, given: Mapping[str, Any] | None = None) -> np.ndarray:
        """What the codes of x decode to. x: as for prepare."""
        self._needs("encode", "decode")
        x = self.prepare(x)
        known = self._given(given, len(x))
        return self._trained.decode(self._trained.encode(x, known), known)

    def interpolate(self, start: Any, end: Any, num: int = 11, given: Mapping[str, Any] | None = None) -> np.ndarray:
        """num examples x on the arc between two codes [Z], both ends included."""
        self._needs("decode", "vector")
        (num,) = asking.checked(num=num)
        ends = {name: asking.codes_of(self._trained, z, name) for name, z in (("start", start), ("end", end))}
        if several := [f"{name}: has {len(codes)} codes; give one" for name, codes in ends.items() if len(codes) > 1]:
            raise UserError(*several)
        first, last = (codes[0] for codes in ends.values())
        return self._trained.decode(spherical(first, last, np.linspace(0, 1, num)), self._given(given, num))

    def concept(self, concept: str) -> np.ndarray:
        """The vector [Z] from codes of one set of training examples to another's: "3->8", "thin->bold".

        A set is a class, or images in the lowest or highest quarter of an attribute. The checkpoint has the sets' mean
        codes, of at most 2,000 training examples.
        """
        self._needs("encode", "vector")
        if not (sets := (self._trained.codes or {}).get("sets", {})):
            raise UserError("this checkpoint has no mean codes: " + (
                "its training data have no classes and are no pictures" if self._trained.codes else
                "it was saved by an older gen_jax, which kept none; train the run on, and load it again"))
        names = [part.strip() for part in concept.split("->")]
        if len(names) != 2:
            raise UserError(f"{concept!r}: must be written 'source->target', as in '1->0' or 'thin->bold'")
        if unknown := [name for name in names if name not in sets]:
            raise UserError(*(f"{concept!r}: there is no {name!r}{nearest(name, sorted(sets))}" for name in unknown))
        source, target = (np.asarray(sets[name], np.float32) for name in names)
        return target - source

    def _needs(self, *needs: str) -> None:
        """Raises UserError where the model lacks one of them, written as an eval's NEEDS."""
        if lacking := lacks(needs, self._trained):
            raise UserError(in_words(lacking))

    def _given(self, given: Mapping[str, Any] | None, num: int) -> dict[str, np.ndarray]:
        """What each of num examples is given, for a model that must be told."""
        asked = asking.given_of(self._trained, given or {}, num)
        if lacking := [name for name in self._trained.objective.conditions if name not in asked]:
            words = self._trained.spec.names.get(lacking[0], ())
            raise UserError(f"this model must be told {lacking[0]!r}: given={{{lacking[0]!r}: ...}}"
                         + (f", one of {', '.join(words)}" if words else ""))
        return asked
