"""What classifiers say of models that are given the label, against models whose samples are planted."""
from pathlib import Path

import numpy as np
import pytest
from _planted import measured, planted, splits_of

from gen_jax.data import Source, labelled, made_up, splits
from gen_jax.evals import in_words, lacks, needs
from gen_jax.evals.samples import classes_covered, classification
from gen_jax.evals.samples._coverage import covered, reverse_kl
from gen_jax.judges import classifier
from gen_jax.judges.classifier import Classifier
from gen_jax.parts import complete

NUM = 512  # training images
DIGITS = np.arange(10)


@pytest.fixture(scope="module")
def hp(tmp_path_factory):
    """Made-up images, and a cache of their own."""
    return made_up.hp(cache_dir=str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def scores(hp, monkeypatch):
    """scores(order): of a model whose sample for the label of training image i is training image order[i]."""
    for name, value in {"WIDTHS": (8, 16, 16), "STEPS": 40, "RATE": 0.02}.items():
        monkeypatch.setattr(classifier, name, value)

    def of(order):
        found = splits(hp)
        return measured("classification", planted(found.train.x[order].astype(np.float32) / 255, found, hp, ["label"]))
    return of


def test_images_of_the_wanted_classes_score_as_training_images(scores, monkeypatch):
    found = scores(np.arange(NUM))
    assert found["cas/samples"] == found["cas/train"] == found["label_accuracy/test"] > 0.7
    assert found["label_accuracy/samples"] > 0.7
    monkeypatch.setattr(classifier, "_train", lambda *args: pytest.fail("trained again"))
    assert scores(np.arange(NUM)) == found, "the second time it is read"


def test_images_of_any_class_score_at_chance(scores, hp):
    kept = [*Path(hp.cache_dir).rglob("judge-*")]
    found = scores(np.random.RandomState(0).permutation(NUM))
    assert [*Path(hp.cache_dir).rglob("judge-*")] == kept, "what learns from samples is not kept"
    assert found["cas/samples"] < 0.25 and found["label_accuracy/samples"] < 0.15
    assert found["cas/train"] > 0.7, "real images do not suffer"
    assert found["cas/classes"].count("%") == 6


def test_it_is_asked_only_of_models_that_are_given_the_label(hp):
    found = splits(hp)
    free, bound = (planted(found.train.x, found, hp, given) for given in ((), ("label",)))
    assert in_words(lacks(needs("classification"), free)) == "this run's model is not given the label"
    assert not lacks(needs("classification"), bound)


def brightness(*args) -> Classifier:
    """A classifier that knows class k by stored pixels of k / 9 of the whole range."""
    def logits(x):
        return -np.abs(x.mean((1, 2, 3))[:, None] * 9 / 255 - DIGITS[None])
    return Classifier(lambda x: (x, logits(x)), tuple("0123456789"), 1.0, "planted")


def bright(labels) -> Source:
    """Images 2x2 that brightness takes for these classes."""
    pixels = np.round(np.asarray(labels) * 255 / 9).astype(np.uint8)
    return labelled(np.broadcast_to(pixels[:, None, None, None], (len(pixels), 2, 2, 1)).copy(),
                    np.asarray(labels, np.int32), tuple("0123456789"))


def test_classes_are_counted_and_weighed(hp, monkeypatch):
    monkeypatch.setattr(classes_covered, "classifier", brightness)
    data = splits_of(bright(np.arange(1000) % 10), bright(np.arange(200) % 10))

    def model(labels):
        return planted(bright(labels).x / 255, data, hp)
    even, one, half = (measured("classes_covered", model(labels)) for labels in (DIGITS, [7], DIGITS[:5]))
    assert even["classes/covered/samples"] == even["classes/covered/test"] == 10
    assert even["classes/reverse_kl/samples"] == pytest.approx(0, abs=1e-12)
    assert one["classes/covered/samples"] == 1
    assert one["classes/reverse_kl/samples"] == pytest.approx(np.log(10))
    assert (half["classes/covered/samples"], half["classes/covered/test"]) == (5, 10)
    assert half["classes/reverse_kl/samples"] == pytest.approx(np.log(2))
    complete((trained := model(DIGITS)).config, ("classes_covered",))
    told = {name: number.protocol for name, number in classes_covered.evaluate(trained)}
    assert told["classes/covered/samples"] == {"fake": 200, "judge": "plante"}
    assert told["classes/covered/test"] == {"in_place_of_samples": 200, "of_split": "test", "judge": "plante"}


def test_reverse_kl_is_its_closed_form_and_has_its_known_bias():
    assert reverse_kl(np.array([3, 1]), np.array([0.5, 0.5])) == pytest.approx(0.75 * np.log(1.5) + 0.25 * np.log(0.5))
    assert reverse_kl(np.array([0, 4]), np.array([1, 3])) == pytest.approx(np.log(4 / 3))
    assert reverse_kl(np.array([1, 1]), np.array([1, 0])) == np.inf
    counts = np.random.default_rng(0).multinomial(26_000, np.full(1000, 1e-3))
    assert covered(counts) == 1000 and reverse_kl(counts) == pytest.approx(999 / 52_000, rel=0.15)


def test_one_class_is_nothing_to_learn(hp):
    one = splits_of(*(labelled(source.x, np.zeros(len(source.x), np.int32), ("0",))
                      for source in (splits(hp).train, splits(hp).test)))
    for name in (classification.hp.name, classes_covered.hp.name):
        assert not measured(name, planted(one.train.x, one, hp, ["label"]))
