"""Every file of a finished workdir harmed in every way: a launch says so, or ends in the same state and log."""
import collections
import os
import random
import shutil

import pytest

from configs import vae_digits
from gen_jax.errors import UserError
from gen_jax.modes import train
from gen_jax.report.files import read_json
from gen_jax.report.workdir import Workdir

pytestmark = pytest.mark.slow
RNG = random.Random(0)


def flipped(content):
    at = RNG.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << RNG.randrange(8)]) + content[at + 1:]


HARMS = {"flip": flipped, "truncate": lambda content: content[:len(content) // 2], "delete": lambda content: None,
         "empty": lambda content: b"", "noise": lambda content: RNG.randbytes(100),
         "nested": lambda content: b"[" * 100_000, "list": lambda content: b"[1, 2]\n",
         "double": lambda content: content * 2}


def launched(config, path):
    """Trains, and lets the folder go. The lines of a refusal, or None."""
    workdir = Workdir(path)
    try:
        train.train(config, workdir)
    except UserError as error:
        return error.faults
    finally:
        if workdir._lock is not None:
            os.close(workdir._lock)
    return None


def test_every_file(tmp_path):
    config = vae_digits.get_config("smoke")
    config.model.update({"widths": (16,), "latent_dim": 2})
    config.evals.update({"end": (), "every_epochs": 0})
    config.checkpoint.every_epochs = 1
    whole, counts = tmp_path / "whole", collections.Counter()
    assert launched(config, whole) is None
    sha256, log = read_json(whole / "result.json")["state_sha256"], (whole / "metrics.jsonl").read_bytes()
    files = [path.relative_to(whole) for path in sorted(whole.rglob("*")) if path.is_file() and path.name != ".lock"]
    for file in files:
        for name, harm in list(HARMS.items())[:3 if "checkpoints" in file.parts else None]:
            shutil.rmtree(tmp_path / "run", ignore_errors=True)
            shutil.copytree(whole, tmp_path / "run")
            content = harm((whole / file).read_bytes() or b"x")
            (tmp_path / "run" / file).unlink()
            if content is not None:
                (tmp_path / "run" / file).write_bytes(content)
            refusal = launched(config, tmp_path / "run")
            if refusal is None:
                assert read_json(tmp_path / "run" / "result.json")["state_sha256"] == sha256, (file, name)
                assert (tmp_path / "run" / "metrics.jsonl").read_bytes() == log, (file, name)
            else:
                assert all(line and "\n" not in line for line in refusal), (file, name)
                assert refusal == launched(config, tmp_path / "run"), (file, name)
            counts["refused" if refusal else "same bits"] += 1
    print(f"{len(files)} files, {counts.total()} harms: {dict(counts)}")
