"""A group of runs in one folder: the points of a sweep, each under some seeds. Each run is a workdir like any."""
import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import jax
from ml_collections import ConfigDict

from gen_jax import experiment, memory
from gen_jax.command_line import Launch
from gen_jax.config import SEED
from gen_jax.errors import RunsFailed, UserError
from gen_jax.experiment import Experiment
from gen_jax.find import find, names
from gen_jax.modes._run import is_measured, writing
from gen_jax.modes.compare import compare
from gen_jax.report.files import read_json
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.runs import is_config
from gen_jax.settings import POSITIVE, Setting, between, one_of, placeholder
from gen_jax.sweeps import Member, members, note, points
from gen_jax.training.feed import num_bytes
from gen_jax.training.loop import Diverged

SEEDS = Setting(placeholder(int), "how many seeds, from config.seed on, each in a folder of its own; when timed, in "
                "every form", between(1, 10_000))
FLAGS = {
    "seeds": SEEDS,
    "form": Setting("auto", "how the runs of --seeds and --sweep are trained: in processes on cores of their own, one "
                    "after the other in a loop, or the seeds as one program by vmap; auto: processes on a CPU, else "
                    "vmap", one_of("auto", *names("modes.forms"))),
    "jobs": Setting(placeholder(int), "how many processes train at once; unset: as many as cores and memory allow",
                    POSITIVE),
}
OF_ONE = ("sweep", "seeds", "form", "jobs", "workdir", "config.seed")  # flags that the command of one run has not so

PROCESS_BYTES = 850_000_000  # of a process with JAX, all libraries and a small net, before it has any data


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
    jobs: int | None  # how many processes at once; None: as many as can be
    restart: bool  # whether the run that is in a folder is moved aside first


class Failure(NamedTuple):
    """Why a run has not come to its end."""

    exit_code: int
    line: str


def is_asked_for(launch: Launch) -> bool:
    """Whether a group of runs is to be trained, and not one."""
    asked = bool(launch.axes or launch.options["seeds"])
    if not asked and (launch.options["jobs"] or launch.options["form"] != "auto"):
        raise UserError("--jobs, --form: are about several runs; ask for some by --seeds or --sweep")
    return asked


def train_group(launch: Launch) -> None:
    """Trains every run of the group that is not finished, and sums up all of them. Raises RunsFailed, and Interrupted.

    What is wrong with a config, or with a run that is there, is said before anything is trained.
    """
    at, restart = Workdir(launch.workdir), launch.options["restart"]
    runs, size = _runs(launch, at)
    at.claim_for_group()
    if not restart:
        _refuse_others(runs)
    with writing(at):
        note(at.path, launch.config_name, launch.words, launch.axes, [run.member for run in runs])
    left = [run for run in runs if restart or not _is_finished(run)]
    say(f"{at.path}: {len(runs)} runs" + f", {len(runs) - len(left)} of them finished before" * (len(left) < len(runs)))
    failures = find("modes.forms", _form(launch)).run(Group(left, len(runs), size, launch.options["jobs"],
                                                                    restart))
    _sum_up(at, runs)
    if failures:
        raise RunsFailed(next(iter(failures.values())).exit_code, f"{len(failures)} of {len(runs)} runs failed; the "
                         "same command trains them on",
                         *(f"{folder}: {failure.line}" for folder, failure in failures.items()))


@contextlib.contextmanager
def noting(failures: dict[str, Failure], run: GroupRun) -> Iterator[None]:
    """A context: what stops the run inside it is noted by its folder, and stops no other."""
    try:
        yield
    except (UserError, Diverged) as error:
        failures[run.member.folder] = Failure(error.exit_code, str(error))
        say(f"{run.member.folder}: {error}")


def by_point(runs: list[GroupRun]) -> list[list[GroupRun]]:
    """The runs of each point of the grid, which differ in their seeds alone."""
    found: dict[tuple, list[GroupRun]] = {}
    for run in runs:
        found.setdefault(tuple(run.member.overrides.items()), []).append(run)
    return list(found.values())


def _form(launch: Launch) -> str:
    asked = launch.options["form"]
    return asked if asked != "auto" else "processes" if jax.default_backend() == "cpu" else "vmap"


def _runs(launch: Launch, at: Workdir) -> tuple[list[GroupRun], float]:
    """Every run, its config resolved; and the most memory that one takes.

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
            sizes.append(_num_bytes(built))
        except UserError as error:
            faults += error.faults
    if faults:
        raise UserError(*dict.fromkeys(faults))
    return [_run(launch, at, member, configs[tuple(member.overrides.items())])
            for member in members(launch.axes, range(first, first + (num or 1)), num is not None)], max(sizes)


def _run(launch: Launch, at: Workdir, member: Member, config: ConfigDict) -> GroupRun:
    folder = at.path / member.folder
    own = [f"--workdir={folder}", f"--config.seed={member.seed}"]
    return GroupRun(member, experiment.seeded(config, member.seed), Workdir(folder),
                    [launch.words[0], *launch.words_of(member.overrides, OF_ONE), *own])


def _without_other(config: ConfigDict) -> ConfigDict:
    """config itself; one whose second run would have to be trained first is a UserError."""
    if is_config(config.evals.other):
        raise UserError(f"evals.other={config.evals.other}: several runs cannot train it first; train it, and name its "
                        "folder here")
    return config


def _num_bytes(built: Experiment) -> float:
    """An estimate of the memory that a process with this run takes.

    Data lie there as they are stored, on the device too, and as several float32 copies while evals run. Beside the
    state there are its gradients, and what is being saved.
    """
    data = num_bytes(built.train) + num_bytes(built.test)
    as_floats = 4 * (built.train.x.size + built.test.x.size)
    state = memory.of_tree(jax.eval_shape(built.begin).state)
    return PROCESS_BYTES + 2 * data + 4 * as_floats + 4 * state


def _refuse_others(runs: list[GroupRun]) -> None:
    """One UserError for all folders that hold a run with another config."""
    faults = []
    for run in runs:
        try:
            if run.workdir.config.exists():
                run.workdir.compare(run.config)
        except UserError as error:
            faults += error.faults
    if faults:
        raise UserError(*faults)


def _is_finished(run: GroupRun) -> bool:
    """Whether a run has been trained to its end, and every eval that can run has run with the settings of now."""
    result = read_json(run.workdir.result) or {}
    return result.get("step") == run.config.derived.total_steps and is_measured(result, run.config)


def _sum_up(at: Workdir, runs: list[GroupRun]) -> None:
    """Compares all runs of the folder that have come to their end, and prints the table."""
    if not any(run.workdir.result.exists() for run in runs):
        return
    try:
        print("\n".join(compare([at.path], at.path)), flush=True)
    except UserError as error:  # what keeps them from being compared harms none of them
        say(str(error))
    else:
        say(f"as .txt, .md, .tex, .csv, .json and figures: {at.path}/comparison*")
