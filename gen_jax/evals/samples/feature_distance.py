"""How near samples are to real images in features that need no labels: a Fréchet distance in fixed random features.

Measured on 800 photos, samples of a GAN come nearer with every record of their training, and blur, noise, few repeated
images and images upside down are farther than test images. It is no FID: it compares runs on one data set. It sees
textures, colours and edges more than shapes. Copies of training images would be rewarded: samples/copied tells of them.
"""
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from absl import logging

from gen_jax.data import stratified_rows, take
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals.samples._like import how_many
from gen_jax.judges import random_features
from gen_jax.judges.metrics import Cloud, frechet
from gen_jax.settings import Setting, Settings, at_least
from gen_jax.types import Metric

NEEDS = ("sample_prior", "decode", "kind:image")
METRICS = {
    "features/distance": Metric("squared distance", "lower", rank=3, of="samples", real="features/distance_real"),
    "features/distance*_std": Metric("standard error", of="samples"),
}
TRAINING = 5000  # training images, at most
RESAMPLES = 20  # of the bootstrap

hp = Settings(__name__, {"samples": Setting(500, "samples, and as many test images, at most", at_least(2))})


class Reference(NamedTuple):
    """Training images in their own space, and test images there."""

    space: random_features.Space
    train: Cloud  # [N,D]
    test: np.ndarray  # [M,D]


_REFERENCES: dict[tuple, Reference] = {}  # by the data's fingerprint and size: training asks for it again and again


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers, for as many samples as test images, evals.feature_distance.samples at most; none of a single image.

    features/distance, features/distance_real: of samples, of test images, to the training images; 0 is equal.
    features/distance_std, features/distance_real_std: their standard errors, by 20 bootstrap resamples.
    features/protocol: what was compared, in words; the network's hash is in it.
    """
    if min(len(trained.test.x), len(trained.train.x)) < 2:
        logging.log_first_n(logging.WARNING, "feature_distance: left out, it takes two training images and two test "
                            "images or more", 1)  # at the first record, not at each
        return
    reference = _reference(trained)
    samples = reference.space.project(trained.draw(trained.key("features"), len(reference.test)))
    digest = random_features.digest(trained.spec.x[-1])[:12]
    about = {"real": len(reference.train), "real_split": "train", "features": f"random:{digest}",
             "directions": samples.shape[1]}
    for suffix, split, values in (("", "samples", samples), ("_real", "test", reference.test)):
        protocol = about | how_many(split, len(values))
        yield f"features/distance{suffix}", Number(_distance(reference.train, values), protocol)
        yield f"features/distance{suffix}_std", Number(_standard_error(values, reference.train), protocol)
    yield "features/protocol", (
        f"{len(samples)} samples and as many test images against {len(reference.train)} training images, in "
        f"{samples.shape[1]} directions of random features {digest}")


def _reference(trained: Trained) -> Reference:
    num = trained.hp.feature_distance.samples
    key = trained.config.derived.data_fingerprint, num
    if key not in _REFERENCES:
        train = take(trained.train, stratified_rows(trained.train, TRAINING)).x
        test = take(trained.test, stratified_rows(trained.test, num)).x
        space = random_features.space(train)
        _REFERENCES.clear()
        _REFERENCES[key] = Reference(space, Cloud(space.project(train)), space.project(test))
    return _REFERENCES[key]


def _distance(reference: Cloud, values: np.ndarray) -> float:
    return frechet.measure(reference, Cloud(values))["FD"]


def _standard_error(values: np.ndarray, reference: Cloud) -> float:
    """Of the distance of values [N,D] to the reference, over resamples of the values."""
    random = np.random.RandomState(0)
    rows = random.randint(0, len(values), (RESAMPLES, len(values)))
    return float(np.std([_distance(reference, values[chosen]) for chosen in rows], ddof=1))
