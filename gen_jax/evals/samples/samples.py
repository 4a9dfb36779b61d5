"""Samples from the prior: the same latents every time, so that epochs compare."""
from collections.abc import Iterator
from math import isqrt

import numpy as np

from gen_jax.evals import Result, Trained
from gen_jax.settings import Must, Setting, Settings

NEEDS = ("sample_prior", "decode")
MAX_CLASSES = 32  # with a row of their own

hp = Settings(__name__, {
    "num": Setting(64, "how many samples, a square number",
                   Must(lambda num: 0 < num <= 10_000 and isqrt(num) ** 2 == num, "a square number up to 10,000")),
})


def evaluate(trained: Trained) -> Iterator[Result]:
    """The picture "samples", as the kind of data draws them: of images, a square.

    Of a model that conditions on the label, a row for each class.
    """
    num = trained.hp.samples.num
    columns, known = isqrt(num), {}
    if "label" in trained.objective.conditions:
        num_classes = min(len(trained.spec.classes), MAX_CLASSES)
        known["label"] = np.repeat(np.arange(num_classes, dtype=np.int32), columns)
        num = num_classes * columns
    yield "samples", trained.picture(trained.draw(trained.key("samples"), num, trained.wanted(num, known)), columns)
