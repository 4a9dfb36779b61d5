"""Distances between sets in features: closed forms, numbers worked out by hand, planted collapse, order."""
import subprocess
import sys
from dataclasses import replace

import jax
import numpy as np
import pytest

from configs import vae_digits
from gen_jax import experiment, memory
from gen_jax.data import Splits, take
from gen_jax.errors import UserError
from gen_jax.evals import Number, Trained
from gen_jax.evals.samples import quality
from gen_jax.find import find, names
from gen_jax.judges import classifier
from gen_jax.judges.features import Features
from gen_jax.judges.metrics import (
    Cloud,
    _pairs,
    density_coverage,
    frechet,
    inception_score,
    kid,
    precision_recall,
    sliced_wasserstein,
)
from gen_jax.parts import metric_of, quantity_and_split
from gen_jax.report.workdir import Workdir
from gen_jax.runs import trained_of


def normal(seed, num, dims=4, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, scale, (num, dims)).astype(np.float32)


def measured(real, fake):
    """Every metric's numbers."""
    real, fake = Cloud(real, 3 * real), Cloud(fake, 3 * fake)
    return {key: value for name in names("judges.metrics")
            for key, value in find("judges.metrics", name).measure(real, fake).items()}


# The Fréchet distance

def test_frechet_distance_of_normals_is_its_closed_form():
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of sets whose means and covariances are exactly those."""
    white = normal(0, 500).astype(np.float64)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(white.T)), (white - white.mean(0)).T).T
    a, b = np.random.default_rng(1).normal(size=(2, 4, 4))
    c, d = a @ a.T, b @ b.T
    product = np.sqrt(np.linalg.eigvals(c @ d).real).sum()
    found = frechet.measure(Cloud(white @ a.T), Cloud(white @ b.T + [1, 0, -2, 0]))["FD"]
    assert found == pytest.approx(5 + np.trace(c + d) - 2 * product, rel=1e-9)


def test_frechet_distance_is_exact_where_covariances_are_singular():
    """Of axes that are 0, and of fewer examples than features: of one's own copy it is 0, and moved it is the shift."""
    x = np.pad(normal(0, 300), ((0, 0), (0, 60))).astype(np.float64)
    few = normal(1, 30, dims=200).astype(np.float64)
    for points in (x, few):
        assert frechet.measure(Cloud(points), Cloud(points[::-1])) == {"FD": pytest.approx(0, abs=1e-10)}
        assert frechet.measure(Cloud(points), Cloud(points + 0.5))["FD"] == pytest.approx(points.shape[1] / 4, rel=1e-9)
    scaled = x * np.r_[1, 2, 3, 4, np.zeros(60)]
    mean = np.square(x.mean(0) * (np.r_[1, 2, 3, 4, np.zeros(60)] - 1)).sum()
    independent = np.cov(x[:, :4].T)
    scale = np.diag([1.0, 2, 3, 4])
    trace = 2 * np.sqrt(np.linalg.eigvals(independent @ scale @ independent @ scale).real).sum()
    assert frechet.measure(Cloud(x), Cloud(scaled))["FD"] == pytest.approx(
        mean + np.trace(independent) + np.trace(scale @ independent @ scale) - trace, rel=1e-9)


def test_both_ways_to_factor_a_covariance_agree():
    x = normal(0, 300, dims=20).astype(np.float64) * np.geomspace(1, 1e-3, 20)
    factor = frechet._factor(x)
    np.testing.assert_allclose(factor.T @ factor, x.T @ x, atol=1e-10)
    singular = np.concatenate([x, x[:, :3]], 1)
    factor = frechet._factor(singular)
    np.testing.assert_allclose(factor.T @ factor, singular.T @ singular, atol=1e-10)


def test_fewer_examples_than_features_are_refused():
    assert frechet.refuses(Cloud(np.zeros((50, 4))), Cloud(np.zeros((3, 4)))) == (
        "3 examples are fewer than the 4 features")
    assert not frechet.refuses(Cloud(np.zeros((50, 4))), Cloud(np.zeros((4, 4))))


# The kernel distance

def test_kid_is_its_definition():
    """A double sum over pairs: (x.y / D + 1)^3, no example with itself."""
    x, y = normal(0, 7), normal(1, 5, shift=0.5)

    def mean(a, b, same=False):
        return np.mean([(p.astype(float) @ q / 4 + 1) ** 3 for i, p in enumerate(a) for j, q in enumerate(b)
                        if not (same and i == j)])
    expected = mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y)
    assert kid.measure(Cloud(x), Cloud(y))["KID"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_kid_s_standard_error_is_its_spread_over_new_examples(shift):
    """Of sets that are alike, where only pairs vary, and of others, where each example does."""
    found = [kid.measure(Cloud(normal(2 * i, 50)), Cloud(normal(2 * i + 1, 80, shift=shift))) for i in range(200)]
    values, errors = (np.array([numbers[name] for numbers in found]) for name in ("KID", "KID_std"))
    ratio = np.sqrt(np.square(errors).mean()) / values.std(ddof=1)
    assert 0.85 < ratio < (1.15 if shift else 1.3), "of sets that are alike it may be too large, for it is never 0"
    if not shift:
        assert abs(values.mean()) < 3 * values.std() / np.sqrt(200), "it is unbiased"
        assert (np.abs(values) < 3 * errors).mean() > 0.98, "no error is far too small, or 0"


# The score of a classifier

def test_score_is_1_to_the_number_of_classes():
    def score(logits):
        return inception_score.measure(None, Cloud(None, np.asarray(logits, np.float32)))["score"]
    assert score(np.zeros((50, 10))) == pytest.approx(1), "it is never sure"
    assert score(np.tile([1000.0, 0, 0], (50, 1))) == pytest.approx(1), "it sees one class"
    assert score(1000 * np.eye(10).repeat(3, 0)) == pytest.approx(10), "it is sure, and sees all"
    p = np.array([[0.9, 0.1], [0.3, 0.7]])  # by hand: the mean is 0.6, 0.4
    by_hand = np.exp(np.mean([0.9 * np.log(1.5) + 0.1 * np.log(0.25), 0.3 * np.log(0.5) + 0.7 * np.log(1.75)]))
    assert score(np.log(p)) == pytest.approx(by_hand, rel=1e-6)


# Neighbours

def test_neighbours_worked_out_by_hand():
    """Real examples at 0, 1, ..., 9 reach 2 at the middle and 3 at the ends (third neighbour), and 3, 4, 5 (fifth)."""
    real = np.arange(10.0)[:, None]
    fake = np.array([-3.5, -3.0, 4.5, 4.5, 4.5, 4.5, 100.0, 101.0, 102.0, 103.0])[:, None]
    # In a real ball are -3 (at 0, which reaches 3) and the four at 4.5. The copies at 4.5 reach 0; -3.5 and -3 reach
    # 8; 100 and its like reach 3 or 2: the balls at -3.5 and -3 hold 0 to 4 and 0 to 5.
    assert precision_recall.measure(Cloud(real), Cloud(fake)) == {"precision": 0.5, "recall": 0.5}
    # Balls with radii 5, 4, 3, 3, 3, 3, 3, 3, 4, 5. -3.5 is in that of 0, -3 in those of 0 and 1; 4.5 is in all ten.
    assert density_coverage.measure(Cloud(real), Cloud(fake)) == {"density": (1 + 2 + 4 * 10) / 50, "coverage": 1.0}


def test_of_fresh_examples_of_one_distribution_density_and_coverage_are_what_naeem_et_al_derive():
    """1, and 1 less the chance that no fake example is among the nearest (arXiv:2002.09797, lemmas 1 and 2)."""
    found = [density_coverage.measure(Cloud(normal(2 * i, 200)), Cloud(normal(2 * i + 1, 300))) for i in range(10)]
    density, coverage = (np.mean([numbers[name] for numbers in found]) for name in ("density", "coverage"))
    missed = np.prod([(200 - i) / (200 + 300 - i) for i in range(1, 6)])
    assert density == pytest.approx(1, abs=0.05) and coverage == pytest.approx(1 - missed, abs=0.005)


def test_a_collapse_costs_recall_and_noise_costs_precision():
    real = np.concatenate([normal(0, 300), normal(1, 300, shift=8)])
    one_mode, spread = normal(2, 600), np.concatenate([real[::2] + 0.01, normal(3, 300, scale=40)])
    of_collapse, of_noise = (measured(real, fake) for fake in (one_mode, spread))
    assert of_collapse["precision"] > 0.9 and of_collapse["recall"] < 0.55 and of_collapse["coverage"] < 0.55
    assert of_noise["recall"] > 0.9 and of_noise["precision"] < 0.55 and of_noise["coverage"] > 0.9
    point = measured(real, np.repeat(real[:1], 600, 0) + normal(4, 600, scale=1e-3))
    assert point["precision"] == 1 and point["recall"] < 0.05 and point["coverage"] < 0.05 and point["density"] >= 1


def test_identical_and_disjoint_sets():
    x = normal(0, 200)
    same, apart = measured(x, x.copy()), measured(x, x + 1000)
    assert same["precision"] == same["recall"] == same["coverage"] == 1 and same["density"] == pytest.approx(1.2)
    assert same["FD"] == pytest.approx(0, abs=1e-9) and same["SWD"] == 0 and same["KID"] < 0
    assert apart["precision"] == apart["recall"] == apart["coverage"] == apart["density"] == 0
    assert apart["FD"] == pytest.approx(4e6, rel=1e-4)


# The sliced Wasserstein distance

def test_sliced_wasserstein_of_a_shift_and_of_unlike_sizes():
    """A shift s in D dimensions is s.w along w, of which the mean square is |s|^2 / D."""
    x = normal(0, 400, dims=3)
    shift = sliced_wasserstein.measure(Cloud(x), Cloud(x + np.float32([3, 0, 0])))["SWD"]
    assert shift == pytest.approx(np.sqrt(3), rel=0.1)
    line, other = np.array([[0.0], [1.0]]), np.array([[0.0], [0.0], [3.0]])
    assert sliced_wasserstein.measure(Cloud(line), Cloud(other))["SWD"] == pytest.approx(
        np.sqrt(1 / 6 * 1 + 1 / 3 * 4)), "from 1/2 to 2/3 it is 1 against 0, then 1 against 3"
    assert sliced_wasserstein.measure(Cloud(x), Cloud(np.repeat(x, 3, 0)))["SWD"] == pytest.approx(0, abs=1e-6)


# All of them

def test_neither_order_nor_the_size_of_blocks_changes_digits(monkeypatch):
    real, fake = normal(0, 257, dims=12), normal(1, 190, dims=12, shift=0.2)
    real[5], fake[7] = real[6], real[8]  # ties
    first = measured(real, fake)
    monkeypatch.setattr(_pairs, "BLOCK", 37)
    for seed in range(3):
        random = np.random.default_rng(seed)
        again = measured(random.permutation(real), random.permutation(fake))
        assert again == {name: pytest.approx(value, rel=1e-9, abs=1e-12) for name, value in first.items()}


LARGE = """
import resource
import numpy as np
from gen_jax.find import find, names
from gen_jax.judges.metrics import Cloud
clouds = [Cloud(x := np.random.default_rng(seed).normal(0, np.linspace(0.2, 1, 2048), (10_000, 2048)).astype("f"), x)
          for seed in range(2)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
for name in names("judges.metrics"):
    find("judges.metrics", name).measure(*clouds)
used = resource.getrusage(resource.RUSAGE_SELF)
print(used.ru_utime - before, used.ru_maxrss)
"""


@pytest.mark.slow
def test_ten_thousand_in_2048_dimensions_take_a_minute_and_2_gb():
    """On two quiet cores; process time, so that a busy machine counts less. The process has no other peak."""
    pytest.importorskip("resource")
    seconds, kilobytes = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True
                                        ).stdout.split()
    assert float(seconds) < 120 and int(kilobytes) < 2e6


# The eval

@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    config = vae_digits.get_config()
    config.model.widths = (8,)
    config.evals.quality = quality.hp(features=("values",), samples=200, reference=200)
    built = experiment.build(config)
    return trained_of(built, built.begin(trains=False).state, Workdir(tmp_path_factory.mktemp("none")), [])


@pytest.fixture
def trained(untrained):
    """An untrained VAE of digits, with settings of its own."""
    return replace(untrained, config=untrained.config.copy_and_resolve_references())


@pytest.fixture
def noisy(monkeypatch):
    """Its samples are test images with noise."""
    def draw(self, key, num, given=None):
        x = self.test_x[np.arange(num) % len(self.test_x)]
        return x + np.random.default_rng(0).normal(0, 0.3, x.shape).astype(np.float32)
    monkeypatch.setattr(Trained, "draw", draw)


def test_quality_names_its_numbers_and_says_how_they_were_measured(trained, noisy):
    found = dict(quality.evaluate(trained))
    assert all(isinstance(number, Number) for number in found.values())
    assert found["FD[values]/samples"].value > 3 * found["FD[values]/test"].value
    about = {"real": 200, "real_split": "train", "features": "values"}
    assert found["FD[values]/samples"].protocol == about | {"fake": 200}
    assert found["recall[values]/test"].protocol == about | {"in_place_of_samples": 200, "of_split": "test",
                                                             "neighbours": 3}
    for name in found:
        metric = metric_of(quantity_and_split(name)[0], quality.METRICS)
        assert metric.unit and quantity_and_split(name)[1] in ("samples", "test")
    assert metric_of("FD[values]", quality.METRICS).rank == 1 and metric_of("FD[values]{7}", quality.METRICS).rank == 0
    assert quantity_and_split("FD[values]{train}/samples") == ("FD[values]{train}", "samples")
    assert [quantity_and_split(name) for name in ("test/kl", "kl/test")] == [("kl", "test")] * 2


def test_only_the_original_s_features_give_a_fid(trained, noisy, monkeypatch):
    def found(official):
        features = Features("net:123", lambda x: (x.reshape(len(x), -1), x.reshape(len(x), -1)[:, :10]), official)
        monkeypatch.setattr(quality, "_features", lambda trained: [features])
        return {name.removesuffix("/samples") for name, _ in quality.evaluate(trained) if name.endswith("/samples")}
    assert {"FID", "KID", "KID_std", "IS", "precision[net:123]"} <= found(True)
    assert {"FD[net:123]", "KID[net:123]", "score[net:123]"} <= (others := found(False))
    assert not {"FID", "KID", "IS"} & others


@pytest.mark.parametrize("name", ["random", "values"])
def test_features_of_an_example_do_not_depend_on_the_others(trained, name):
    of = find("judges.features", name).features(trained.config, trained.spec, trained.hp.quality).of
    found = of(trained.test.x[:7])
    assert found.dtype == np.float32 and len(found) == 7
    np.testing.assert_allclose(of(trained.test.x[3:4]), found[3:4], rtol=1e-5, atol=1e-6)


def test_samples_that_are_not_finite_are_refused(trained):
    broken = replace(trained, vars=jax.tree.map(lambda array: np.nan * array, trained.vars))
    with pytest.raises(UserError, match="7 of 7 samples have values that are not finite: .*earlier --checkpoint"):
        broken.draw(jax.random.key(0), 7)


def test_too_few_examples_leave_a_metric_out_with_a_line(trained, noisy, monkeypatch):
    lines = []
    monkeypatch.setattr(quality.logging, "warning", lambda text, *args: lines.append(text % args))
    trained.config.unlock()
    trained.hp.quality.samples = 5
    found = dict(quality.evaluate(trained))
    assert "KID[values]/samples" in found and not any(name.startswith(("FD", "density")) for name in found)
    assert "precision[values]/samples" in found
    assert lines == ["quality: density[values], coverage[values] left out, it takes 6 examples or more",
                     "quality: FD[values] left out, 5 examples are fewer than the 64 features; measure it all the same "
                     "with --config.evals.quality.allow_few"]
    trained.hp.quality.allow_few = True
    assert dict(quality.evaluate(trained))["FD[values]/samples"].value > 0


def test_what_a_person_should_know_of_the_numbers_is_said(trained, noisy, monkeypatch):
    lines = []
    monkeypatch.setattr(quality.logging, "warning", lambda text, *args: lines.append(text % args))
    trained.config.unlock()
    trained.hp.quality.per_class = trained.config.data.binarize = True
    dict(quality.evaluate(trained))
    assert [line.split(",")[0] for line in lines] == ["quality: per_class has no effect",
                                                      "quality: samples are a decoder's means"]
    monkeypatch.setattr(memory, "of_machine", lambda: 100_000)
    with pytest.raises(UserError, match=r"quality of 200 examples in values \(64 numbers each\) would take 610 kB"):
        dict(quality.evaluate(trained))


def test_a_classifier_that_has_learnt_nothing_or_that_has_nothing_to_learn(trained, monkeypatch):
    lines = []
    monkeypatch.setattr(classifier.logging, "warning", lambda text, *args: lines.append(text % args))
    guess = classifier.Classifier(None, tuple("0123456789"), 0.12, "")
    monkeypatch.setattr(classifier, "classifier_of", lambda *args: guess)
    assert classifier.classifier(trained.config.data) is guess
    assert "names 12% of the test images right, and who says the same of all 10%" in lines[0]
    monkeypatch.setattr(classifier.data, "load", lambda hp, split: trained.test._replace(names={"label": ("0",)}))
    assert find("judges.features", "classifier").features(trained.config, trained.spec, None) is None


def test_features_that_data_cannot_have_are_refused_before_a_run():
    config = vae_digits.get_config()
    config.data.name = "digits"
    config.evals.end = ("quality",)
    config.evals.quality = quality.hp(features=("values", "pixel"))
    with pytest.raises(UserError, match="evals.quality.features: .*there is no 'pixel'"):
        experiment.build(config)


def test_of_each_class_where_the_model_is_given_it(trained, noisy, monkeypatch):
    monkeypatch.setattr(type(trained.objective), "conditions", ("label",))
    trained.config.unlock()
    trained.hp.quality.per_class = True
    found = dict(quality.evaluate(trained))
    assert found["precision[values]{3}/test"].value > 0.5
    assert found["precision[values]{3}/samples"].value < 0.5, "test images in turn are not the threes asked for"
    assert found["KID[values]{3}/test"].protocol["real"] == pytest.approx(20, abs=2)
    assert not any(name.startswith("score") for name in found)


def test_a_model_is_given_classes_in_the_shares_of_the_data_and_draws_as_many_as_are_asked_for(trained, monkeypatch):
    monkeypatch.setattr(type(trained.objective), "conditions", ("label",))
    asked = {}
    monkeypatch.setattr(Trained, "draw", lambda self, key, num, given: asked.update(given) or self.test_x[:1].repeat(
        num, 0))
    trained.config.unlock()
    few = np.flatnonzero(np.isin(trained.test.labels, (0, 1)))[:60]
    test = take(trained.test, few[(trained.test.labels[few] == 1) | (few % 2 == 0)])
    trained.data, trained.hp.quality.samples = Splits({"train": trained.train, "test": test}.get), 500
    found = dict(quality.evaluate(trained))
    shares = np.bincount(test.labels) / len(test.x)
    np.testing.assert_allclose(np.bincount(asked["label"]) / 500, shares, atol=1 / 500)
    assert shares[1] > 1.2 * shares[0] and found["KID[values]/samples"].protocol["fake"] == 500
    assert found["KID[values]/test"].protocol["in_place_of_samples"] == len(test.x)
