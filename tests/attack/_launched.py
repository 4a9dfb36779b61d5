"""What the attacks share: small runs of launch.py in processes of their own."""
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
SMALL = ["--config.model.widths=(16,)", "--config.data.num_train=512", "--config.evals.end=()", "--config.seed=1",
         "--config.train.batch_size=16", "--config.evals.every_epochs=0", "--config.checkpoint.every_epochs=1",
         "--config.train.epochs=12"]


def start(workdir, *args, **options):
    """A process of launch.py that trains a small run in workdir. options: of Popen."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    return subprocess.Popen([sys.executable, str(ROOT / "launch.py"), f"--workdir={os.fspath(workdir)}", *SMALL, *args],
                            cwd=ROOT, **options)


def ended(workdir, *args, **options):
    """(exit code, stderr) of such a process."""
    process = start(workdir, *args, **options)
    _, err = process.communicate(timeout=300)
    return process.returncode, (err or b"").decode(errors="replace")


def outcome(workdir):
    """What a run has come to: the digest of its state, and its log."""
    workdir = Path(workdir)
    return json.loads((workdir / "result.json").read_bytes())["state_sha256"], (workdir / "metrics.jsonl").read_bytes()
