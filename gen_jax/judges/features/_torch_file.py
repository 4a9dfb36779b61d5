"""Arrays of a file that torch.save wrote of a state dict, read without torch; nothing in the file is executed.

torch.save has written two formats: a zip archive (from PyTorch 1.6 on), and before it pickles in a row, followed by the
bytes of the arrays. In both a pickle says which arrays there are, and a pickle may name any function of Python to be
called. Here it may name two things, and any other ends the reading: the dict that holds the arrays, and _tensor below,
which notes where an array lies. That is checked against the size of what is there before anything is read.
"""
import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of the older format
DTYPES = {"DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "LongStorage": "<i8",
          "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?"}


class Tensor(NamedTuple):
    """Where an array lies: in the storage of this key, from element offset on, in steps of strides elements."""

    key: str
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def within(self, storage: bytes) -> np.ndarray:
        """The array, copied. Raises ValueError where it would reach outside of the storage."""
        values = np.frombuffer(storage, self.dtype)
        numbers = (self.offset, *self.shape, *self.strides)
        last = self.offset + sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        if min(numbers) < 0 or math.prod(self.shape) > len(values) or last >= len(values):
            raise ValueError(f"an array of shape {self.shape} lies outside of the {len(values)} numbers kept for it")
        steps = [stride * values.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(values[self.offset:], self.shape, steps).copy()


def read(path: Path) -> dict[str, np.ndarray]:
    """The arrays by name. Raises ValueError where path is no state dict, or a damaged one; OSError."""
    try:
        with open(path, "rb") as file:
            tensors, storages = (_archive if zipfile.is_zipfile(file) else _stream)(file)
        return {name: tensor.within(storages[tensor.key]) for name, tensor in tensors.items()}
    except OSError:
        raise
    except Exception as error:  # whatever a stranger's file holds
        raise ValueError(str(error) or type(error).__name__) from error


def _archive(file: BinaryIO) -> tuple[dict[str, Tensor], Mapping[str, bytes]]:
    """Tensors by name and storages by key, of the zip format. The checksum of each member is compared."""
    archive = zipfile.ZipFile(file)
    index = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
    if index is None:
        raise ValueError("an archive without data.pkl")
    tensors = _tensors(_Unpickler(io.BytesIO(archive.read(index))).load())
    folder = index.removesuffix("data.pkl") + "data/"
    return tensors, {key: archive.read(folder + key) for key in {tensor.key for tensor in tensors.values()}}


def _stream(file: BinaryIO) -> tuple[dict[str, Tensor], Mapping[str, bytes]]:
    """Tensors by name and storages by key, of the format before: five pickles, then each storage after its length."""
    file.seek(0)
    if _Unpickler(file).load() != MAGIC:
        raise ValueError("no file of torch.save")
    _protocol, _machine = _Unpickler(file).load(), _Unpickler(file).load()
    index = _Unpickler(file)
    tensors = _tensors(index.load())
    return tensors, {key: _storage(file, np.dtype(index.dtypes[key])) for key in _Unpickler(file).load()}


def _storage(file: BinaryIO, dtype: np.dtype) -> bytes:
    """The bytes that follow: as many numbers as the first eight say."""
    size = int.from_bytes(file.read(8), "little") * dtype.itemsize
    content = file.read(size)
    if len(content) < size:
        raise ValueError("it ends too early")
    return content


def _tensors(found: object) -> dict[str, Tensor]:
    if not isinstance(found, dict):
        raise ValueError(f"a {type(found).__name__} in the place of named arrays")
    return {name: value for name, value in found.items() if isinstance(value, Tensor)}


class _Unpickler(pickle.Unpickler):
    """Knows what a state dict is made of and nothing else. dtypes: of the storages, by key, once it has loaded."""

    def __init__(self, file: BinaryIO):
        super().__init__(file)
        self.dtypes: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> object:
        if module == "torch" and name in DTYPES:
            return DTYPES[name]
        known = {("collections", "OrderedDict"): OrderedDict, ("torch._utils", "_rebuild_tensor_v2"): self._tensor}
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which named arrays do not need")
        return known[module, name]

    def persistent_load(self, place: tuple) -> str:
        """The key of a storage. place: "storage", dtype, key, device, number of elements, in older files a view."""
        _, dtype, key, *_ = place
        self.dtypes[key] = dtype
        return key

    def _tensor(self, key: str, offset: int, shape: tuple, strides: tuple, *_: object) -> Tensor:
        return Tensor(key, self.dtypes[key], int(offset), tuple(map(int, shape)), tuple(map(int, strides)))
