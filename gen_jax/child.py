"""A process that another one has started for one run of a group: where it runs, and that it does not outlive that one.

It imports nothing heavy: the launcher calls `begin` before anything that counts cores is loaded.
"""
import contextlib
import fcntl
import os
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

# Environment: the cores to keep to; a pipe that the parent holds open; a file that it holds locked.
CORES, LEASH, GATE = "GEN_JAX_CORES", "GEN_JAX_LEASH", "GEN_JAX_GATE"
POLL_SECONDS = 0.01
ORPHANED = 137  # exit code, as after kill -9
_parents = []  # the leash of the process that has started this one


def begin() -> None:
    """Does what the parent has asked for, where there is one."""
    if cores := os.environ.pop(CORES, ""):
        os.sched_setaffinity(0, map(int, cores.split(",")))
    if leash := os.environ.pop(LEASH, ""):
        _parents.append(leash)
        threading.Thread(target=_end_with, args=(int(leash),), daemon=True).start()


def start(words: Sequence[str], cores: Sequence[int], leash: int, log: BinaryIO, gate: str = "") -> subprocess.Popen:
    """A process of the launcher. One that was started here itself starts no others: they would start others again.

    Signals reach it from its parent alone: it is in a session of its own.

    Args:
      words: the program and its arguments.
      cores: those that it keeps to; none: it may use all.
      leash: what `leash` gives. When its other end is closed, the process ends at once.
      log: takes what it prints.
      gate: the file of a `gate`, for processes that wait for each other.
    """
    if _parents:
        raise RuntimeError("a process of one run was asked to train several")
    given = {LEASH: str(leash), CORES: ",".join(map(str, cores)), GATE: gate}
    return subprocess.Popen([sys.executable, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            env=os.environ | given, pass_fds=(leash,), start_new_session=True)


@contextlib.contextmanager
def leash() -> Iterator[int]:
    """The end of a pipe, for `start`. The other end is closed when the context or the process ends, however it ends."""
    read_end, write_end = os.pipe()
    try:
        yield read_end
    finally:
        os.close(read_end)
        os.close(write_end)


@contextlib.contextmanager
def gate(file: Path, processes: Collection[subprocess.Popen]) -> Iterator[None]:
    """A context in which processes are started and listed. At its end all go on together that wait at the gate."""
    with open(file, "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
        while file.stat().st_size < len(processes) and all(process.poll() is None for process in processes):
            time.sleep(POLL_SECONDS)


def wait_for_others() -> None:
    """Waits at the gate, where the parent has set one."""
    if file := os.environ.pop(GATE, ""):
        with open(file, "ab", buffering=0) as lock:
            lock.write(b".")  # one more is here
            fcntl.flock(lock, fcntl.LOCK_SH)


def own_cores() -> list[int]:
    """The cores that this process may use; [] where the system does not pin processes to cores."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _end_with(leash: int) -> None:
    os.read(leash, 1)  # returns when no process holds the other end
    os._exit(ORPHANED)
