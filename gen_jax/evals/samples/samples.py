"""Samples from the prior: the same latents every time, so that epochs compare."""
from collections.abc import Iterator
from math import isqrt

import numpy as np

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import about, titled
from gen_jax.settings import Must, Setting, Settings

NEEDS = ("sample_prior", "decode")
MAX_CLASSES = 32  # with a row of their own

hp = Settings(__name__, {
    "num": Setting(64, "how many samples, a square number",
                   Must(lambda num: 0 < num <= 10_000 and isqrt(num) ** 2 == num, "a square number up to 10,000")),
})


def evaluate(trained: Trained) -> Iterator[Result]:
    """The picture "samples", as the kind of data draws them: of images, a square.

    Of a model that conditions on the label, a row for each class. What is drawn while training goes on are the pixels
    themselves, of which samples_over_time cuts tiles; at the end they stand under a title.
    """
    num = trained.hp.samples.num
    columns, known = isqrt(num), {}
    if "label" in trained.objective.conditions:
        num_classes = min(len(trained.spec.classes), MAX_CLASSES)
        known["label"] = np.repeat(np.arange(num_classes, dtype=np.int32), columns)
        num = num_classes * columns
    picture = trained.picture(trained.draw(trained.key("samples"), num, trained.wanted(num, known)), columns)
    if trained.training:
        yield "samples", picture
    else:
        names = trained.spec.classes[:num_classes] if known else ()
        rows = f", a row for each of {num_classes} classes" if known else ""
        height, width = trained.tile_shape[:2] if trained.spec.kind.tile else (0, 0)
        size = f"{height} x {width} pixels each" if height else ""
        yield "samples", titled(picture, f"{num} samples{rows}\n{about(trained)}", size, names)
