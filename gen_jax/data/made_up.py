"""Made-up images for trying things out: ten classes, each a blob at its own place on a circle, under noise."""
import numpy as np
from ml_collections import ConfigDict

from gen_jax import memory
from gen_jax.data._settings import COMMON, IMAGES
from gen_jax.data._source import labelled
from gen_jax.settings import Must, Setting, Settings
from gen_jax.types import Source

NUM_CLASSES = 10
NUM_IMAGES = {"train": 512, "test": 128}
SHAPE = Must(lambda shape: len(shape) == 3 and min(shape) > 0 and shape[2] in (1, 3, 4),
             "(height, width, channels), of 1, 3 or 4 channels")

hp = Settings(__name__, {
    **COMMON, **IMAGES,
    "shape": Setting((8, 8, 1), "(height, width, channels)", SHAPE),
})


def load(hp: ConfigDict, split: str) -> Source:
    """Random images uint8 [N, *hp.shape], the same ones each time. N: hp.num_train or hp.num_test, else 512 or 128.

    A label says where the blob is, and in colour images also which channels it lights; a nearest mean finds it.
    """
    height, width, channels = hp.shape
    count = {"train": hp.num_train, "test": hp.num_test}[split] or NUM_IMAGES[split]
    memory.check(count * height * width * (8 * channels + 16), f"data: {count:,} images of {height}x{width}x{channels}",
                 f"lower data.num_{split} or data.shape")
    random = np.random.RandomState(["train", "test"].index(split))
    labels = random.permutation(count) % NUM_CLASSES
    angle = 2 * np.pi * labels / NUM_CLASSES
    centre = 0.5 + 0.28 * np.stack([np.sin(angle), np.cos(angle)], 1) + random.normal(0, 0.02, (count, 2))
    y = (np.arange(height) + 0.5) / height - centre[:, :1]
    x = (np.arange(width) + 0.5) / width - centre[:, 1:]
    blob = np.exp(-(y[:, :, None] ** 2 + x[:, None, :] ** 2) / (2 * 0.12 ** 2))
    colour = 0.6 + 0.4 * np.cos(angle[:, None] + 2 * np.pi * np.arange(channels) / channels)
    images = 230 * blob[..., None] * colour[:, None, None, :] + random.uniform(0, 25, (count, *hp.shape))
    return labelled(images.astype(np.uint8), labels.astype(np.int32), tuple(map(str, range(NUM_CLASSES))))
