"""Writes report.html, a run or a comparison on one page; it needs no data set, and no finished run."""
from gen_jax.command_line import Launch
from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.modes._run import writing
from gen_jax.pages import comparison, report
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import load_run
from gen_jax.whole import write_atomically

NEEDS_RUN = True


def run(launch: Launch) -> None:
    """The mode."""
    write(Workdir(launch.workdir), launch.overrides)


def write(workdir: Workdir, overrides: dict) -> None:
    """Writes the page of the run in workdir, which another process may be training; or of the comparison there.

    overrides: values by dotted key, as load_run has them.
    """
    html, file = _html(workdir, overrides), workdir.path / report.NAME
    with writing(workdir):
        write_atomically(file, html)
    say(f"report: {file}")


def _html(workdir: Workdir, overrides: dict) -> bytes:
    if comparison.is_there(workdir.path) and not workdir.config.exists():
        return comparison.html(workdir.path)
    workdir.stored_config()
    return report.html(workdir, _trained(workdir, overrides))


def _trained(workdir: Workdir, overrides: dict) -> Trained | None:
    """The run's latest state; None where none is saved yet."""
    if not any(workdir.checkpoints.glob("*/manifest.json")):
        return None
    try:
        return load_run(workdir, overrides).trained
    except UserError as error:
        if overrides:
            raise
        say(f"its state cannot be loaded ({error}): the page is without it")
        return None
