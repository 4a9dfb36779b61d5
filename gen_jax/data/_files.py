"""Files that data are read from, and digests of what is in them."""
import contextlib
import hashlib
import json
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ml_collections import ConfigDict

from gen_jax.data import _cache
from gen_jax.errors import UserError
from gen_jax.whole import write_atomically

SETTLED_NS = 2 * 10**9  # clocks of file systems are coarser than ours, by up to 2 s


def is_odd(path: Path) -> bool:
    """Whether path is something and no file: a folder, a pipe or a device, for which one could wait without end."""
    return os.path.exists(path) and not os.path.isfile(path)


def file_at(path: Path) -> Path:
    """path, where a file is there, or nothing is; else a UserError."""
    if is_odd(path):
        raise UserError(f"data: {path} is no file (but a folder, a pipe or a device)")
    return path


def digests(files: list[Path], hp: ConfigDict) -> list[str]:
    """A sha256 of the content of each file; a few words where it has none, or cannot be read.

    hp: config.data, which names the cache. Digests are kept there with what the system says of the file: where it lies
    on the disk, its size, and when it was last changed, which no program can set. One that had been changed less than
    2 s before it was read is not kept: it could be changed again unnoticed.
    """
    folders = repr(sorted({str(file.parent) for file in files}))
    path = _cache.folder(hp) / f"digests-{hashlib.sha256(folders.encode()).hexdigest()[:32]}.json"
    known = _known(path)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda file: _digest(file, known.get(str(file))), files))
    kept = known | {str(file): [stamp, digest] for file, (stamp, digest) in zip(files, found, strict=True) if stamp}
    if kept != known:
        _keep(path, kept)
    return [digest for _, digest in found]


def _digest(file: Path, known: list | None) -> tuple[list[int] | None, str]:
    """(what the system says of file, or None if that does not tell its content for sure; its digest)."""
    try:
        before, now = os.stat(file), time.time_ns()
        if not stat.S_ISREG(before.st_mode):
            return None, "no file"
        if known and known[0] == _stamp(before):
            return known[0], known[1]
        with open(file, "rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    return _stamp(before) if now - max(before.st_mtime_ns, before.st_ctime_ns) > SETTLED_NS else None, digest


def _stamp(found: os.stat_result) -> list[int]:
    return [found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _known(path: Path) -> dict[str, list]:
    """What _keep was given; nothing where it is not there, or damaged."""
    try:
        kept = json.loads(path.read_bytes())
        whole = kept["sha256"] == hashlib.sha256(json.dumps(kept["files"]).encode()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return kept["files"] if whole else {}


def _keep(path: Path, files: dict[str, list]) -> None:
    """Writes files to path with a checksum. Where that cannot be written, the files are read again the next time."""
    digest = hashlib.sha256(json.dumps(files).encode()).hexdigest()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps({"sha256": digest, "files": files}).encode())
