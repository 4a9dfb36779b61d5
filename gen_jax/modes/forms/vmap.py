"""The seeds of a point are trained in one program, --jobs at once, their states side by side: for GPUs and TPUs.

Each has the numbers of a run that is trained alone, but for rounding.
"""
import contextlib

from gen_jax import experiment
from gen_jax.experiment import seeded
from gen_jax.modes._group_runs import Failure, Group, GroupRun, by_point, noting
from gen_jax.modes._programs import Programs
from gen_jax.modes._seed_group import SeedGroup
from gen_jax.modes.train import claimed, finish, opened
from gen_jax.report.tensorboard import board_of
from gen_jax.training.interrupt import Interrupts


def run(group: Group) -> dict[str, Failure]:
    """The form. What became of the runs that failed, by their folders."""
    failures: dict[str, Failure] = {}
    for runs in by_point(group.runs):
        most = group.jobs or len(runs)
        for some in (runs[i:i + most] for i in range(0, len(runs), most)):
            with noting(failures, *some):
                _train_seeds(some, failures)
    return failures


def _train_seeds(runs: list[GroupRun], failures: dict[str, Failure]) -> None:
    """Trains runs that differ in their seeds alone."""
    built = experiment.build(runs[0].config)
    programs = Programs(built)
    with Interrupts() as interrupts, contextlib.ExitStack() as stack:
        sessions = {}
        for run in runs:
            with noting(failures, run):
                one = claimed(built._replace(config=seeded(built.config, run.member.seed)), run.workdir)
                session = opened(one, run.workdir, interrupts, programs, seeds_in_one_program=len(runs))
                sessions[session] = run, stack.enter_context(board_of(one.config, run.workdir.path, session.step))
        faults = SeedGroup({session: board for session, (_, board) in sessions.items()}).train(interrupts)
        for session, (run, board) in sessions.items():
            with noting(failures, run):
                if session in faults:
                    raise faults[session]
                finish(session, interrupts, board)
