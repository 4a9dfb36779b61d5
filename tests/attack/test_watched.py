"""Slow: the chapter's figure by one command, from nothing; and runs that a person watches in a terminal."""
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.slow


def launch(*args):
    return subprocess.run([sys.executable, "launch.py", *args], cwd=ROOT, timeout=300, capture_output=True, text=True)


def test_the_chapter_s_figure_comes_by_one_command_and_only_what_is_missing_is_done_again(tmp_path):
    command = ["--config=configs/vae_mnist.py:smoke", f"--workdir={tmp_path / 'vae'}",
               "--config.evals.other=configs/ae_mnist.py:smoke", "--config.evals.end=('ae_vs_vae',)"]
    done = launch(*command)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ae_mnist_smoke" / "result.json").exists()
    assert (tmp_path / "vae" / "figures" / "ae_vs_vae.png").exists()
    metrics = json.loads((tmp_path / "vae" / "result.json").read_bytes())["metrics"]
    assert {"near_data/ae", "near_data/vae"} <= set(metrics)
    assert re.search(r"^near_data/vae +0\.\d", done.stdout, re.MULTILINE), done.stdout
    again = launch(*command)
    assert again.returncode == 0 and again.stderr.count("finished before") == 2, again.stderr


def test_a_trained_run_is_measured_again_where_a_launch_names_a_second(tmp_path):
    command = ["--config=configs/vae_mnist.py:smoke", f"--workdir={tmp_path / 'vae'}"]
    done = launch(*command)
    assert "left out: ae_vs_vae (there is no second run: --config.evals.other=" in done.stderr
    done = launch(*command, "--config.evals.other=configs/ae_mnist.py:smoke")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "vae" / "figures" / "ae_vs_vae.png").exists()


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_no_row_of_the_progress_line_wraps(columns, tmp_path):
    reader, writer = pty.openpty()
    running = subprocess.Popen([sys.executable, "launch.py", "--config=configs/dcgan_digits.py:smoke",
                                f"--workdir={tmp_path}"], cwd=ROOT, stdout=writer, stderr=writer,
                               env={**os.environ, "COLUMNS": str(columns)})
    os.close(writer)
    text = b""
    while part := _read(reader):
        text += part
    assert running.wait() == 0
    lines = re.findall(r"\r\x1b\[K([^\r\n\x1b]+)", text.decode())
    assert any(line.startswith("eval ") for line in lines) and any("examples/s" in line for line in lines)
    assert max(len(line) for line in lines if " left " in line or line.startswith("eval ")) < columns


def _read(reader):
    try:
        return os.read(reader, 65536)
    except OSError:  # the other end is closed, and all is read
        return b""
