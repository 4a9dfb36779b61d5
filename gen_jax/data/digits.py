"""scikit-learn's handwritten digits: 1,797 real 8x8 images that ship inside the package."""
import numpy as np
from ml_collections import ConfigDict
from PIL import Image
from sklearn.datasets import load_digits

from gen_jax.data._settings import COMMON, IMAGES
from gen_jax.data._source import labelled, split_off
from gen_jax.data._strokes import strokes
from gen_jax.settings import Settings
from gen_jax.types import Source

TEST_FRACTION = 0.2

hp = Settings(__name__, {**COMMON, **IMAGES})


def prepare_picture(hp: ConfigDict, shape: tuple[int, int, int], picture: Image.Image, name: str) -> np.ndarray:
    """A person's own drawing as these images are: its strokes, bright on black, fill the height or the width."""
    return strokes(picture, shape[0], shape[0], name)


def load(hp: ConfigDict, split: str) -> Source:
    """The "train" (1,438) or "test" (359) images, uint8 [N,8,8,1]: a fixed split with equal shares of each digit.

    The 17 grey levels 0..16 are spread over 0..255. Source: UCI's Optical Recognition of Handwritten Digits.
    """
    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    source = labelled(images, digits.target.astype(np.int32), tuple(str(digit) for digit in digits.target_names))
    return split_off(source, split, TEST_FRACTION)
