"""Measures and draws a trained run again, and writes its result.json anew."""
import contextlib
import sys

from gen_jax.command_line import Launch
from gen_jax.config import name_list
from gen_jax.errors import NoData, UserError
from gen_jax.experiment import check_evals
from gen_jax.find import find
from gen_jax.modes._run import CHECKPOINT, measure, writing
from gen_jax.modes._verify import verify
from gen_jax.report.summary import report
from gen_jax.report.tensorboard import board_of
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run
from gen_jax.settings import Must, Setting
from gen_jax.training.interrupt import Interrupts

NEEDS_RUN = True
FLAGS = {
    "checkpoint": CHECKPOINT,
    "only": Setting("", "evals to run, comma-separated, in place of evals.end",
                    Must(lambda text: not text or name_list(text), "names of evals, comma-separated")),
    "verify": Setting(False, "measure the numbers of result.json again, each by its protocol, and compare: nothing is "
                      "written; the exit code is 1 where one differs"),
}


def run(launch: Launch) -> None:
    """The mode. The launch's overrides may change what touches no state, "evals.concepts.pairs" say."""
    options = dict(launch.options)
    if not options.pop("verify"):
        return evaluate(Workdir(launch.workdir), launch.overrides, **options)
    if launch.overrides or options["only"]:
        raise UserError("--verify: measures what result.json has, as it was measured; leave --only and overrides out")
    sys.exit(0 if verify(Workdir(launch.workdir), options["checkpoint"]) else 1)


def evaluate(workdir: Workdir, overrides: dict, checkpoint: str = "latest", only: str = "") -> None:
    """Measures the run in workdir. Another checkpoint than the latest has a folder of its own there, step_<number>."""
    workdir.stored_config()
    workdir.claim()
    asked = name_list(only)
    for name in asked:
        find("evals", name)  # a UserError where there is none
    loaded = load_run(workdir, overrides, checkpoint, asked)
    config = loaded.trained.config
    names = asked if only else config.evals.end
    with contextlib.suppress(NoData):  # without the data, the evals that need none run
        check_evals(config, loaded.trained.data, loaded.trained.spec, names)
    at = workdir if checkpoint == "latest" else workdir.of_step(int(loaded.state.step))
    with writing(at):
        at.figures.mkdir(parents=True, exist_ok=True)
    with Interrupts() as interrupts, board_of(config, at.path, loaded.trained.step) as board:
        measure(loaded, at, names, interrupts, board, lambda _, found: report(config, found, names))
