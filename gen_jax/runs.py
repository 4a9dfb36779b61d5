"""A trained run, found in its workdir and put together as evals see it."""
from typing import NamedTuple

import jax
from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.config import differences, run_id, typed
from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.experiment import Experiment
from gen_jax.folders import name_of
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


def trained_of(built: Experiment, state: TrainState, workdir: Workdir, other: Trained | None = None,
               codes: dict | None = None) -> Trained:
    """What evals see of a state: the only place where it is put together. codes: what its checkpoint says of them."""
    step = int(state.step)
    history = MetricsLog(workdir.metrics).history(step, saved_log(workdir.checkpoints / str(step)))
    return Trained(built.config, built.objective, built.spec, state.averaged(), built.data, history, other,
                   raw=state.vars, saved=workdir.saved, name=workdir.path.name, step=step, codes=codes)


def load_run(workdir: Workdir, overrides: dict, checkpoint: str = "latest") -> Run:
    """The run in workdir; nothing there is changed, and no data are loaded before they are needed.

    overrides: values by dotted key, "evals.other" say; only those of what touches no state may differ.
    checkpoint: "latest" (whole one), "best" or a step.
    """
    config = typed(workdir.stored_config())
    checkpoints = Checkpoints(workdir.checkpoints, config.checkpoint.keep, config.checkpoint.best, run_id(config),
                              is_higher_better(config, config.checkpoint.best))
    checkpoints.refuse_others()
    stored = config.to_dict()
    config.update_from_flattened_dict(overrides)
    config = experiment.completed(config)
    if changed := differences(stored, config.to_dict()):
        raise UserError(*(f"{workdir.path}: {line}: cannot be changed for a run that has been trained"
                          for line in changed))
    built = experiment.rebuild(config.lock(), checkpoints.meta().get("data"))
    progress, meta = _restored(checkpoints, checkpoint, jax.eval_shape(built.begin), workdir)
    trained = trained_of(built, progress.state, workdir, load_other(built.config, workdir), meta.get("codes"))
    return Run(trained, progress.state, meta["spent"], built.step_size)


def load_other(config: ConfigDict, workdir: Workdir) -> Trained | None:
    """The second run that config.evals.other names: by its folder, or by its config, when it lies beside workdir."""
    name = config.evals.other
    if not name:
        return None
    return load_run(beside_of(name, workdir) if is_config(name) else Workdir(name), {"evals.other": ""}).trained


def is_config(name: str) -> bool:
    """Whether config.evals.other names a config file, with a variant or without, and no folder."""
    return name.partition(":")[0].endswith(".py")


def beside_of(name: str, workdir: Workdir) -> Workdir:
    """The folder beside workdir of the run of a config that is named."""
    return Workdir(workdir.path.parent / name_of(name))


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
