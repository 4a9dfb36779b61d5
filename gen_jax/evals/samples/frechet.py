"""How near samples are to real images in the eyes of a classifier: a Fréchet distance of its features.

Heusel et al., arXiv:1706.08500, with a classifier of the same data set in the place of Inception: no Inception score
and no FID, which it does not compare with, but it needs no download, and knows the classes at hand.
"""
from collections.abc import Iterator

import numpy as np
from absl import logging

from gen_jax.data import stratified_rows
from gen_jax.evals import Result, Trained
from gen_jax.judges.classifier import classifier
from gen_jax.judges.frechet_distance import frechet
from gen_jax.types import Metric

NEEDS = ("sample_prior", "decode", "labels", "kind:image")
METRICS = {
    "judge/frechet": Metric("squared distance", "lower", rank=1, of="samples", real="judge/frechet_real"),
    "judge/recognised": Metric("share", "higher", rank=2, of="samples", real="judge/recognised_real"),
    "judge/accuracy": Metric("share", "higher"),
}
SMOKE = False  # it trains a classifier
SAMPLES = 1000  # samples, and as many test images


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers, for as many samples as there are test images, at most 1,000; none if the data have a single class.

    judge/frechet, judge/frechet_real: distance of samples, of test images, to the training images; 0 is equal.
    judge/recognised, judge/recognised_real: the share that the classifier takes for the classes of this run's data, if
    they are not all that the data set has.
    judge/accuracy: of the classifier, on the test images of all classes.
    """
    if len(trained.test.x) < 2:
        logging.warning("frechet: left out, it takes two test images or more")
        return
    judge = classifier(trained.config.data)
    if len(judge.classes) < 2:
        logging.warning("frechet: left out, a classifier of one class has nothing to learn")
        return
    test = trained.test.x[stratified_rows(trained.test, SAMPLES)]
    samples = trained.draw(trained.key("frechet"), len(test))
    reference = judge.features(trained.train.x)
    wanted = [judge.classes.index(name) for name in trained.train.classes]
    for suffix, x in (("", samples), ("_real", test)):
        yield f"judge/frechet{suffix}", frechet(judge.features(x), reference)
        if len(wanted) < len(judge.classes):
            yield f"judge/recognised{suffix}", float(np.isin(judge.logits(x).argmax(-1), wanted).mean())
    yield "judge/accuracy", judge.accuracy
