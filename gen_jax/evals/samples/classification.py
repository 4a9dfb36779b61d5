"""Whether a model that is given the label draws what the label says, and all that there is of it: classifiers tell.

A classifier that learns from labelled samples and is tested on real images finds what samples lack, in quality and in
variety: the classification accuracy score of Ravuri & Vinyals (arXiv:1905.10887), GAN-train of Shmelkov et al.
(arXiv:1807.09499). A classifier that learns from real images and is tested on samples finds how many show their label:
GAN-test. Copies of training images would be rewarded by both: memorisation tells of them.
"""
from collections.abc import Iterator

import numpy as np
from absl import logging

from gen_jax import data
from gen_jax.data import stratified_rows, take
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals.samples._like import stored_like
from gen_jax.judges.classifier import Classifier, classifier_of
from gen_jax.settings import Setting, Settings, at_least, placeholder
from gen_jax.types import Metric, Source

NEEDS = ("sample_prior", "decode", "labels", "kind:image", "conditions:label")
METRICS = {
    "cas": Metric("share of test images named right", "higher", rank=1, of="samples", real="cas/train"),
    "label_accuracy": Metric("share whose label a classifier sees", "higher", rank=2, of="samples",
                             real="label_accuracy/test"),
}
SMOKE = False  # it trains two classifiers
WORST = 3  # classes that are named

hp = Settings(__name__, {
    "samples": Setting(placeholder(int), "samples, and as many training images, that a classifier learns from; unset: "
                       "as many as there are training images", at_least(2)),
})


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers, of two classifiers of one net and recipe, each of which learns from as many images with the same labels;
    none if the data have a single class.

    cas/samples, cas/train: the share of the test images that they name right, the one that has learnt from samples and
    the one that has learnt from training images.
    label_accuracy/samples, label_accuracy/test: the share of the samples, and of the test images, whose label is seen
    by the one that has learnt from training images.
    cas/classes: a sentence, which classes lose the most by learning from samples.
    """
    if len(trained.train.classes) < 2:
        logging.warning("classification: left out, a classifier of one class has nothing to learn")
        return
    rows = stratified_rows(trained.train, trained.hp.classification.samples or len(trained.train.x))
    real = take(trained.train, rows)
    x = stored_like(trained, trained.key("classification"), trained.train, rows)
    folder = data.cache_folder(trained.config.data)
    of_real = classifier_of(real, trained.test, folder)
    of_fake = classifier_of(real._replace(x=x), trained.test, folder, keep=False)  # no other run has these samples
    tested = {"real": len(trained.test.x), "real_split": "test", "learnt_from": len(rows)}
    seen = float((of_real.logits(x).argmax(-1) == real.labels).mean())
    yield "cas/samples", Number(of_fake.accuracy, tested | {"fake": len(rows)})
    yield "cas/train", Number(of_real.accuracy, tested)
    yield "label_accuracy/samples", Number(seen, {"fake": len(rows), "judge": of_real.key[:6]})
    yield "label_accuracy/test", Number(of_real.accuracy, tested | {"judge": of_real.key[:6]})
    yield "cas/classes", losers(trained.test, of_fake, of_real)


def losers(test: Source, of_fake: Classifier, of_real: Classifier) -> str:
    """In words, the classes of which the first classifier names the fewest test images right beside the second."""
    (fake, real), known = (by_class(test, judge) for judge in (of_fake, of_real)), np.unique(test.labels)
    worst = known[np.argsort((fake - real)[known], kind="stable")][:WORST]
    return "trained on samples, in brackets on real images: " + ", ".join(
        f"{test.classes[label]}: {fake[label]:.0%} ({real[label]:.0%})" for label in worst)


def by_class(test: Source, judge: Classifier) -> np.ndarray:
    """The share of the test images of each class that the classifier names right, [K]; 0 of a class without any."""
    right = judge.logits(test.x).argmax(-1) == test.labels
    count, of_right = (np.bincount(labels, minlength=len(test.classes)) for labels in (test.labels,
                                                                                        test.labels[right]))
    return of_right / np.maximum(count, 1)
