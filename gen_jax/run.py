"""The modes of the launcher: train, eval, sample, data, dry."""
import io
import json
import sys
from typing import NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

from gen_jax import data, experiment
from gen_jax.config import differences, validate
from gen_jax.errors import UserError
from gen_jax.evals import trained as evals
from gen_jax.images import grid, to_pixels
from gen_jax.keys import stream
from gen_jax.report import environment, pictures
from gen_jax.report.files import read_json, write_atomically, write_json
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.session import Session, run_evals, writing
from gen_jax.training.checkpoint import Checkpoints
from gen_jax.training.interrupt import Interrupts
from gen_jax.training.state import TrainState, digest


class Run(NamedTuple):
    """A trained run: what its evals see, and what its result says."""

    trained: evals.Trained
    state: TrainState
    spent: float  # seconds of training


def train(config: ConfigDict, workdir: Workdir) -> None:
    """Trains to the end, resuming what is in workdir; then measures, draws and writes result.json."""
    built = experiment.build(config)
    workdir.claim()
    other = _load_other(built.config)
    with writing(workdir):
        workdir.adopt(built.config)
        _note_launch(workdir, built.config)
    with Interrupts() as interrupts:
        session = Session(built, workdir)
        session.train(interrupts)
        result = read_json(workdir.result)
        if result and result.get("step") == session.step:
            say(f"{workdir.path}: finished before; --mode=eval measures and draws again, "
                "--config.train.epochs trains on")
            return
        trained = session.trained()
        trained.other = other
        _measure(Run(trained, session.progress.state, session.spent), workdir, interrupts)


def evaluate(workdir: Workdir, overrides: dict) -> None:
    """Measures and draws the run in workdir again, and writes result.json anew.

    overrides: values of the launch for keys of its config, "evals.concepts" say; only those of evals may differ.
    """
    workdir.stored_config()
    workdir.claim()
    with Interrupts() as interrupts:
        _measure(load_run(workdir, overrides), workdir, interrupts)


def sample(workdir: Workdir, overrides: dict, num: int) -> None:
    """Writes samples.png and samples.npz (uint8 images [num,H,W,C], their latents) of the run in workdir."""
    if num < 1:
        raise UserError(f"--num={num}: must be 1 or more")
    trained, state, _ = load_run(workdir, overrides)
    if "prior" not in trained.objective.predict:
        raise UserError(f"--mode=sample: the objective {trained.config.objective.name} has no prior to sample from")
    z = trained.prior(trained.key("sample"), num)
    pixels = to_pixels(trained.apply("decode", z))
    arrays = io.BytesIO()
    np.savez(arrays, images=pixels, latents=z, step=int(state.step))
    with writing(workdir):
        pictures.save(workdir.path / "samples", grid(pixels, columns=round(num**0.5) or 1))
        write_atomically(workdir.path / "samples.npz", arrays.getvalue())
    say(f"{num} samples: {workdir.path / 'samples.png'}, {workdir.path / 'samples.npz'}")


def show_data(config: ConfigDict, workdir: Workdir) -> None:
    """Prints what config would train on, and writes data.png, a grid of training images."""
    validate(config)
    splits = {split: data.load(config.data, split) for split in ("train", "test")}
    for split, source in splits.items():
        pixels = source.images
        print(f"{split}: {len(pixels):,} images of {'x'.join(map(str, pixels.shape[1:]))} {pixels.dtype}, "
              f"range {pixels.min()}..{pixels.max()}, mean {pixels.mean():.1f}, fingerprint "
              f"{data.fingerprint(source)[:16]}")
        if source.labels is not None:
            counts = np.bincount(source.labels, minlength=len(source.classes))
            print("  classes: " + ", ".join(f"{name} {n:,}" for name, n in zip(source.classes, counts, strict=True)))
    print(f"test images that are also training images: {data.duplicates(splits['train'], splits['test'])}")
    with writing(workdir):
        workdir.path.mkdir(parents=True, exist_ok=True)
        pictures.save(workdir.path / "data", grid(splits["train"].images[:100], columns=10))
    print(f"the first training images: {workdir.path / 'data.png'}")


def dry(config: ConfigDict) -> None:
    """Prints the resolved config, the nets, steps, memory and the cost of one step; trains nothing, writes nothing."""
    built = experiment.build(config)
    print(built.config)
    for name, net in sorted(built.objective.nets.items()):
        inputs = [jax.numpy.zeros(x.shape, x.dtype) for x in net.inputs]
        console = {"width": 110, "force_terminal": sys.stdout.isatty(), "force_jupyter": False}
        print(name + net.module.tabulate(jax.random.key(0), *inputs, train=False, depth=1, console_kwargs=console))
    progress = jax.eval_shape(built.start)
    compiled = jax.jit(built.step()).lower(progress.state, built.batch_shape(),
                                           stream(config.seed, "train")).compile()
    num_params = sum(leaf.size for leaf in jax.tree.leaves(progress.state.params))
    state_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(progress.state))
    derived = built.config.derived
    print(f"parameters: {num_params:,}\n"
          f"steps: {derived.steps_per_epoch:,} an epoch, {derived.total_steps:,} in all\n"
          f"memory: training images {built.train.images.nbytes / 1e6:.1f} MB, state {state_bytes / 1e6:.1f} MB, "
          f"one step's temporaries {compiled.memory_analysis().temp_size_in_bytes / 1e6:.1f} MB\n"
          f"one step: {compiled.cost_analysis().get('flops', float('nan')) / 1e6:,.1f} MFLOP, as XLA counts them")


def load_run(workdir: Workdir, overrides: dict) -> Run:
    """The run in workdir at its latest whole checkpoint; nothing there is changed. overrides: as for evaluate."""
    config = workdir.stored_config()
    stored = config.to_dict()
    config.update_from_flattened_dict(overrides)
    built = experiment.build(config)
    if changed := differences(stored, built.config.to_dict()):
        raise UserError(*(f"{workdir.path}: {line}: cannot be changed for a run that has been trained"
                          for line in changed))
    checkpoints = Checkpoints(workdir.checkpoints, config.checkpoint.keep, config.checkpoint.best)
    restored = checkpoints.restore(jax.eval_shape(built.start), set_aside=False)
    if restored is None:
        raise UserError(f"--workdir={workdir.path}: no checkpoint there; train first")
    progress, meta = restored
    history = [record for record in MetricsLog(workdir.metrics).records() if record["step"] <= int(progress.state.step)]
    trained = evals.Trained(built.config, built.objective, *progress.state.averaged(), built.train, built.test, history,
                            _load_other(built.config), raw=progress.state.params, drawn=workdir.drawn)
    return Run(trained, progress.state, meta["spent"])


def _load_other(config: ConfigDict) -> evals.Trained | None:
    """The second run that config.evals.other names."""
    if not config.evals.other:
        return None
    return load_run(Workdir(config.evals.other), {"evals.other": ""}).trained


def _measure(run: Run, workdir: Workdir, interrupts: Interrupts) -> None:
    """Writes result.json, and runs evals.end, whose numbers are added to it and whose pictures are saved.

    What an earlier measurement of the same state has found stays in it.
    """
    result = _result(run)
    before = read_json(workdir.result) or {}
    if before.get("state_sha256") == result["state_sha256"]:
        result["metrics"] = before["metrics"] | result["metrics"]
    run.trained.interrupts = interrupts
    numbers = {}
    for name in run.trained.hp.end:
        interrupts.raise_if_requested("stopped while measuring; training is finished and saved, --mode=eval measures "
                                      "again")
        if lacks := evals.lacks(name, run.trained):
            say(f"eval {name}: left out, this run has no {lacks}")
            continue
        numbers |= run_evals([name], run.trained, lambda what: workdir.figures / what, workdir)
    result["metrics"] |= numbers
    with writing(workdir):
        write_json(workdir.result, result)
    _print_numbers(result["metrics"])
    say(f"{result['images_seen']:,} images in {run.spent:.1f} s, {result['images_per_s']:,.0f} images/s; pictures in "
        f"{workdir.figures}, numbers in {workdir.result}")


def _result(run: Run) -> dict:
    """What result.json says of a run before anything is measured: the last epoch's means are its metrics."""
    config, step = run.trained.config, int(run.state.step)
    images_seen = step * config.train.batch_size
    last = run.trained.history[-1] if run.trained.history else {}
    return {"config": json.loads(config.to_json()), "seed": config.seed, "step": step, "images_seen": images_seen,
            "wall_s": run.spent, "images_per_s": images_seen / run.spent, "state_sha256": digest(run.state),
            "data_fingerprint": config.derived.data_fingerprint,
            "metrics": {name: value for name, value in last.items() if "/" in name}}


def _note_launch(workdir: Workdir, config: ConfigDict) -> None:
    """Adds this launch to run.json."""
    before = read_json(workdir.run) or {"launches": []}
    write_json(workdir.run, {"seed": config.seed, "data_fingerprint": config.derived.data_fingerprint,
                             "launches": [*before["launches"], environment.describe()]})


def _print_numbers(numbers: dict[str, float]) -> None:
    width = max(map(len, numbers), default=0)
    for name, value in numbers.items():
        print(f"{name:<{width}}  {value:.4g}" if isinstance(value, float) else f"{name:<{width}}  {value}")
