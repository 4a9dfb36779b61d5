"""Stacked MNIST: three digits, drawn at random, are the channels of an image, which makes 1,000 modes of equal
probability, or nearly.

Metz et al. (arXiv:1611.02163) count modes with it; the number of images is that of PacGAN's Table 2 (Lin et al.,
arXiv:1712.04086). PacGAN draws its digits from all 70,000 images of MNIST; here those of "train" are of MNIST's
training split, and those of "test" of its test split. Any other set of grey images of TensorFlow Datasets with labels
can be stacked in the same way.
"""
import numpy as np
from ml_collections import ConfigDict

from gen_jax import data, memory
from gen_jax.data import tfds
from gen_jax.data._settings import COMMON, IMAGES
from gen_jax.data._source import labelled
from gen_jax.errors import UserError
from gen_jax.settings import Must, Setting, Settings
from gen_jax.types import Source

CHANNELS = 3
NUM_IMAGES = {"train": 128_000, "test": 26_000}

hp = Settings(__name__, {
    **COMMON, **IMAGES,
    "dataset": Setting("mnist", "TFDS's name of the set whose images, made grey, are stacked"),
    "data_dir": tfds.hp.settings["data_dir"],
    "seed": Setting(0, "of the random choice of digits", Must(lambda seed: 0 <= seed < 2**32,
                                                              "at least 0 and below 2**32")),
})


def load(hp: ConfigDict, split: str) -> Source:
    """Images uint8 [N,H,W,3], the same ones each time; a label is the three digits, "000" to "999".

    N: hp.num_train or hp.num_test, else 128,000 or 26,000. UserError where the set has no labels.
    """
    single = data.load(single_hp(hp), split)
    if single.labels is None:
        raise UserError(f"data.dataset={hp.dataset!r}: its images have no labels; choose another, mnist or "
                        "fashion_mnist say")
    num = {"train": hp.num_train, "test": hp.num_test}[split] or NUM_IMAGES[split]
    memory.check(num * CHANNELS * single.x[0].size, f"data: {num:,} stacked images", f"lower data.num_{split}")
    rows = np.random.RandomState([hp.seed, split == "test"]).randint(len(single.x), size=(num, CHANNELS))
    x = np.empty((num, *single.x.shape[1:3], CHANNELS), np.uint8)
    for channel in range(CHANNELS):
        x[..., channel] = single.x[rows[:, channel], ..., 0]
    return labelled(x, stacked(single.labels[rows], len(single.classes)), names(len(single.classes)))


def single_hp(hp: ConfigDict) -> ConfigDict:
    """config.data of the images that are stacked."""
    return tfds.hp(dataset=hp.dataset, data_dir=hp.data_dir, channels=1, cache=hp.cache, cache_dir=hp.cache_dir)


def stacked(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """int32 [N], the labels of stacked images, of those of their channels [N,3], each below num_classes."""
    return (labels @ num_classes ** np.arange(CHANNELS)[::-1]).astype(np.int32)


def names(num_classes: int) -> tuple[str, ...]:
    """The names of the stacked labels: the three digits, of which each has the same number of places."""
    places = len(str(num_classes - 1))
    digits = [f"{digit:0{places}}" for digit in range(num_classes)]
    return tuple(a + b + c for a in digits for b in digits for c in digits)
