"""The modes of the launcher: train, eval, sample, data, dry. The only file that sees every room."""
import json
import sys

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
from gen_jax.report.files import write_json
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.session import Session, run_evals, writing
from gen_jax.training.checkpoint import Checkpoints
from gen_jax.training.interrupt import Interrupts
from gen_jax.training.state import TrainState, digest


def train(config: ConfigDict, workdir: Workdir) -> None:
    """Trains to the end, resuming what is in workdir; then measures, draws and writes result.json."""
    built = experiment.build(config)
    _check_other(built.config)
    workdir.claim()
    with writing(workdir):
        workdir.adopt(built.config)
        _note_launch(workdir, built.config)
    with Interrupts() as interrupts:
        session = Session(built, workdir)
        finished = session.step >= session.total_steps and workdir.result.exists()
        session.train(interrupts)
        if finished:
            say(f"{workdir.path}: finished before; --mode=eval measures and draws again, "
                "--config.train.epochs trains on")
        else:
            _finish(session, interrupts)


def evaluate(workdir: Workdir, overrides: dict) -> None:
    """Measures and draws the run in workdir again; the numbers are merged into result.json.

    overrides: values of the launch for keys of its config, "evals.concepts" say; only those of evals may differ.
    """
    trained, _ = load_trained(workdir, overrides)
    workdir.claim()
    numbers = _evaluate(trained, workdir)
    with writing(workdir):
        result = json.loads(workdir.result.read_bytes()) if workdir.result.exists() else {"metrics": {}}
        result["metrics"] |= numbers
        write_json(workdir.result, result)
    _print_numbers(numbers)


def sample(workdir: Workdir, overrides: dict, num: int) -> None:
    """Writes samples.png and samples.npz (uint8 images [num,H,W,C], their latents) of the run in workdir."""
    if num < 1:
        raise UserError(f"--num={num}: must be 1 or more")
    trained, state = load_trained(workdir, overrides)
    if "prior" not in trained.objective.predict:
        raise UserError(f"--mode=sample: the objective {trained.config.objective.name} has no prior to sample from")
    z = trained.prior(trained.key("sample"), num)
    pixels = to_pixels(trained.apply("decode", z))
    with writing(workdir):
        pictures.save(workdir.path / "samples.png", grid(pixels, columns=round(num**0.5) or 1))
        np.savez(workdir.path / "samples.npz", images=pixels, latents=z, step=int(state.step))
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
        pictures.save(workdir.path / "data.png", grid(splits["train"].images[:100], columns=10))
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
          f"one step: {compiled.cost_analysis()['flops'] / 1e6:,.1f} MFLOP, as XLA counts them")


def load_trained(workdir: Workdir, overrides: dict) -> tuple[evals.Trained, TrainState]:
    """The run in workdir as evals see it, and its latest state. overrides: as for evaluate."""
    config = workdir.stored_config()
    stored = config.to_dict()
    config.update_from_flattened_dict(overrides)
    if changed := differences(stored, config.to_dict()):
        raise UserError(*(f"{line}: cannot be changed for a run that has been trained" for line in changed))
    built = experiment.build(config)
    checkpoints = Checkpoints(workdir.checkpoints, config.checkpoint.keep, config.checkpoint.best)
    with writing(workdir):
        restored = checkpoints.restore(jax.eval_shape(built.start))
    if restored is None:
        raise UserError(f"--workdir={workdir.path}: no checkpoint there; train first")
    state = restored[0].state
    other = load_trained(Workdir(config.evals.other), {"evals.other": ""})[0] if config.evals.other else None
    return evals.Trained(built.config, built.objective, *state.averaged(), built.train, built.test,
                         MetricsLog(workdir.metrics).records(), other), state


def _finish(session: Session, interrupts: Interrupts) -> None:
    """Measures, draws and writes result.json of a run that has reached its last step."""
    config, workdir, state = session.config, session.workdir, session.progress.state
    trained = session.trained()
    if config.evals.other:
        trained.other = load_trained(Workdir(config.evals.other), {"evals.other": ""})[0]
    last = trained.history[-1]
    numbers = {name: value for name, value in last.items() if "/" in name} | _evaluate(trained, workdir, interrupts)
    images_seen = last["images_seen"]
    with writing(workdir):
        write_json(workdir.result, {
            "config": json.loads(config.to_json()), "seed": config.seed, "step": last["step"],
            "images_seen": images_seen, "wall_s": session.spent, "images_per_s": images_seen / session.spent,
            "state_sha256": digest(state), "data_fingerprint": data.fingerprint(session.experiment.train),
            "metrics": numbers})
    _print_numbers(numbers)
    say(f"{images_seen:,} images in {session.spent:.1f} s, {images_seen / session.spent:,.0f} images/s; "
        f"pictures in {workdir.figures}, numbers in {workdir.result}")


def _evaluate(trained: evals.Trained, workdir: Workdir, interrupts: Interrupts | None = None) -> dict[str, float]:
    """Runs evals.end, saves their pictures, gives their numbers."""
    numbers = {}
    for name in trained.hp.end:
        if lacks := evals.lacks(name, trained):
            say(f"eval {name}: left out, this run has no {lacks}")
            continue
        with writing(workdir):
            numbers |= run_evals([name], trained, lambda what, picture: pictures.save(
                workdir.figures / f"{what}.png", picture))
        if interrupts:
            interrupts.raise_if_requested("stopped while measuring; training is finished and saved, --mode=eval "
                                          "measures again")
    return numbers


def _note_launch(workdir: Workdir, config: ConfigDict) -> None:
    """Adds this launch to run.json."""
    launches = json.loads(workdir.run.read_bytes())["launches"] if workdir.run.exists() else []
    write_json(workdir.run, {"seed": config.seed, "launches": [*launches, environment.describe()]})


def _check_other(config: ConfigDict) -> None:
    """Finds a missing second run before training, not after it."""
    if config.evals.other:
        Workdir(config.evals.other).stored_config()


def _print_numbers(numbers: dict[str, float]) -> None:
    width = max(map(len, numbers), default=0)
    for name, value in numbers.items():
        print(f"{name:<{width}}  {value:.4g}" if isinstance(value, float) else f"{name:<{width}}  {value}")
