"""The runs of a group: which there are, what one takes, and what a form is given of them and gives back."""
import contextlib
import traceback
from collections.abc import Iterator
from typing import NamedTuple

import jax
from ml_collections import ConfigDict

from gen_jax import experiment, memory
from gen_jax.command_line import Launch
from gen_jax.config import SEED
from gen_jax.errors import UserError
from gen_jax.experiment import Experiment
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import is_config
from gen_jax.sweeps import Member, members, points
from gen_jax.training import feed
from gen_jax.training.loop import Diverged

# Flags of the group's command that the command of one of its runs goes without, or has with a value of its own.
OF_GROUP = ("sweep", "seeds", "form", "jobs", "restart", "workdir", "config.seed")

PROCESS_BYTES = 850_000_000  # of a process with JAX, all libraries and a small net, before it has any data
EVALS_BYTES = 1_000_000_000  # of samples and their features, while evals run


class GroupRun(NamedTuple):
    """One run of a group."""

    member: Member
    config: ConfigDict  # resolved
    workdir: Workdir
    words: list[str]  # the program and its arguments that train this run alone


class Group(NamedTuple):
    """What is left to train of a group."""

    runs: list[GroupRun]
    num_all: int  # with those that are finished
    num_bytes: float  # of memory that the process of one run takes at most, an estimate
    jobs: int | None  # how many at once; None: as many as can be


class Failure(NamedTuple):
    """Why a run has not come to its end."""

    exit_code: int
    line: str


@contextlib.contextmanager
def noting(failures: dict[str, Failure], *runs: GroupRun) -> Iterator[None]:
    """A context: what stops the runs inside it is noted by their folders, and stops no others. A signal passes."""
    try:
        yield
    except Exception as error:
        failure = _failure(error)
        failures |= {run.member.folder: failures.get(run.member.folder, failure) for run in runs}
        say(f"{', '.join(run.member.folder for run in runs)}: {failure.line}")


def by_point(runs: list[GroupRun]) -> list[list[GroupRun]]:
    """The runs of each point of the grid, which differ in their seeds alone."""
    found: dict[tuple, list[GroupRun]] = {}
    for run in runs:
        found.setdefault(tuple(run.member.overrides.items()), []).append(run)
    return list(found.values())


def planned(launch: Launch) -> tuple[list[GroupRun], float]:
    """Every run that launch asks for, its config resolved; and the most memory that the process of one takes.

    Faults of the configs are one UserError with a line for each.
    """
    first, num = launch.config.seed, launch.options["seeds"]
    if fault := SEED.fault(first + (num or 1) - 1):
        raise UserError(f"--seeds={num}: the last is {first + num - 1}, and it {fault}")
    configs, sizes, faults = {}, [], []
    for point in points(launch.axes):
        try:
            built = experiment.build(_without_other(launch.config_with(point)))
            configs[tuple(point.items())] = built.config
            sizes.append(num_bytes(built))
        except UserError as error:
            faults += error.faults
    if faults := [*faults, *_same(configs)]:
        raise UserError(*dict.fromkeys(faults))
    return [_run(launch, member, configs[tuple(member.overrides.items())])
            for member in members(launch.axes, range(first, first + (num or 1)), num is not None)], max(sizes)


def num_bytes(built: Experiment) -> float:
    """An estimate of the memory that a process with this run takes.

    Data lie there as they are stored, on the device too, and as several float32 copies while evals run. Beside the
    state there are its gradients, and what is being saved; beside the largest array of a step, others as large.
    """
    data = feed.num_bytes(built.train) + feed.num_bytes(built.test)
    as_floats = 4 * (built.train.x.size + built.test.x.size)
    state, key = jax.eval_shape(built.begin).state, jax.random.key(0)
    step = memory.of_largest(jax.make_jaxpr(built.step())(state, built.batch_shape(), key).jaxpr)
    evals = EVALS_BYTES * bool(built.config.evals.end)
    return PROCESS_BYTES + 2 * data + 4 * as_floats + 4 * memory.of_tree(state) + 4 * step + evals


def _failure(error: Exception) -> Failure:
    """What is noted of an error. The traceback of one that is nobody's fault but the code's is printed."""
    if isinstance(error, UserError | Diverged):
        return Failure(error.exit_code, str(error))
    if line := memory.shortage(error):
        return Failure(UserError.exit_code, f"{line}, or --jobs where several train at once")
    say("".join(traceback.format_exception(error)).rstrip())
    return Failure(1, f"{type(error).__name__}: {error}")


def _same(configs: dict[tuple, ConfigDict]) -> Iterator[str]:
    """A line for each point of the grid whose config is that of an earlier one: beta=1.0 after beta=1, say."""
    first: dict[str, tuple] = {}
    for point, config in configs.items():
        if (earlier := first.setdefault(config.to_json(), point)) is not point:
            yield f"--sweep: {_in_words(point)} is the same run as {_in_words(earlier)}; give each value once"


def _in_words(point: tuple) -> str:
    return ", ".join(f"{key}={text}" for key, text in point)


def _run(launch: Launch, member: Member, config: ConfigDict) -> GroupRun:
    workdir = Workdir(Workdir(launch.workdir).path / member.folder)
    own = [f"--workdir={workdir.path}", f"--config.seed={member.seed}"]
    return GroupRun(member, experiment.seeded(config, member.seed), workdir,
                    [launch.words[0], *launch.words_of(member.overrides, OF_GROUP), *own])


def _without_other(config: ConfigDict) -> ConfigDict:
    """config itself; one whose second run would have to be trained first is a UserError."""
    if is_config(config.evals.other):
        raise UserError(f"evals.other={config.evals.other}: several runs cannot train it first; train it, and name its "
                        "folder here")
    return config
