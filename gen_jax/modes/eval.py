"""Measures and draws a trained run again, and writes its result.json anew."""
from gen_jax.command_line import Launch
from gen_jax.modes._run import load_run, measure, say_where
from gen_jax.report.summary import report
from gen_jax.report.workdir import Workdir
from gen_jax.training.interrupt import Interrupts

NEEDS_RUN = True


def run(launch: Launch) -> None:
    """The mode. The launch's overrides may change what touches no state, "evals.concepts.pairs" say."""
    evaluate(Workdir(launch.workdir), launch.overrides)


def evaluate(workdir: Workdir, overrides: dict) -> None:
    """Measures the run in workdir."""
    workdir.stored_config()
    workdir.claim()
    with Interrupts() as interrupts:
        run = load_run(workdir, overrides, interrupts)
        _, found = measure(run, workdir)
    print("\n".join(report(run.trained.config, found)))
    say_where(run, workdir)
