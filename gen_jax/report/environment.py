"""run.json: what a run was made with, so that it can be made again."""
import datetime
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import jax

from gen_jax.child import own_cores

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "ml-collections", "tensorflow-datasets", "numpy",
            "scipy", "scikit-learn")

# Those that the bits of a run depend on, or the numbers that are measured of it.
NUMERICS = ("jax", "jaxlib", "flax", "optax", "scipy", "scikit-learn")


def describe() -> dict:
    """Versions, device, folder, command line, git commit and time of this launch."""
    device = jax.devices()[0]
    return {
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "folder": os.getcwd(),
        "command": sys.argv,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "device": {"platform": device.platform, "kind": device.device_kind, "count": jax.device_count(),
                   "cores": len(own_cores()) or None},
        "git": {"commit": _git("rev-parse", "HEAD"), "changed": bool(_git("status", "--porcelain"))},
    }


def changes(before: dict, now: dict) -> str:
    """What another launch had otherwise of that which bits depend on, "jax 0.10.1 (0.10.2 now)" say; "" if nothing."""
    def versions(launch: dict) -> dict:
        packages, device = launch.get("packages"), launch.get("device")
        device = device if isinstance(device, dict) else {}
        return {**(packages if isinstance(packages, dict) else {}), "device": device.get("kind"),
                "cores": device.get("cores") if device.get("platform") == "cpu" else None}
    old, new = versions(before), versions(now)
    return ", ".join(f"{name} {old[name]} ({new[name]} now)" for name in (*NUMERICS, "device", "cores")
                     if old.get(name) not in (None, new[name]))


def _git(*args: str) -> str | None:
    """What git says of this code's checkout, or None outside of one."""
    try:
        answer = subprocess.run(["git", "-C", str(Path(__file__).parent), *args], capture_output=True, text=True,
                                timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
