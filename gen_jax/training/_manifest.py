"""What stands in a saved step beside its arrays: a manifest of digests, and a copy of the log."""
import hashlib
import json
import os
from pathlib import Path

from gen_jax.errors import UserError
from gen_jax.training._arrays import Damaged, first_line

LOG, MANIFEST = "metrics.jsonl", "manifest.json"  # the names of the files in a step's folder


def write(folder: Path, manifest: dict) -> None:
    """Writes the manifest of a step's folder, with the digests of the files there and of itself. Raises OSError."""
    whole = manifest | {"files": file_digests(folder)}
    write_synced(folder / MANIFEST, json.dumps(whole | {"sha256": _self_digest(whole)}, indent=1).encode())


def read(folder: Path) -> dict:
    """The manifest of a step's folder, found to be as it was written. Raises Damaged or UserError."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        whole = manifest["sha256"] == _self_digest(manifest)
    except PermissionError as error:
        raise not_permitted(error) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Damaged(f"manifest: {first_line(error)}") from error
    if not whole:
        raise Damaged("the manifest is not as it was written")
    if str(manifest["step"]) != folder.name:
        raise Damaged(f"it is step {manifest['step']}, under another name")
    return manifest


def saved_log(path: Path) -> bytes | None:
    """What metrics.jsonl was when the step at path was saved; None where that is not known. Verified by `read`."""
    try:
        return (path / LOG).read_bytes()
    except OSError:  # saved by a gen_jax that kept no copy, or not at all
        return None


def file_digests(folder: Path) -> dict[str, str]:
    """sha256 of every file below folder but the manifest, by its relative path. Raises OSError."""
    def fail(error: OSError):
        raise error
    paths = [Path(parent, name) for parent, _, names in os.walk(folder, onerror=fail) for name in names]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(paths) if path.is_file() and path != folder / MANIFEST}


def write_synced(path: Path, content: bytes) -> None:
    """Writes path, and has it on the disk."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Has the names in a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def not_permitted(error: PermissionError) -> UserError:
    return UserError(f"{error.filename}: cannot be read (permission denied), which does not make it damaged; give "
                     "yourself the permission")


def _self_digest(manifest: dict) -> str:
    content = {key: value for key, value in manifest.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
