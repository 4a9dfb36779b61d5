"""Named arrays of a file of weights in the formats that are about; nothing in a file is executed."""
import json
from pathlib import Path

import numpy as np

from gen_jax.judges.features import _torch_file

SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1",
               "U8": "u1", "BOOL": "?"}


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays by name, of path.npz, path.safetensors, or else what torch.save wrote of a state dict.

    Raises ValueError where path is none of these, or is damaged; OSError.
    """
    return {".npz": _npz, ".safetensors": _safetensors}.get(path.suffix, _torch_file.read)(path)


def _npz(path: Path) -> dict[str, np.ndarray]:
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        except OSError:
            raise
        except Exception as error:  # whatever a stranger's file holds
            raise ValueError(str(error)) from error


def _safetensors(path: Path) -> dict[str, np.ndarray]:
    """Eight bytes say how long the index is; the index says where each array lies in what follows."""
    content = path.read_bytes()
    try:
        begin = 8 + int.from_bytes(content[:8], "little")
        index, arrays = json.loads(content[8:begin]), memoryview(content)[begin:]
        return {name: np.frombuffer(arrays[slice(*entry["data_offsets"])], SAFETENSORS[entry["dtype"]])
                .reshape(entry["shape"]) for name, entry in index.items() if name != "__metadata__"}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no index of arrays, or a damaged one: {error}") from error
