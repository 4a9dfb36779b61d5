"""Trains a config to the end, resuming what is in the workdir; then measures, draws and writes result.json."""
from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.command_line import Launch
from gen_jax.modes._run import measure, writing
from gen_jax.modes._session import NOT_BEGUN, Session
from gen_jax.report import environment
from gen_jax.report.files import read_json, write_json
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import Run, load_other, trained_of
from gen_jax.training.interrupt import Interrupts


def run(launch: Launch) -> None:
    """The mode."""
    train(launch.config, Workdir(launch.workdir))


def train(config: ConfigDict, workdir: Workdir) -> None:
    """Trains config in workdir, and measures it."""
    built = experiment.build(config)
    workdir.claim()
    other = load_other(built.config)
    with writing(workdir):
        workdir.adopt(built.config)
        _note_launch(workdir, built.config)
    with Interrupts() as interrupts:
        with interrupts.at_once(NOT_BEGUN):
            session = Session(built, workdir)
        session.train(interrupts)
        result = read_json(workdir.result)
        if result and result.get("step") == session.step:
            say(f"{workdir.path}: finished before; --mode=eval measures and draws again")
            return
        state = session.progress.state
        trained = trained_of(built, state, workdir, other)
        measure(Run(trained, state, session.spent, built.step_size), workdir, interrupts)


def _note_launch(workdir: Workdir, config: ConfigDict) -> None:
    """Adds this launch to run.json."""
    before = read_json(workdir.run) or {"launches": []}
    write_json(workdir.run, {"seed": config.seed, "data_fingerprint": config.derived.data_fingerprint,
                             "launches": [*before["launches"], environment.describe()]})
