"""The features of the original FID: 2,048 numbers of Inception v3, from a file of weights that the user has.

Heusel et al., arXiv:1706.08500. Nothing is downloaded. The file that the field computes FID with is known by its
sha256; features of other weights for the same network have another name, and a distance in them is no FID. Images are
uint8 RGB, as TensorFlow's graph saw them; grey ones are repeated. docs/inception.md says how to get the file.
"""
import hashlib
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from absl import logging
from ml_collections import ConfigDict

from gen_jax.errors import UserError
from gen_jax.folders import expanded
from gen_jax.judges.features import Features, _inception_net, _weights_file
from gen_jax.types import Spec

NEEDS = ("kind:image",)
ORIGINAL = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"  # sha256 of the file
SETTING = "evals.quality.inception"
GET = (f"{SETTING} must name pt_inception-2015-12-05-6726825d.pth, which is among the releases of "
       "github.com/mseitzer/pytorch-fid (docs/inception.md tells more)")
BLOCK = 20  # images computed at once, at most: some 100 MB in 299x299


def features(config: ConfigDict, spec: Spec, hp: ConfigDict) -> Features:
    """Pooled features [N,2048], and logits [N,1008] without the bias, as Inception Scores take them.

    hp.inception: the file. UserError where it is not there, or not of this network.
    """
    path = _file(hp.inception)
    arrays, digest = _checked(path), _sha256(path)
    if digest != ORIGINAL:
        logging.warning("inception: %s is not the file of the original FID (its sha256 begins with %s, not %s): no "
                        "distance in its features is called FID", path, digest[:8], ORIGINAL[:8])
    layers, to_logits = jax.device_put(_inception_net.folded(arrays)), np.asarray(arrays["fc.weight"], np.float32).T

    def answers(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = _in_blocks(layers, x)
        return found, found @ to_logits
    return Features(f"inception:{digest[:8]}", answers, official=digest == ORIGINAL)


def faults(hp: ConfigDict) -> Iterator[str]:
    """A line where hp.inception names no file of this network."""
    try:
        _checked(_file(hp.inception))
    except UserError as error:
        yield from error.faults


def _file(name: str) -> Path:
    if not name:
        raise UserError(f"inception: its weights come from a file that you have; {GET}")
    path = expanded(name, SETTING)
    if not path.is_file():
        raise UserError(f"{path}: there is no such file; {GET}")
    return path


def _checked(path: Path) -> dict[str, np.ndarray]:
    """The arrays in path: all that the network has, and no others but PyTorch's counts of batches."""
    try:
        arrays = _weights_file.read(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); {GET}") from error
    except ValueError as error:
        raise UserError(f"{path}: is no file of weights, or a damaged one ({error}); {GET}") from error
    if fault := _fault(arrays):
        raise UserError(f"{path}: is not of the network of the original FID, for it {fault}; {GET}")
    return arrays


def _fault(arrays: dict[str, np.ndarray]) -> str:
    """What is strange about the arrays, the first of each sort and how many; "" if nothing."""
    wanted = _inception_net.shapes()
    there = {name: array for name, array in arrays.items() if not name.endswith(".num_batches_tracked")}
    sorts = {
        "lacks": [name for name in wanted if name not in there],
        "has besides": [name for name in there if name not in wanted],
        "has in another shape": [f"{name} {there[name].shape} for {shape}" for name, shape in wanted.items()
                                 if name in there and there[name].shape != shape],
        "has no finite numbers in": [name for name in wanted if name in there and not _finite(there[name])],
    }
    return "; ".join(f"{sort} {names[0]}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
                     for sort, names in sorts.items() if names)


def _finite(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and bool(np.isfinite(array).all())


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _pixels(x: np.ndarray) -> np.ndarray:
    """uint8 [N,H,W,3] of images uint8 [N,H,W,C]; of four channels the last, opacity, is left out."""
    return np.repeat(x, 3, -1) if x.shape[-1] == 1 else x[..., :3]


def _in_blocks(layers: dict, x: np.ndarray) -> np.ndarray:
    """float32 [N,2048] of images uint8 [N,H,W,C]. The last block is filled up, so that one size is compiled."""
    size = min(BLOCK, len(x))
    blocks = (np.resize(x[i:i + size], (size, *x.shape[1:])) for i in range(0, len(x), size))
    return np.concatenate([np.asarray(_inception_net.features(layers, _pixels(block))) for block in blocks])[:len(x)]
