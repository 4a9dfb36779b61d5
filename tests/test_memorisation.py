"""The test for copies against known answers: copies, fresh draws, and samples that are too far away."""
from types import SimpleNamespace

import numpy as np
import pytest
from _planted import measured, planted, splits_of
from scipy import stats

from configs import base
from gen_jax.data import digits, points, splits, take
from gen_jax.evals.samples import _features, memorisation
from gen_jax.judges import copying as judge
from gen_jax.judges.copying import Cell, combined, copying, nearest_share
from gen_jax.judges.features import Features


def normal(seed, num, scale=1.0):
    return scale * np.random.default_rng(seed).standard_normal((num, 2))


DIGITS = digits.hp()
SPLITS = splits(DIGITS)


def unit(x):
    """Images as models see them."""
    return x.astype(np.float32) / 255


def test_planted_copies_are_found_in_images():
    noise = np.random.default_rng(0).normal(0, 0.02, (359, 8, 8, 1))
    copies = planted((unit(SPLITS.train.x[:359]) + noise).clip(0, 1).astype(np.float32), SPLITS, DIGITS)
    found = measured("memorisation", copies)
    assert found["memorisation/p_value"] < 1e-6 and found["memorisation/nearer"] > 0.95
    assert found["memorisation/nearest"] > 0.9 and found["memorisation/verdict"].startswith("nearer: ")


def test_images_as_the_test_images_are_and_images_of_noise_are_no_copies():
    same = measured("memorisation", planted(unit(SPLITS.test.x[::-1]), SPLITS, DIGITS))
    assert same["memorisation/z"] == pytest.approx(0, abs=1e-9) and same["memorisation/p_value"] == pytest.approx(0.5)
    assert same["memorisation/verdict"].startswith("as near: ")
    assert "no more than by chance. If all others are as test examples are" in same["memorisation/verdict"]
    uniform = np.random.default_rng(0).uniform(size=(359, 8, 8, 1)).astype(np.float32)
    noise = measured("memorisation", planted(uniform, SPLITS, DIGITS))
    assert noise["memorisation/p_value"] > 1 - 1e-6 and noise["memorisation/verdict"].startswith("farther: ")
    assert "A few copies among samples that are so far away would not show" in noise["memorisation/verdict"]


def test_a_few_copies_are_told_from_many_samples_that_are_somewhat_nearer():
    fresh = unit(SPLITS.test.x)
    copied, smooth = fresh.copy(), 0.85 * fresh + 0.15 * fresh.mean(0, keepdims=True)
    copied[::5] = unit(SPLITS.train.x[:72])
    copied, smooth = (measured("memorisation", planted(x, SPLITS, DIGITS)) for x in (copied, smooth))
    assert max(copied["memorisation/p_value"], smooth["memorisation/p_value"]) < 0.05, "both are nearer"
    assert copied["memorisation/nearest"] > 0.2 and smooth["memorisation/nearest"] < 0.06


def test_distances_are_taken_in_the_features_that_are_asked_for(monkeypatch):
    rows = SimpleNamespace(features=lambda config, spec, hp: Features(
        "rows", lambda x: (np.asarray(x, np.float32).mean((2, 3)), None)))
    monkeypatch.setattr(_features, "find", lambda room, name: {"random": rows}[name])
    mirrored = planted(unit(SPLITS.train.x[:359, :, ::-1]), SPLITS, DIGITS)
    mirrored.config.evals.memorisation = memorisation.hp(features="random")
    assert measured("memorisation", mirrored)["memorisation/nearest"] > 0.9, "copies, for who sees rows alone"


@pytest.mark.parametrize("hp,changes,fault", [
    (points.hp(num_train=100, num_test=40), {"features": "random"}, "random needs kind:image"),
    (DIGITS, {"features": "vgg"}, "there is no 'vgg'"), (DIGITS, {"inception": "/gone"}, "/gone: there is no such"),
])
def test_features_that_cannot_be_had_are_named_before_training(hp, changes, fault):
    config, found = base.get_config(), splits(hp)
    config.data, config.evals.memorisation = hp, memorisation.hp(**changes)
    (line,) = memorisation.data_faults(config, found.train, found.test)
    assert fault in line


def test_fewer_than_20_test_examples_tell_nothing():
    few = splits_of(SPLITS.train, take(SPLITS.test, np.arange(19)))
    assert not measured("memorisation", planted(unit(SPLITS.train.x), few, DIGITS))


def halves(seed, num, scale=1.0):
    """Draws of two clusters, which are cells, with a third as many in the second."""
    return np.concatenate([normal([seed, 0], num, scale), normal([seed, 1], num // 3, scale) + np.array([[9, 0]])])


def test_of_fresh_draws_any_p_value_is_as_probable_and_a_20th_is_nearest():
    every = [copying(halves(3 * i, 150), halves(3 * i + 1, 75), halves(3 * i + 2, 60), 2) for i in range(40)]
    assert {one.cells for one in every} == {2}
    assert stats.kstest([one.p_value for one in every], "uniform").pvalue > 0.01
    assert np.std([one.z for one in every]) == pytest.approx(1, abs=0.2), "that of C_T is 0.8"
    assert np.mean([one.nearest for one in every]) == pytest.approx(judge.NEAREST, abs=0.012)
    assert np.mean([one.nearest_p_value < 0.1 for one in every]) == pytest.approx(0.1, abs=0.1)


def test_a_20th_is_nearest_whatever_their_number_and_where_many_are_equal():
    def mean(num, ties):
        draws = np.maximum(np.random.default_rng(0).random((1000, num + 30)), ties)
        return np.mean([nearest_share(one[:num], one[num:]) for one in draws])
    assert [mean(*given) for given in ((20, 0), (59, 0), (20, 0.2))] == pytest.approx([judge.NEAREST] * 3, abs=0.004)


def test_copies_do_not_hide_among_samples_that_spread_too_far():
    train, real, wide = normal(0, 300), normal(1, 300), normal(2, 300, scale=2)
    honest, copied = (copying(train, real, fake, 1) for fake in (wide, np.concatenate([train[:45], wide[45:]])))
    assert min(honest.p_value, copied.p_value) > 0.999
    assert honest.nearest_p_value > 0.1 and copied.nearest_p_value < 1e-4
    assert "may be copies: look" in memorisation.verdict(copied) and "may be" not in memorisation.verdict(honest)


def test_what_samples_do_not_reach_is_said():
    train, real, fake = halves(0, 300), halves(1, 90), normal(2, 90)
    found = copying(train, real, fake, 2)
    assert found.seen == 0.75 and "regions with 75% of the test examples" in memorisation.verdict(found)
    assert "regions" not in memorisation.verdict(found._replace(seen=0.95))


def test_one_cell_is_mann_and_whitneys_test_ties_included():
    train, real, fake = (normal(i, num).round(1) for i, num in enumerate((50, 60, 40)))
    near = [np.sqrt(np.square(x[:, None] - train[None]).sum(-1)).min(1).round(9) for x in (fake, real)]
    theirs = stats.mannwhitneyu(*near, alternative="less", method="asymptotic", use_continuity=False)
    ours = copying(train, real, fake, 1)
    assert ours.p_value == pytest.approx(theirs.pvalue, rel=1e-6) and ours.z == ours.c_t and ours.seen == 1
    assert ours.nearer == pytest.approx(1 - theirs.statistic / (60 * 40))


def test_cells_weigh_as_their_shares_of_the_test_examples():
    found = combined([Cell(30, 50, -2.0, 0.7, 0.2), Cell(90, 25, 1.0, 0.4, 0.04)], num_real=160)
    assert found.c_t == pytest.approx(0.25 * -2 + 0.75 * 1)
    assert found.z == pytest.approx(found.c_t / np.sqrt(0.25**2 + 0.75**2))
    assert found.nearer == pytest.approx(0.25 * 0.7 + 0.75 * 0.4) and found.nearest == pytest.approx(0.08)
    assert (found.cells, found.seen) == (2, 0.75)


def test_a_model_that_prefers_a_dense_region_does_not_copy():
    """Its samples are nearer on the whole, and not in any cell."""
    def mixture(seed, num_dense, num_sparse):
        return np.concatenate([normal(seed, num_dense, 0.1), normal([seed], num_sparse, 3) + np.array([[30, 0]])])
    train, real, fake = mixture(0, 300, 300), mixture(1, 150, 150), mixture(2, 250, 50)
    one, two = (copying(train, real, fake, num_cells) for num_cells in (1, 2))
    assert one.p_value < 1e-6 and two.p_value > 0.01 and two.cells == 2


def test_the_share_of_copies_that_would_show_shows_in_nine_of_ten_cases():
    shown, copies = [], round(200 * copying(*(normal(i, 200) for i in range(3)), 1).least)
    for i in range(30):
        train, real, fresh = normal([0, i], 200), normal([1, i], 200), normal([2, i], 200)
        found = copying(train, real, np.concatenate([train[:copies], fresh[copies:]]), 1)
        shown.append(found.nearest_p_value < judge.LEVEL)
    assert np.mean(shown) == pytest.approx(judge.POWER, abs=0.1)


def test_the_order_of_samples_does_not_matter():
    train, real, fake = normal(0, 300), normal(1, 200), normal(2, 200)
    assert copying(train, real, fake, 3) == pytest.approx(copying(train, real[::-1], fake[::-1], 3), rel=1e-12)
