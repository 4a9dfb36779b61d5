"""What the control groups of Linux leave to this process: a container's, or those of a scheduler's job."""
import contextlib
import math
from collections.abc import Iterator
from pathlib import Path

ROOT, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
MEMORY = ("memory.max", "memory.limit_in_bytes")  # as version 2 and version 1 name it
QUOTA = ("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us")  # version 2's one file, version 1's two


def memory() -> float:
    """Bytes of memory; inf where nothing limits them."""
    return min((limit for folder in _folders("memory") for limit in _numbers(folder, MEMORY)), default=math.inf)


def cores() -> float:
    """How many cores' worth of time; inf where nothing limits it."""
    found = (_numbers(folder, QUOTA) for folder in _folders("cpu"))
    return min((pair[0] / pair[1] for pair in found if len(pair) == 2 and pair[0] > 0), default=math.inf)


def _folders(controller: str) -> Iterator[Path]:
    """The folders of the group that this process is in, and of all above it."""
    with contextlib.suppress(OSError):
        for line in OWN.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers or controller in controllers.split(","):  # version 2, which has one tree; version 1
                root = ROOT / controller if controllers else ROOT
                own = root / path.lstrip("/")
                yield from (folder for folder in (own, *own.parents) if folder.is_relative_to(root))


def _numbers(folder: Path, files: tuple[str, ...]) -> list[float]:
    """The numbers in those of the files that are there."""
    words = []
    for file in files:
        with contextlib.suppress(OSError):
            words += (folder / file).read_text().split()
    return [math.inf if word == "max" else float(word) for word in words]
