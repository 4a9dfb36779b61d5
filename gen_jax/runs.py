"""A trained run, found in its workdir and put together as evals see it."""
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import jax
from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.config import with_evals
from gen_jax.errors import NoOther, UserError
from gen_jax.evals import Trained
from gen_jax.experiment import Experiment
from gen_jax.folders import name_of
from gen_jax.identity import differences
from gen_jax.parts import bring
from gen_jax.report.metrics import MetricsLog
from gen_jax.report.summary import is_higher_better
from gen_jax.report.workdir import Workdir
from gen_jax.training.checkpoint import Checkpoints, Damaged, saved_log
from gen_jax.training.loop import Progress
from gen_jax.training.state import TrainState


class Run(NamedTuple):
    """A trained run: what its evals see, and what its result says."""

    trained: Trained
    state: TrainState
    spent: float  # seconds of training
    step_size: int  # examples in a step


def trained_of(built: Experiment, state: TrainState, workdir: Workdir, history: list[dict], known: dict | None = None,
               codes: dict | None = None) -> Trained:
    """What evals see of a state: the only place where it is put together.

    Args:
      history: the records of metrics.jsonl up to this state.
      known: what evals have said of how the numbers of records were measured.
      codes: what the state's checkpoint says of the training data's codes.
    """
    return Trained(built.config, built.objective, built.spec, state.averaged(), built.data, history,
                   partial(load_other, built.config, workdir), raw=state.vars, saved=workdir.saved,
                   name=workdir.name, step=int(state.step), known=known, codes=codes)


def load_run(workdir: Workdir, overrides: dict, checkpoint: str = "latest", evals: Iterable[str] = ()) -> Run:
    """The run in workdir. Nothing there is changed. No data and no other run are loaded before they are needed.

    Args:
      overrides: values by dotted key, "evals.other" say. Only what touches no state may be changed.
      checkpoint: "latest" (whole one), "best" or a step.
      evals: names of evals that are to run beside those of the config. They have settings then.
    """
    config = workdir.stored_config()
    stored = config.to_dict()
    for key in overrides:
        bring(config, key)
    config.update_from_flattened_dict(overrides)
    config = with_evals(config, evals)
    if changed := differences(stored, config.to_dict(), goes_on=False):
        raise UserError(*(f"{workdir.path}: {line}: cannot be changed for a run that has been trained"
                          for line in changed))
    checkpoints = Checkpoints(workdir.checkpoints, config.checkpoint.keep, config.checkpoint.best, config.derived.run,
                              is_higher_better(config, config.checkpoint.best))
    checkpoints.refuse_others()
    built = experiment.rebuild(config.lock(), checkpoints.meta().get("data"))
    progress, meta = _restored(checkpoints, checkpoint, jax.eval_shape(partial(built.begin, trains=False)), workdir)
    step = int(progress.state.step)
    # Of a state whose record is still due, the checkpoint's log ends before it.
    history = MetricsLog(workdir.metrics).history(step - meta.get("due", False),
                                                  saved_log(workdir.checkpoints / str(step)))
    trained = trained_of(built, progress.state, workdir, history, meta.get("known"), meta.get("codes"))
    return Run(trained, progress.state, meta["spent"], built.step_size)


def load_other(config: ConfigDict, workdir: Workdir) -> Trained | None:
    """The second run that config.evals.other names; None where it names none. Raises NoOther and UserError.

    It is named by its folder, or by its config: its folder then is beside workdir.
    """
    if not config.evals.other:
        return None
    folder = folder_of(config.evals.other, workdir)
    try:
        return load_run(folder, {}).trained
    except UserError as error:
        raise NoOther(*(f"evals.other={config.evals.other}: {fault}" for fault in error.faults)) from error


def folder_of(other: str, workdir: Workdir) -> Workdir:
    """The folder of the second run: the one that is named, or the one of a config's run beside workdir.

    other: config.evals.other of the run in workdir. Where it is that run itself, it is a UserError.
    """
    folder = Workdir(workdir.path.parent / name_of(other) if is_config(other) else other)
    if folder.path.resolve() == workdir.path.resolve():
        raise UserError(f"evals.other={other}: is in {folder.path}, as this run itself; name another run, or give this "
                        "one another --workdir")
    return folder


def is_config(name: str) -> bool:
    """Whether config.evals.other names a config file, with a variant or without, and no folder."""
    return name.partition(":")[0].endswith(".py")


def _restored(checkpoints: Checkpoints, which: str, target: Progress, workdir: Workdir) -> tuple[Progress, dict]:
    """(progress, meta) of the checkpoint that is asked for."""
    step = checkpoints.named(which)
    if step is None:
        if (restored := checkpoints.restore(target, set_aside=False)) is None:
            raise UserError(f"--workdir={workdir.path}: no checkpoint there; train first")
        return restored
    try:
        return checkpoints.read(step, target)
    except Damaged as error:
        raise UserError(f"{workdir.checkpoints / str(step)}: is damaged ({error}); name another --checkpoint"
                        ) from error
