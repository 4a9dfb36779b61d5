"""One run after the other in this process; the seeds of a point share the data and one compiled program.

Each has the bits of a run that is trained alone.
"""
from gen_jax import experiment
from gen_jax.experiment import seeded
from gen_jax.modes._group_runs import Failure, Group, GroupRun, by_point, noting
from gen_jax.modes._programs import Programs
from gen_jax.modes.train import claimed, train_built

TAKES_JOBS = False


def run(group: Group) -> dict[str, Failure]:
    """The form. What became of the runs that failed, by their folders."""
    failures: dict[str, Failure] = {}
    for runs in by_point(group.runs):
        with noting(failures, *runs):
            _train_seeds(runs, failures)
    return failures


def _train_seeds(runs: list[GroupRun], failures: dict[str, Failure]) -> None:
    """Trains runs that differ in their seeds alone."""
    built = experiment.build(runs[0].config)
    programs = Programs(built)
    for run in runs:
        with noting(failures, run):
            one = claimed(built._replace(config=seeded(built.config, run.member.seed)), run.workdir)
            train_built(one, run.workdir, programs=programs)
