"""A group of runs in one folder: the points of a sweep, each under some seeds. Each run is a workdir like any."""
from types import ModuleType

import jax

from gen_jax.command_line import Launch
from gen_jax.errors import RunsFailed, UserError
from gen_jax.find import find, names
from gen_jax.modes._group_runs import Failure, Group, GroupRun, planned
from gen_jax.modes._run import is_measured, writing
from gen_jax.modes.compare import compare
from gen_jax.report.files import read_json
from gen_jax.report.terminal import say
from gen_jax.report.workdir import Workdir
from gen_jax.settings import POSITIVE, Setting, between, one_of, placeholder
from gen_jax.sweeps import note
from gen_jax.training.interrupt import EXIT_CODES

SEEDS = Setting(placeholder(int), "how many seeds, from config.seed on, each in a folder of its own; when timed, in "
                "every form", between(1, 10_000))
FLAGS = {
    "seeds": SEEDS,
    "form": Setting("auto", "how the runs of --seeds and --sweep are trained: in processes on cores of their own, one "
                    "after the other in a loop, or the seeds as one program by vmap; auto: processes on a CPU, else "
                    "vmap", one_of("auto", *names("modes.forms"))),
    "jobs": Setting(placeholder(int), "how many runs train at once: processes, unset as many as cores and memory "
                    "allow, or seeds in one program, unset all of them", POSITIVE),
}


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
    at, jobs, form = Workdir(launch.workdir), launch.options["jobs"], _form(launch)
    runs, size = planned(launch)
    at.claim_for_group()
    if not launch.options["restart"]:
        _refuse_others(runs)
    with writing(at):
        note(at.path, launch.config_name, launch.words, launch.axes, [run.member for run in runs])
    if launch.options["restart"]:
        _move_aside(runs)
    left = [run for run in runs if not _is_finished(run)]
    say(f"{at.path}: {len(runs)} runs" + f", {len(runs) - len(left)} of them finished before" * (len(left) < len(runs)))
    failures = form.run(Group(left, len(runs), size, jobs))
    _sum_up(at, runs)
    if failures:
        raise _failed(failures, len(runs))


def _form(launch: Launch) -> ModuleType:
    """The form that is asked for. One that cannot do it here is a UserError."""
    name, is_cpu = launch.options["form"], jax.default_backend() == "cpu"
    if name == "auto":
        name = "processes" if is_cpu else "vmap"
    form = find("modes.forms", name)
    if not is_cpu and getattr(form, "NEEDS_CPU", False):
        raise UserError(f"--form={name}: is for CPUs, and one process has the {jax.default_backend()} to itself; leave "
                        "--form out, or set --jax_platforms=cpu")
    if launch.options["jobs"] and not getattr(form, "TAKES_JOBS", True):
        raise UserError(f"--jobs: --form={name} trains one run at a time; leave it out")
    return form


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


def _move_aside(runs: list[GroupRun]) -> None:
    """Moves what is in the runs' folders aside, all at once: what is trained from here on can be gone on with."""
    for run in runs:
        if run.workdir.path.exists():
            run.workdir.claim()
            with writing(run.workdir):
                run.workdir.move_aside()
            run.workdir.release()


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
    except Exception as error:  # of a figure's library, say: all runs are saved, and which have failed is to be said
        say(f"comparison: could not be made ({type(error).__name__}: {error}); --mode=compare --workdirs={at.path} "
            "tries again")
    else:
        say(f"as .txt, .md, .tex, .csv, .json and figures: {at.path}/comparison*")


def _failed(failures: dict[str, Failure], num_all: int) -> RunsFailed:
    """What is raised. Its exit code is the first one that does not mean that this launch was stopped."""
    codes = [failure.exit_code for failure in failures.values() if failure.exit_code not in EXIT_CODES.values()]
    return RunsFailed(next(iter(codes), 1), f"{len(failures)} of {num_all} runs failed; the same command trains them "
                      "on", *(f"{folder}: {failure.line}" for folder, failure in failures.items()))
