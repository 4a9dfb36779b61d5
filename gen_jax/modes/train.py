"""Trains a config to the end, resuming what is in the workdir; then measures, draws and writes result.json."""
from ml_collections import ConfigDict

from gen_jax import experiment
from gen_jax.command_line import Launch, load_config
from gen_jax.errors import RunsFailed, UserError
from gen_jax.evals import lacks, needs
from gen_jax.experiment import Experiment
from gen_jax.find import find
from gen_jax.find import names as names_in
from gen_jax.identity import length_is_fixed
from gen_jax.modes import _group
from gen_jax.modes._programs import Programs
from gen_jax.modes._run import measure, result_of, write_report, writing
from gen_jax.modes._session import NOT_BEGUN, Session
from gen_jax.report import environment
from gen_jax.report.files import read_json, write_json
from gen_jax.report.summary import summary
from gen_jax.report.tensorboard import TensorBoard, board_of
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import Run, folder_of, is_config, load_other
from gen_jax.settings import Setting
from gen_jax.training.interrupt import Interrupted, Interrupts
from gen_jax.training.loop import Diverged

TAKES_SWEEP = True
FLAGS = {"restart": Setting(False, "the run that is in the workdir is moved into a folder in it, old_1 say"),
         **_group.FLAGS}


def run(launch: Launch) -> None:
    """The mode."""
    restart = launch.options["restart"]
    try:
        if _group.is_asked_for(launch):
            _group.train_group(launch)
        else:
            train(launch.config, Workdir(launch.workdir), restart)
    except (Interrupted, RunsFailed):
        if restart:
            say("leave --restart out of the next launch: it would move aside what is saved now")
        raise


def train(config: ConfigDict, workdir: Workdir, restart: bool = False, waiting: tuple[Workdir, ...] = ()) -> None:
    """Trains config in workdir, and measures it.

    Where config.evals.other names a config, that one is trained first, in a folder beside workdir.

    Args:
      restart: whether the run that is there is moved aside first.
      waiting: the folders of the runs that this one is trained for.
    """
    built = claimed(experiment.build(config), workdir, restart)
    if is_config(config.evals.other):
        if not _compares(config):
            raise UserError(_useless(config))
        _train_other(config.evals.other, workdir, (*waiting, workdir))
    train_built(built, workdir, restart=restart)


def claimed(built: Experiment, workdir: Workdir, restart: bool = False) -> Experiment:
    """built as the run in workdir, which this process then holds. Another run there is a UserError."""
    workdir.claim()
    if restart:
        return built
    with writing(workdir):
        return built._replace(config=workdir.compare(built.config))


def train_built(built: Experiment, workdir: Workdir, programs: Programs | None = None, restart: bool = False) -> None:
    """Trains and measures what is claimed. programs: of the same experiment under any seed, where there are some."""
    with Interrupts() as interrupts:
        session = opened(built, workdir, interrupts, programs, restart)
        with board_of(built.config, workdir.path, session.step) as board:
            try:
                session.train(interrupts, board)
                finish(session, interrupts, board)
            except (Diverged, Interrupted):
                write_report(workdir, None)  # of what is recorded; a state takes longer, and may be no number
                raise


def opened(built: Experiment, workdir: Workdir, interrupts: Interrupts, programs: Programs | None = None,
           restart: bool = False, **how) -> Session:
    """The session of what is claimed; config.json is written, and run.json has this launch.

    how: what run.json says of the launch beside.
    """
    if _compares(built.config):
        load_other(built.config, workdir)  # what is wrong with it is said now, not after the training
    if restart:
        with writing(workdir):
            workdir.move_aside()
    with interrupts.at_once(NOT_BEGUN):
        session = Session(built, workdir, programs)  # what it refuses leaves config.json as it is
    with writing(workdir):
        workdir.adopt(built.config)
        _note_launch(workdir, built.config, **how)
    return session


def finish(session: Session, interrupts: Interrupts, board: TensorBoard | None) -> None:
    """Measures what a session has trained, as far as that has not been done."""
    workdir, built = session.workdir, session.experiment
    run = Run(session.trained(), session.progress.state, session.spent, built.step_size)
    names = _left(run, workdir)
    if names is None:
        say(f"{workdir.path}: finished before; its numbers are in result.json\n"
            f"--mode=eval measures and draws again; {_longer(built.config)}")
        return
    measure(run, workdir, names, interrupts, board,
            lambda numbers, _: summary(built.config, run.trained.history, numbers, session.checkpoints.best_step()))


def _compares(config: ConfigDict) -> bool:
    """Whether an eval of evals.end looks at the second run."""
    return any(getattr(find("evals", name), "COMPARES", False) for name in config.evals.end)


def _useless(config: ConfigDict) -> str:
    """The line for a second run that no eval would look at."""
    comparing = ", ".join(name for name in names_in("evals") if getattr(find("evals", name), "COMPARES", False))
    return (f"evals.other={config.evals.other}: no eval of evals.end compares two runs, as {comparing} do; name one "
            "there, or launch the other run's config with this one as evals.other")


def _train_other(name: str, workdir: Workdir, waiting: tuple[Workdir, ...]) -> None:
    """Trains the config that is named, beside workdir, as far as that has not been done.

    waiting: the folders of the runs that it is trained for.
    """
    beside = folder_of(name, workdir)
    if beside.path.resolve() in [other.path.resolve() for other in waiting]:
        raise UserError(f"evals.other={name}: its run is in {beside.path}, where a run waits for this one; name a run "
                        "that needs no other")
    say(f"first {name}, in {beside.path}")
    train(load_config(name), beside, waiting=waiting)
    say(f"then {workdir.path}")


def _note_launch(workdir: Workdir, config: ConfigDict, **how) -> None:
    """Adds this launch to run.json. how: what is said of it beside."""
    launches, now = (read_json(workdir.run) or {"launches": []}).get("launches"), environment.describe()
    if not isinstance(launches, list) or not all(isinstance(launch, dict) for launch in launches):
        raise UserError(f"{workdir.run}: is not what was written there; restore or remove it")
    if launches and (changed := environment.changes(launches[-1], now)):
        say(f"launched before under {changed}: from here on, bits may differ from those of an undisturbed run")
    write_json(workdir.run, {"seed": config.seed, "data_fingerprint": config.derived.data_fingerprint,
                             "launches": [*launches, now | how]})


def _left(run: Run, workdir: Workdir) -> list[str] | None:
    """The evals of the end that have not run on this state; None where all have that can. That of another is said."""
    before, result = read_json(workdir.result) or {}, result_of(run, workdir)
    is_known = before.get("state_sha256") == result["state_sha256"]
    if before.get("step") == result["step"] and not is_known:
        say(f"{workdir.result}: is not of the state that is saved; it is measured again")
    names = [name for name in run.trained.hp.end if name not in result["evals"]]
    return None if is_known and all(lacks(needs(name), run.trained) for name in names) else names


def _longer(config: ConfigDict) -> str:
    """How a finished run could be a longer one."""
    key = "steps" if config.train.steps else "epochs"
    if length_is_fixed(config):
        return f"more {key} are another run, with a --workdir of its own"
    return f"more {key} (--config.train.{key}=...) train on"
