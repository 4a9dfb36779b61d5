"""Draws samples from a trained run; it needs no data set."""
import io
import itertools
import math
from pathlib import Path

import jax
import numpy as np

from gen_jax import memory
from gen_jax.asking import NUMBERS, codes_of, drawn, given_of
from gen_jax.command_line import Launch
from gen_jax.data.npz import UNREADABLE
from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.folders import expanded
from gen_jax.modes._run import CHECKPOINT, writing
from gen_jax.report import results
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run
from gen_jax.settings import Setting, placeholder
from gen_jax.types import PyTree
from gen_jax.whole import write_atomically

NEEDS_RUN = TAKES_GIVEN = True
MAX_SHOWN = 400  # samples in the picture of all
FLAGS = {
    "num": Setting(placeholder(int), f"{NUMBERS['num'].meaning}; unset: {NUMBERS['num'].default}", NUMBERS["num"].must),
    "checkpoint": CHECKPOINT,
    "seed": Setting(placeholder(int), "of the noise; unset: config.seed", NUMBERS["seed"].must),
    "latents": Setting("", "a file of latents to decode in place of drawn ones: [N,...] as .npy, or in an .npz"),
    "truncation": Setting(placeholder(float), f"{NUMBERS['truncation'].meaning}; unset: 1", NUMBERS["truncation"].must),
    "out": Setting("", "the folder to write into; unset: the workdir"),
}


def run(launch: Launch) -> None:
    """The mode."""
    sample(Workdir(launch.workdir), launch.overrides, launch.given, **launch.options)


def sample(workdir: Workdir, overrides: dict, given: dict[str, str], num: int | None = None,
           checkpoint: str = "latest", seed: int | None = None, latents: str = "", truncation: float | None = None,
           out: str = "") -> None:
    """Writes a picture, samples.png say, and samples.npz: x [num,...] as it is stored, its latents, and its given.

    Each sample is also a file of its kind in sampled/, where the kind has one; those of earlier samples are removed.

    given: text by name, as --given.label=automobile says; a list with commas is taken in turn. The others: see FLAGS.
    """
    of_drawn = {"num": num, "seed": seed, "truncation": truncation}
    if latents and (useless := [name for name, value in of_drawn.items() if value is not None]):
        raise UserError(*(f"--{name}: is of latents that are drawn, and --latents={latents} gives them; leave one out"
                          for name in useless))
    to = Workdir(out, "--out") if out else workdir
    trained, state, *_ = load_run(workdir, overrides, checkpoint)
    code = _read_latents(trained, latents) if latents else None
    num = (num or NUMBERS["num"].default) if code is None else len(code)
    memory.check(12 * num * math.prod(trained.spec.x), f"--num={num}: as many samples", "ask for fewer")
    wanted = trained.wanted(num, given_of(trained, {name: text.split(",") for name, text in given.items()}, num,
                                           in_turn=True))
    code = drawn(trained, num, wanted, seed, truncation or 1.0) if code is None else code
    x = trained.decode(code, wanted)
    arrays = {"x": trained.spec.kind.to_stored(x), "step": int(state.step)} | _by_name(code)
    arrays |= {f"given_{name}": values for name, values in wanted.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    shown = x[:MAX_SHOWN]
    with writing(to):
        to.path.mkdir(parents=True, exist_ok=True)
        picture = results.save(to.path / "samples", trained.picture(shown, columns=round(len(shown)**0.5)),
                               trained.config.report)
        write_atomically(to.path / "samples.npz", buffer.getvalue())
        _save_each(to.path / "sampled", trained, x)
    say(f"{num} samples of step {trained.step:,} of {trained.config.derived.total_steps:,}: {picture}, "
        f"{to.path / 'samples.npz'}")


def _read_latents(trained: Trained, path: str) -> np.ndarray:
    """The latents [N,...] in an .npy or .npz file. UserError where they cannot be read, or do not fit."""
    file = expanded(path, "--latents")
    try:
        loaded = np.load(file, allow_pickle=False)
        array = loaded if isinstance(loaded, np.ndarray) else loaded["latents"]
    except (KeyError, *UNREADABLE) as error:
        raise UserError(f"--latents={path}: cannot be read as .npy, nor as .npz with latents ({error})") from error
    return codes_of(trained, array, f"--latents={path}")


def _save_each(folder: Path, trained: Trained, x: np.ndarray) -> None:
    """Writes each sample as a file of its kind, sampled/0000.png say; nothing for kinds without one.

    Files of more samples, which were drawn before, are removed. Raises OSError.
    """
    if trained.spec.kind.file is None:
        return
    ending, content = trained.spec.kind.file
    folder.mkdir(exist_ok=True)
    for i, one in enumerate(x):
        write_atomically(folder / f"{i:04d}{ending}", content(one))
    for i in itertools.count(len(x)):
        if not (earlier := folder / f"{i:04d}{ending}").exists():
            return
        earlier.unlink()


def _by_name(code: PyTree) -> dict[str, np.ndarray]:
    """The arrays of a code by name: "latents" where it is one."""
    leaves = {jax.tree_util.keystr(path, simple=True, separator="/"): leaf
              for path, leaf in jax.tree_util.tree_leaves_with_path(code)}
    return {f"latents/{name}" if name else "latents": leaf for name, leaf in leaves.items()}
