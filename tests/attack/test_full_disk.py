"""A disk that is full, without inodes or read-only, and writes that fail halfway: one line, and nothing is lost."""
import resource
import subprocess

import pytest
from _launched import ended, outcome

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a run that nothing disturbs comes to."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert ended(folder)[0] == 0
    return outcome(folder)


@pytest.fixture
def disk(tmp_path):
    """disk(options): a small file system of its own."""
    mounted = []

    def mount(options):
        folder = tmp_path / "disk"
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True)
        if done.returncode:
            pytest.skip("needs the right to mount")
        mounted.append(folder)
        return folder
    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def one_line(code, err):
    assert code == 2, err
    (line,) = [line for line in err.splitlines() if line.startswith("launch.py: ")]
    assert "cannot write there" in line and "Traceback" not in err, err
    return line


@pytest.mark.parametrize("size_kb", [4, 100, 200, 300, 400])
def test_full(size_kb, disk, whole):
    folder = disk("size=2m")
    (folder / "filler").write_bytes(b"x" * (2**21 - size_kb * 1024))
    assert "No space left" in one_line(*ended(folder / "run"))
    (folder / "filler").unlink()
    assert ended(folder / "run")[0] == 0
    assert outcome(folder / "run") == whole


@pytest.mark.parametrize("inodes", [3, 20, 40, 70, 90])
def test_without_inodes(inodes, disk, whole):
    folder = disk(f"size=20m,nr_inodes={inodes}")
    print(one_line(*ended(folder / "run")))
    subprocess.run(["mount", "-o", "remount,nr_inodes=1000", str(folder)], check=True)
    assert ended(folder / "run")[0] == 0
    assert outcome(folder / "run") == whole


def test_read_only(disk, whole):
    folder = disk("size=20m")
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    assert "Read-only" in one_line(*ended(folder / "run"))


@pytest.mark.parametrize("limit", [500, 4096, 20_000])
def test_a_write_that_fails_halfway(limit, tmp_path, whole):
    code, err = ended(tmp_path / "run", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert code == 2 and "launch.py: --workdir" in err, err
    assert ended(tmp_path / "run")[0] == 0
    assert outcome(tmp_path / "run") == whole
