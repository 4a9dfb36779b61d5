"""What tests of data sets share: one is loaded, one is refused, one picture is written."""
from pathlib import Path

import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image

from gen_jax import data
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.types import Source


def config(name: str = "digits", **changes) -> ConfigDict:
    """config.data of one data set, with some settings changed and no cache."""
    changes = {"cache": False} | changes
    return find("data", name).hp(**{key: str(value) if isinstance(value, Path) else value
                                    for key, value in changes.items()})


def both(**changes) -> tuple[Source, Source]:
    return tuple(data.load(config(**changes), split) for split in ("train", "test"))


def refusal(split: str = "train", **changes) -> str:
    """The one line that the user gets."""
    with pytest.raises(UserError) as caught:
        data.load(config(**changes), split)
    (line,) = caught.value.args
    assert "\n" not in line
    return line


def save(path: Path, shape=(4, 6, 3), value=0, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full(shape, value, np.uint8)
    Image.fromarray(pixels).save(path, **options)
