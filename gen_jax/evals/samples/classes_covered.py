"""Which classes the samples cover, and how evenly, in the eyes of a classifier of the data set."""
from collections.abc import Iterator

import numpy as np
from absl import logging

from gen_jax.data import stratified_rows
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals.samples._coverage import covered, reverse_kl
from gen_jax.evals.samples._like import how_many, stored_like
from gen_jax.judges.classifier import classifier
from gen_jax.settings import POSITIVE, Setting, Settings
from gen_jax.types import Metric

NEEDS = ("sample_prior", "decode", "labels", "kind:image")
METRICS = {
    "classes/covered": Metric("classes", "higher", rank=3, of="samples", real="classes/covered/test"),
    "classes/reverse_kl": Metric("nats", "lower", rank=2, of="samples", real="classes/reverse_kl/test"),
}
SMOKE = False  # it trains a classifier

hp = Settings(__name__, {"samples": Setting(10_000, "test images, and as many samples, at most", POSITIVE)})


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers, for as many samples as test images; none if the data have a single class.

    Of the run's classes, the one that the classifier finds the most probable counts.
    classes/covered/samples, classes/covered/test: classes in which there are samples, test images.
    classes/reverse_kl/samples, classes/reverse_kl/test: KL of their shares from those of the training labels, in nats.
    """
    if len(trained.train.classes) < 2:
        logging.warning("classes_covered: left out, there is one class")
        return
    judge = classifier(trained.config.data)
    wanted = [judge.classes.index(name) for name in trained.train.classes]
    rows = stratified_rows(trained.test, trained.hp.classes_covered.samples)
    training = np.bincount(trained.train.labels, minlength=len(wanted))
    samples = stored_like(trained, trained.key("classes_covered"), trained.test, rows)
    for split, x in (("samples", samples), ("test", trained.test.x[rows])):
        counts = np.bincount(judge.logits(x)[:, wanted].argmax(-1), minlength=len(wanted))
        protocol = {**how_many(split, len(x)), "judge": judge.key[:6]}
        yield f"classes/covered/{split}", Number(covered(counts), protocol)
        yield f"classes/reverse_kl/{split}", Number(reverse_kl(counts, training), protocol)
