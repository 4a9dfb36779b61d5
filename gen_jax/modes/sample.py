"""Draws samples from a trained run."""
import io
import math

import jax
import numpy as np

from gen_jax import memory
from gen_jax.command_line import Launch
from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.find import nearest
from gen_jax.modes._run import load_run, writing
from gen_jax.report import results
from gen_jax.report.files import write_atomically
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir

NEEDS_RUN = True


def run(launch: Launch) -> None:
    """The mode."""
    sample(Workdir(launch.workdir), launch.overrides, launch.num, launch.given)


def sample(workdir: Workdir, overrides: dict, num: int, given: dict[str, str]) -> None:
    """Writes samples.png and samples.npz: x [num,...] as it is stored, its latents, and what it was given.

    Each sample is also a file of its kind in sampled/, where the kind has one.

    given: text by name, as --given.label=automobile says; a list with commas is taken in turn.
    """
    if num < 1:
        raise UserError(f"--num={num}: must be 1 or more")
    trained, state, *_ = load_run(workdir, overrides)
    memory.check(12 * num * math.prod(trained.spec.x), f"--num={num}: as many samples", "ask for fewer")
    if "sample_prior" not in trained.objective.predict:
        raise UserError(f"--mode=sample: the objective {trained.config.objective.name} has no prior to sample from")
    wanted = trained.wanted(num) | {name: _asked(trained, name, text, num) for name, text in given.items()}
    code = trained.sample_prior(trained.key("sample"), num, wanted)
    x = trained.decode(code, wanted)
    arrays = {"x": trained.spec.kind.to_stored(x), "step": int(state.step)} | _latents(code)
    arrays |= {f"given_{name}": values for name, values in wanted.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with writing(workdir):
        results.save(workdir.path / "samples", trained.picture(x, columns=round(num**0.5) or 1))
        write_atomically(workdir.path / "samples.npz", buffer.getvalue())
        _save_each(workdir, trained, x)
    say(f"{num} samples: {workdir.path / 'samples.png'}, {workdir.path / 'samples.npz'}")


def _save_each(workdir: Workdir, trained: Trained, x: np.ndarray) -> None:
    """Writes each sample as a file of its kind, sampled/0000.png say; nothing for kinds without one. Raises OSError."""
    if trained.spec.kind.file is None:
        return
    ending, content = trained.spec.kind.file
    (workdir.path / "sampled").mkdir(exist_ok=True)
    for i, one in enumerate(x):
        write_atomically(workdir.path / "sampled" / f"{i:04d}{ending}", content(one))


def _latents(code) -> dict[str, np.ndarray]:
    """The arrays of a code by name: "latents" where it is one."""
    leaves = {jax.tree_util.keystr(path, simple=True, separator="/"): leaf
              for path, leaf in jax.tree_util.tree_leaves_with_path(code)}
    return {f"latents/{name}" if name else "latents": leaf for name, leaf in leaves.items()}


def _asked(trained: Trained, name: str, text: str, num: int) -> np.ndarray:
    """The array [num] that text asks for: names or numbers, with commas, in turn. UserError says what there is."""
    conditions = trained.objective.conditions
    if name not in conditions:
        known = "; it can be asked for: " + ", ".join(conditions) if conditions else ", nor on anything else"
        raise UserError(f"--given.{name}: this run's model does not condition on {name!r}{known}")
    example, words = trained.test.given[name], trained.test.names.get(name, ())
    if example.ndim > 1:
        raise UserError(f"--given.{name}: is {example.shape[1:]} numbers an example, which cannot be written here")
    values = [_value(name, word.strip(), words) for word in text.split(",")]
    return np.array([values[i % len(values)] for i in range(num)], example.dtype)


def _value(name: str, word: str, words: tuple[str, ...]) -> float:
    if word in words:
        return words.index(word)
    if words and not (word.isdecimal() and int(word) < len(words)):
        raise UserError(f"--given.{name}={word}: there is no such {name}{nearest(word, list(words))}")
    try:
        return float(word)
    except ValueError:
        raise UserError(f"--given.{name}={word}: must be a number") from None
