"""stdout and stderr closed, full, dead or ASCII: the run comes to its end, and to the same bits."""
import os
import subprocess
import sys

import pytest
from _launched import ROOT, SMALL, outcome

pytestmark = pytest.mark.slow
RUN = f"{sys.executable} launch.py {' '.join(SMALL)}".replace("(", "\\(").replace(")", "\\)")


def shell(command):
    """(exit codes of the pipe's parts, what it printed)."""
    done = subprocess.run(["bash", "-c", f"{command}; echo \" ${{PIPESTATUS[*]}}\""], cwd=ROOT, capture_output=True,
                          text=True, timeout=300)
    return done.stdout.splitlines()[-1].split(), done.stdout + done.stderr


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a run that nothing disturbs comes to."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert shell(f"{RUN} --workdir={folder}")[0] == ["0"]
    return outcome(folder)


@pytest.mark.parametrize("output", ["2>&1 | head -1", "2>&1 | true", "2>&-", ">&-", "2>&- >&- <&-", "2>/dev/full",
                                    ">/dev/full", ">/dev/full 2>&1", "2>&1 | (sleep 3)"])
def test_training_goes_on(output, tmp_path, whole):
    codes, said = shell(f"{RUN} --workdir={tmp_path / 'run'} {output}")
    assert codes[0] == "0" and "Traceback" not in said and "Exception ignored" not in said, said
    assert outcome(tmp_path / "run") == whole
    for name in ("metrics.jsonl", "config.json", "run.json", "timing.jsonl"):
        assert (tmp_path / "run" / name).read_bytes().startswith(b"{")


@pytest.mark.parametrize("mode", ["--mode=dry", "--mode=data", "--help"])
@pytest.mark.parametrize("output", ["| head -1", "| true", ">&-", ">/dev/full"])
def test_what_is_printed_may_be_read_in_part(mode, output, tmp_path):
    codes, said = shell(f"{RUN} {mode} --workdir={tmp_path / 'run'} {output}")
    assert codes[0] == "0" and "Traceback" not in said and "Exception ignored" not in said, said


@pytest.mark.parametrize("setting", ["PYTHONIOENCODING=ascii", "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0"])
def test_ascii(setting, tmp_path):
    workdir = os.fsdecode(b"\xff\xc3\xa9")
    codes, said = shell(f"{setting} {RUN} --mode=data --workdir={tmp_path}/{workdir}")
    assert codes == ["0"] and "the first training examples" in said and "Traceback" not in said, said
    assert shell(f"{setting} {RUN} --mode=dry")[0] == ["0"]


def test_a_fault_has_its_exit_code_where_nobody_reads():
    for output in ("2>&-", "2>/dev/full", "2>&1 | true"):
        assert shell(f"{RUN} --config.seed=-1 {output}")[0][0] == "2"


def test_a_user_without_name_or_home(tmp_path):
    if os.getuid():
        pytest.skip("needs the right to be another user")
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent.owner() == "root" and str(parent).startswith("/tmp/"):
            parent.chmod(0o755)
    env = {key: value for key, value in os.environ.items() if key not in ("HOME", "XDG_CACHE_HOME", "USER", "LOGNAME")}
    try:
        done = subprocess.run([sys.executable, "-B", "launch.py", *SMALL, f"--workdir={tmp_path / 'run'}"], cwd=ROOT,
                              env=env, user=987_654, capture_output=True, text=True, timeout=300)
    except PermissionError:
        pytest.skip("needs a Python and a clone that every user may read")
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
