"""Trains a config to the end, resuming what is in the workdir; then measures, draws and writes result.json."""
import json

from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.command_line import Launch, load_config
from gen_jax.config import is_scheduled
from gen_jax.modes._run import Run, beside_of, is_config, load_other, measure, say_where, trained_of, writing
from gen_jax.modes._session import Session
from gen_jax.report import environment
from gen_jax.report.files import read_json, write_json
from gen_jax.report.summary import summary
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.training.interrupt import Interrupts


def run(launch: Launch) -> None:
    """The mode."""
    train(launch.config, Workdir(launch.workdir))


def train(config: ConfigDict, workdir: Workdir) -> None:
    """Trains config in workdir, and measures it.

    Where config.evals.other names a config, that one is trained first, in a folder beside workdir.
    """
    built = experiment.build(config)
    workdir.claim()
    if is_config(config.evals.other):
        _train_other(config.evals.other, workdir)
    other = load_other(built.config, workdir)
    with writing(workdir):
        workdir.adopt(built.config)
        _note_launch(workdir, built.config)
    with Interrupts() as interrupts:
        session = Session(built, workdir)
        session.train(interrupts)
        if _is_measured(workdir, session.step, built.config):
            say(f"{workdir.path}: finished before; its numbers are in result.json\n"
                f"--mode=eval measures and draws again; {_longer(built.config)}")
            return
        trained = trained_of(built, session.progress.state, workdir, other, interrupts)
        run = Run(trained, session.progress.state, session.spent, built.step_size)
        numbers, _ = measure(run, workdir)
    print("\n".join(summary(built.config, trained.history, numbers)))
    say_where(run, workdir)


def _train_other(name: str, workdir: Workdir) -> None:
    """Trains the config that is named, beside workdir, as far as that has not been done."""
    beside = beside_of(name, workdir)
    say(f"first {name}, in {beside.path}")
    train(load_config(name), beside)
    say(f"then {workdir.path}")


def _is_measured(workdir: Workdir, step: int, config: ConfigDict) -> bool:
    """Whether result.json is of this step, by the evals that config asks for."""
    result = read_json(workdir.result) or {}
    return result.get("step") == step and result["config"]["evals"] == json.loads(config.to_json())["evals"]


def _longer(config: ConfigDict) -> str:
    """How a finished run could be a longer one."""
    key = "steps" if config.train.steps else "epochs"
    if is_scheduled(config.to_dict()):
        return f"more {key} are another run, with a --workdir of its own"
    return f"more {key} (--config.train.{key}=...) train on"


def _note_launch(workdir: Workdir, config: ConfigDict) -> None:
    """Adds this launch to run.json."""
    before = read_json(workdir.run) or {"launches": []}
    write_json(workdir.run, {"seed": config.seed, "data_fingerprint": config.derived.data_fingerprint,
                             "launches": [*before["launches"], environment.describe()]})
