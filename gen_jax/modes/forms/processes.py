"""Each run is trained by a process of its own, several at once, each on its own cores: the fastest on a CPU.

A process prints into launch.log in its run's folder. It ends with this one, however that ends. Its run has the bits of
one that is trained alone on as many cores.
"""
import contextlib
import json
import os
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from gen_jax import cgroup, child, memory
from gen_jax.modes._group_runs import Failure, Group, GroupRun, noting
from gen_jax.modes._run import writing
from gen_jax.report.progress import Line, clock
from gen_jax.report.terminal import say
from gen_jax.training.interrupt import EXIT_CODES, Interrupts

NEEDS_CPU = True  # of another device, JAX gives a process most of the memory
POLL_SECONDS, SHOW_SECONDS = 0.05, 1.0
LOG = "launch.log"
OF_MEMORY = 0.8  # the share of the machine's that all processes may take together
TAIL_BYTES = 2000  # of a log: more than its last line


class Working(NamedTuple):
    """A process at work."""

    run: GroupRun
    cores: list[int]
    process: subprocess.Popen


def run(group: Group) -> dict[str, Failure]:
    """The form. What became of the runs that failed, by their folders. Raises Interrupted when all have stopped."""
    with Interrupts() as interrupts, child.leash() as leash:
        return Processes(group, leash, interrupts).run()


class Processes:
    """The processes of a group."""

    def __init__(self, group: Group, leash: int, interrupts: Interrupts):
        self.group, self.leash, self.interrupts = group, leash, interrupts
        self.waiting, self.working, self.failures = list(group.runs), [], {}
        self.free, self.line, self.is_told = slots(group), Line(), False
        self.began, self.begun, self.shown = time.monotonic(), self._done(), 0.0

    def run(self) -> dict[str, Failure]:
        """Trains all runs, or has all stop after a signal, and waits for them."""
        if self.group.runs:
            say(f"{len(self.free)} at once, {len(self.free[0]) or 'any'} cores each; each prints into its {LOG}")
        try:
            while self.working or self.waiting and not self.interrupts.requested():
                self._start()
                self._tell()
                self._reap()
                self._show()
                time.sleep(POLL_SECONDS)
        finally:
            self._stop()
            self.line.close()
        left = len(self.waiting) + len(self.failures)
        self.interrupts.raise_if_requested(f"stopped; {self.group.num_all - left} of {self.group.num_all} runs are "
                                           "finished, and the others are saved; the same command goes on from there")
        return self.failures

    def _start(self) -> None:
        """Starts as many as there is room for."""
        while self.waiting and self.free and not self.interrupts.requested():
            run = self.waiting.pop(0)
            with noting(self.failures, run):
                self.working.append(Working(run, self.free[0], _started(run, self.free[0], self.leash)))
                del self.free[0]

    def _tell(self) -> None:
        """Passes a signal on, once."""
        if self.interrupts.requested() and not self.is_told:
            self.is_told = True
            for working in self.working:
                working.process.send_signal(self.interrupts.signum)

    def _stop(self) -> None:
        """Has those that are still at work save and end: something has failed here, and the leash ends them at once."""
        for working in self.working:
            working.process.terminate()
        for working in self.working:
            working.process.wait()

    def _reap(self) -> None:
        """Notes those that have ended, and how."""
        for working in [working for working in self.working if working.process.poll() is not None]:
            self.working.remove(working)
            self.free.append(working.cores)
            if code := working.process.returncode:
                failure = Failure(128 - code if code < 0 else code, _why(working, code))  # 128 + signal, as shells have
                self.failures[working.run.member.folder] = failure
                if not (self.is_told and failure.exit_code in EXIT_CODES.values()):
                    say(f"{working.run.member.folder}: {failure.line}")

    def _show(self) -> None:
        """Shows where all runs stand."""
        if time.monotonic() < self.shown + SHOW_SECONDS:
            return
        self.shown, done, num = time.monotonic(), self._done(), self.group.num_all
        rate = (done - self.begun) / (time.monotonic() - self.began)
        ended = num - len(self.waiting) - len(self.working)
        self.line.show([f"{clock((num - done) / rate) if rate > 0 else '--:--'} left",
                        f"{ended - len(self.failures)}/{num} runs done", f"{len(self.working)} running",
                        *[f"{len(self.failures)} failed"] * bool(self.failures),
                        *(f"{working.run.member.folder} {_share(working.run):.0%}" for working in self.working)])

    def _done(self) -> float:
        """How many runs' worth of training are done."""
        unfinished = [*self.waiting, *(working.run for working in self.working)]
        return self.group.num_all - len(unfinished) + sum(map(_share, unfinished))


def slots(group: Group) -> list[list[int]]:
    """The cores of each process that may be at work at once. All have as many: bits depend on that.

    They are chosen by the whole group, not by what is left of it, so that launching again chooses the same.
    """
    cores = child.own_cores()
    num_cores = int(max(min(len(cores) or os.cpu_count() or 1, cgroup.cores()), 1))
    cores, jobs = cores[:num_cores], group.jobs or most_at_once(group, num_cores)
    share = max(len(cores) // jobs, 1)
    return [[cores[(job * share + i) % len(cores)] for i in range(share)] if cores else [] for job in range(jobs)]


def most_at_once(group: Group, num_cores: int) -> int:
    """How many runs may be trained at once: one a core, as far as the machine's memory holds them.

    What of it is free now is not asked: bits depend on how many cores each has, and so on how many run at once.
    """
    most = OF_MEMORY * memory.of_machine() // group.num_bytes
    return int(max(min(num_cores, group.num_all, most), 1))


def _started(run: GroupRun, cores: list[int], leash: int) -> subprocess.Popen:
    """The process of a run, which prints into its log."""
    with writing(run.workdir):
        run.workdir.path.mkdir(parents=True, exist_ok=True)
        log = open(run.workdir.path / LOG, "ab")  # noqa: SIM115, closed below
    with log:
        return child.start(run.words, cores, leash, log)


def _share(run: GroupRun) -> float:
    """The share of a run's training that is recorded."""
    with contextlib.suppress(ValueError, TypeError, KeyError, IndexError):
        return json.loads(_tail(run.workdir.timing)[-1])["step"] / run.config.derived.total_steps
    return 0.0


def _why(working: Working, code: int) -> str:
    """Why a process ended with an exit code that is not 0."""
    if code < 0:
        return f"killed by signal {-code}; where memory is short, set --jobs lower"
    last = (_tail(working.run.workdir.path / LOG) or [""])[-1].removeprefix("launch.py: ")
    return f"exit code {code}: {last}"


def _tail(path: Path) -> list[str]:
    """The last lines of a file; none of one that is not there."""
    with contextlib.suppress(OSError), open(path, "rb") as file:
        file.seek(max(file.seek(0, os.SEEK_END) - TAIL_BYTES, 0))
        return file.read().decode(errors="replace").splitlines()
    return []
