"""Trains a config to the end, resuming what is in the workdir; then measures, draws and writes result.json."""
import json

from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.command_line import Launch, load_config
from gen_jax.config import length_is_fixed
from gen_jax.errors import UserError
from gen_jax.modes._run import measure, writing
from gen_jax.modes._session import NOT_BEGUN, Session
from gen_jax.report import environment
from gen_jax.report.files import read_json, write_json
from gen_jax.report.summary import summary
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import Run, beside_of, is_config, load_other, trained_of
from gen_jax.settings import Setting
from gen_jax.training.interrupt import Interrupts
from gen_jax.training.state import TrainState, digest

FLAGS = {"restart": Setting(False, "the run that is in the workdir is moved into a folder in it, old_1 say")}


def run(launch: Launch) -> None:
    """The mode."""
    train(launch.config, Workdir(launch.workdir), **launch.options)


def train(config: ConfigDict, workdir: Workdir, restart: bool = False) -> None:
    """Trains config in workdir, and measures it. restart: the run that is there is moved aside first.

    Where config.evals.other names a config, that one is trained first, in a folder beside workdir.
    """
    built = experiment.build(config)
    workdir.claim()
    if is_config(config.evals.other):
        _train_other(config.evals.other, workdir)
    other = load_other(built.config, workdir)
    if restart:
        with writing(workdir):
            workdir.move_aside()
    with writing(workdir):
        workdir.compare(built.config)
    with Interrupts() as interrupts:
        with interrupts.at_once(NOT_BEGUN):
            session = Session(built, workdir)  # what it refuses leaves config.json as it is
        with writing(workdir):
            workdir.adopt(built.config)
            _note_launch(workdir, built.config)
        session.train(interrupts)
        state = session.progress.state
        if _is_measured(workdir, state, built.config):
            say(f"{workdir.path}: finished before; its numbers are in result.json\n"
                f"--mode=eval measures and draws again; {_longer(built.config)}")
            return
        trained = trained_of(built, state, workdir, other)
        measure(Run(trained, state, session.spent, built.step_size), workdir, interrupts,
                lambda numbers, _: summary(built.config, trained.history, numbers, session.checkpoints.best_step()))


def _train_other(name: str, workdir: Workdir) -> None:
    """Trains the config that is named, beside workdir, as far as that has not been done."""
    beside = beside_of(name, workdir)
    say(f"first {name}, in {beside.path}")
    train(load_config(name), beside)
    say(f"then {workdir.path}")


def _note_launch(workdir: Workdir, config: ConfigDict) -> None:
    """Adds this launch to run.json."""
    launches, now = (read_json(workdir.run) or {"launches": []}).get("launches"), environment.describe()
    if not isinstance(launches, list) or not all(isinstance(launch, dict) for launch in launches):
        raise UserError(f"{workdir.run}: is not what was written there; restore or remove it")
    if launches and (changed := environment.changes(launches[-1], now)):
        say(f"launched before under {changed}: from here on, bits may differ from those of an undisturbed run")
    write_json(workdir.run, {"seed": config.seed, "data_fingerprint": config.derived.data_fingerprint,
                             "launches": [*launches, now]})


def _is_measured(workdir: Workdir, state: TrainState, config: ConfigDict) -> bool:
    """Whether result.json is of this state, by the evals that config asks for. That of another state is said."""
    result = read_json(workdir.result)
    if not result or result.get("step") != int(state.step):
        return False
    if result.get("state_sha256") == digest(state):
        return result["config"]["evals"] == json.loads(config.to_json())["evals"]
    say(f"{workdir.result}: is not of the state that is saved; it is measured again")
    return False


def _longer(config: ConfigDict) -> str:
    """How a finished run could be a longer one."""
    key = "steps" if config.train.steps else "epochs"
    if length_is_fixed(config):
        return f"more {key} are another run, with a --workdir of its own"
    return f"more {key} (--config.train.{key}=...) train on"
