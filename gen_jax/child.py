"""A process that another one has started for one run of a group: where it runs, and that it does not outlive that one.

It imports nothing heavy: the launcher calls `begin` before anything that counts cores is loaded.
"""
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO

CORES, LEASH = "GEN_JAX_CORES", "GEN_JAX_LEASH"  # environment: the cores to keep to; a pipe that the parent holds open
ORPHANED = 137  # exit code, as after kill -9
_parents = []  # the leash of the process that has started this one


def begin() -> None:
    """Does what the parent has asked for, where there is one."""
    if cores := os.environ.pop(CORES, ""):
        os.sched_setaffinity(0, map(int, cores.split(",")))
    if leash := os.environ.pop(LEASH, ""):
        _parents.append(leash)
        threading.Thread(target=_end_with, args=(int(leash),), daemon=True).start()


def start(words: Sequence[str], cores: Sequence[int], leash: int, log: BinaryIO) -> subprocess.Popen:
    """A process of the launcher. One that was started here itself starts no others: they would start others again.

    Signals reach it from its parent alone: it is in a session of its own.

    Args:
      words: the program and its arguments.
      cores: those that it keeps to; none: it may use all.
      leash: what `leash` gives. When its other end is closed, the process ends at once.
      log: takes what it prints.
    """
    if _parents:
        raise RuntimeError("a process of one run was asked to train several")
    environment = os.environ | {LEASH: str(leash)} | ({CORES: ",".join(map(str, cores))} if cores else {})
    return subprocess.Popen([sys.executable, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            env=environment, pass_fds=(leash,), start_new_session=True)


@contextlib.contextmanager
def leash() -> Iterator[int]:
    """The end of a pipe, for `start`. The other end is closed when the context or the process ends, however it ends."""
    read_end, write_end = os.pipe()
    try:
        yield read_end
    finally:
        os.close(read_end)
        os.close(write_end)


def own_cores() -> list[int]:
    """The cores that this process may use; [] where the system does not pin processes to cores."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def _end_with(leash: int) -> None:
    os.read(leash, 1)  # returns when no process holds the other end
    os._exit(ORPHANED)
