"""Comparing runs: what seeds can tell, what may stand side by side, and what is written."""
import csv
import itertools
import json
import re
from functools import cache

import numpy as np
import pytest
from absl import flags
from matplotlib.backends.backend_agg import FigureCanvasAgg

from configs import vae_digits
from gen_jax import command_line
from gen_jax.compare import statistics, words
from gen_jax.compare.comparison import APART, NOT_SEEN, TOO_FEW, Value, _row, compared
from gen_jax.compare.figure import figures
from gen_jax.compare.formats import tex
from gen_jax.compare.groups import Group, grouped
from gen_jax.compare.numbers import chosen
from gen_jax.compare.run import read
from gen_jax.compare.table import overview
from gen_jax.compare.workdirs import split, workdirs
from gen_jax.config import resolve, with_evals
from gen_jax.errors import UserError
from gen_jax.modes import compare, train
from gen_jax.report.files import json_text, write_json
from gen_jax.report.workdir import Workdir
from gen_jax.style import styled
from gen_jax.types import Metric

PROTOCOL = {"eval": "record", "settings": {}, "data": "d0", "weights": "as trained", "real": 100}
STEPS = (10, 20, 30, 40)


@cache
def base():
    return with_evals(vae_digits.get_config())


@pytest.fixture
def make(tmp_path):
    """make("a/seed_0", finals, ...): a workdir of vae_digits as training leaves it, below tmp_path.

    finals: numbers by name. curves: by name, values at STEPS. settings: by dotted key. result: changes of result.json.
    """
    def make(folder, finals, seed=0, curves=None, protocol=None, settings=None, data="d0", **result):
        config = base().copy_and_resolve_references()
        config.seed = seed
        config.train.steps = STEPS[-1]
        config.log.every_steps = config.evals.every_steps = config.checkpoint.every_steps = STEPS[0]
        config.update_from_flattened_dict(settings or {})
        config = json.loads(resolve(config, 640, data, 1, False).to_json())
        path = tmp_path / folder
        path.mkdir(parents=True)
        write_json(path / "config.json", config)
        protocols = {name: {**PROTOCOL, "seed": seed, **protocol} for name in finals} if protocol is not None else {}
        write_json(path / "result.json", {
            "config": config, "seed": seed, "step": STEPS[-1], "state_sha256": f"{folder} {seed}",
            "data_fingerprint": data, "metrics": finals, "evals": ["elbo"], "protocols": protocols, **result})
        records = [{"step": step, **{name: values[i] for name, values in (curves or {}).items()}}
                   for i, step in enumerate(STEPS)]
        (path / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        return path
    return make


@pytest.fixture
def betas(make, tmp_path):
    """Two betas over five seeds each, the second about 3 higher, seed by seed; its curve was at 1 before the end."""
    for seed, noise in enumerate((0.0, 0.1, -0.2, 0.3, 0.05)):
        for beta, value in ((1.0, 10 + noise), (4.0, 13 + noise + 0.01 * seed)):
            curve = (20.0, 12.0, value / beta, value)
            make(f"betas/objective.beta={beta:g}/seed_{seed}", {"test/neg_elbo": value, "health/verdict": "healthy"},
                 seed, {"test/neg_elbo": curve}, {}, {"objective.beta": beta})
    return tmp_path / "betas"


def rows(text):
    return list(csv.DictReader(text.splitlines()))


# What a few numbers can tell


def test_every_resample_is_counted_with_its_probability():
    for n in (2, 3, 5):
        x = np.random.default_rng(n).normal(size=n)
        means = np.array([np.mean(x[list(drawn)]) for drawn in itertools.product(range(n), repeat=n)])
        counts, probability = statistics._resamples(n)
        assert np.isclose(probability.sum(), 1) and np.isclose(probability @ (counts @ x / n), x.mean())
        assert np.isclose(probability @ (counts @ x / n - x.mean()) ** 2, x.var() / n)  # of the bootstrap's mean
        below = np.median(means)
        assert np.isclose(probability[counts @ x / n <= below + 1e-12].sum(), (means <= below + 1e-12).mean())


def test_intervals_of_few_values_hold_the_mean_as_often_as_is_said():
    for n, share in ((2, 0.5), (3, 0.75), (5, 0.93), (8, 0.95)):
        x = np.random.default_rng(0).normal(size=(800, n))
        held = np.mean([low <= 0 <= high for low, high in map(statistics.mean_interval, x)])
        assert abs(held - share) < 0.04 and held < statistics.held(n) + 0.04


def test_the_interval_of_two_values_is_these_and_one_value_has_none():
    assert statistics.mean_interval(np.array([3.0, 1.0])) == (1, 3)
    assert statistics.mean_interval(np.array([3.0])) is None
    assert statistics.difference_interval(np.array([3.0]), np.array([1.0, 2.0])) is None
    assert statistics.difference_interval(np.array([5.0, 6.0]), np.array([1.0, 2.0])) == (3, 5)


def test_many_values_have_nearly_the_interval_of_a_gaussian():
    x = np.random.default_rng(1).normal(size=100)
    low, high = statistics.mean_interval(x)
    assert np.allclose((x.mean() - low, high - x.mean()), 1.96 * x.std() / 10, rtol=0.05)
    low, high = statistics.difference_interval(x[:50], x[50:])
    error = 1.96 * np.hypot(x[:50].std(), x[50:].std()) / 50**0.5
    assert np.allclose((low + high) / 2, x[:50].mean() - x[50:].mean(), atol=0.02)
    assert np.isclose((high - low) / 2, error, rtol=0.05)


def test_p_values_of_a_few_numbers_are_those_counted_by_hand():
    assert statistics.sign_flips(np.array([1.0, 2.0, 3.0])) == 2 / 8
    assert statistics.sign_flips(np.array([1.0, 2.0, -3.0])) == 1
    assert statistics.permutation(np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 2 / 6
    assert statistics.permutation(np.array([9.0]), np.array([1.0, 2.0, 3.0])) == 1 / 4
    assert statistics.permutation(np.ones(3), np.ones(3)) == 1
    for n in (3, 4, 5):
        apart = np.arange(n) * 0.1
        assert statistics.permutation(apart, 10 + apart) == pytest.approx(statistics.least_of_permutation(n, n))
        assert statistics.sign_flips(1 + apart) == statistics.least_of_sign_flips(n)
    assert statistics.least_of_permutation(5, 5) == 2 / 252 and statistics.least_of_sign_flips(6) == 2 / 64


def test_drawn_p_values_are_near_the_exact_ones(monkeypatch):
    a, b = np.random.default_rng(2).normal(size=(2, 7))
    exact = statistics.permutation(a, b + 0.7), statistics.sign_flips(a - b + 0.7)
    monkeypatch.setattr(statistics, "MOST_DIVISIONS", 0)
    monkeypatch.setattr(statistics, "MOST_SIGNS", 0)
    statistics._divisions.cache_clear(), statistics._signs.cache_clear()
    assert np.allclose((statistics.permutation(a, b + 0.7), statistics.sign_flips(a - b + 0.7)), exact, atol=0.015)
    assert statistics.permutation(a, b + 100) > 0
    statistics._divisions.cache_clear(), statistics._signs.cache_clear()


def test_holm_is_as_in_the_textbook():
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([0.9, 0.8]) == [1, 1] and statistics.holm([]) == []
    assert [statistics.seeds_needed(n) for n in (1, 3, 66)] == [4, 5, 7]
    assert [statistics.seeds_needed(10, have, is_paired=True) for have in (5, 8)] == [6, 9]


# Groups and verdicts


def test_runs_are_grouped_by_what_differs_and_told_apart(betas):
    [row] = compared(workdirs([str(betas)])).rows
    [pair] = row.pairs
    assert list(row.cells) == ["beta=1", "beta=4"] and row.winner == "beta=1"
    assert pair.verdict == APART and pair.is_paired and pair.difference == pytest.approx(-3.02)
    assert -3.04 <= pair.interval[0] < pair.interval[1] <= -3
    assert words.difference(pair, 1) == ("beta=1 is lower than beta=4 by 3.020 [3.002, 3.038], 5 paired seeds, "
                                         "p = 0.0079 by permutation of 5 and 5 seeds")


def test_best_is_by_the_metrics_direction_and_a_fall_is_said(betas):
    [row] = compared(workdirs([str(betas)])).rows
    one, four = row.cells.values()
    assert words.fall(one, row.sign) == ""
    near_zero = Value(one.values[0].run, 0.001, ((10, 5.0), (20, 0.0), (30, 0.001)), 0.0, 20)
    assert not near_zero.has_fallen and near_zero._replace(final=1.0).has_fallen
    assert [value.best_step for value in four.values] == [30] * 5
    assert four.values[0].times_best == pytest.approx(4) and four.values[0].best == pytest.approx(13 / 4)
    assert re.fullmatch(r"beta=4: 5 of 5 seeds ended worse than their best; seed \d rose to 4.00 times its best "
                        r"\(3.\d+ at step 30\)", words.fall(four, row.sign))


def test_a_fall_to_below_zero_is_a_difference(make):
    make("a", {"log_px/test": -30.0}, curves={"log_px/test": (-50.0, -20.0, -25.0, -30.0)})
    [row] = compared(workdirs([str(make("b", {"log_px/test": -30.0}, 1).parent)]), ["log_px"]).rows
    [cell] = row.cells.values()
    assert cell.values[0].best == -20 and words.best(cell) == ""  # the other seed recorded none
    assert words.fall(cell, row.sign).endswith("seed 0 ended 10 below its best (-20 at step 20)")
    assert words.fall(cell._replace(values=cell.values[:1] * 2), row.sign).count("seed 0 ended 10 below") == 2


@pytest.mark.parametrize(("a", "b", "verdict"), [
    ([1.0, 1.1, 1.2], [9.0, 9.1, 9.2], TOO_FEW),  # however far apart
    ([1.0, 1.1, 1.2, 1.3], [9.0, 9.1, 9.2, 9.3], APART),
    ([1.0, 5.0, 3.0, 2.0], [4.0, 1.5, 2.5, 3.5], NOT_SEEN),
    ([1.0], [9.0], TOO_FEW),
    ([1.0], [9 + i / 100 for i in range(20)], TOO_FEW)])  # p = 0.048, and no interval
def test_too_few_seeds_are_told_from_no_difference(make, tmp_path, a, b, verdict):
    for beta, values in ((1.0, a), (2.0, b)):
        for seed, value in enumerate(values):
            make(f"{beta}/{seed}", {"test/neg_elbo": value}, seed, settings={"objective.beta": beta})
    [row] = compared(workdirs([str(tmp_path)])).rows
    [pair] = row.pairs
    assert pair.verdict == verdict and row.winner == ("beta=1" if verdict == APART else None)
    sentence = words.difference(pair, 1)
    assert (verdict in sentence) == (verdict != APART) and ("4 in each could tell" in sentence) == (verdict == TOO_FEW)


@pytest.fixture
def row_of(make):
    """row_of(values, ...): what is compared of test/neg_elbo, of a beta each, whose seeds have these values."""
    run = read(make("a", {"test/neg_elbo": 1.0}))
    [quantity] = chosen(grouped([run])[0], ["test/neg_elbo"])

    def row_of(*groups):
        return _row(quantity, [Group(f"beta={beta}", tuple(
            run._replace(seed=seed, numbers={"test/neg_elbo": value}) for seed, value in enumerate(map(float, values))),
            (), {}) for beta, values in enumerate(groups, 1)])
    return row_of


NOISE = np.array([0.0, 0.3, -0.2, 0.1, 0.25, -0.1, 0.05, -0.15])  # of seeds


def test_the_best_group_is_the_first_that_is_said(row_of):
    sentence, *others = words.sentences(row_of(*(10 * min(beta, 2) + NOISE[:6] for beta in (1, 2, 3))))
    assert sentence == ("beta=1 is the lowest, told apart from each of the other 2 (p = 0.0065 at most, corrected for "
                        "3 comparisons)")
    assert all("corrected for 3 comparisons" in other for other in others)
    sentence, *_ = words.sentences(row_of(1 + NOISE, 1.02 + NOISE[::-1], 9 + NOISE, 8 + NOISE))
    assert sentence == ("beta=1 has the lowest mean; told apart from beta=3, beta=4; not told apart from beta=2 "
                        "(no difference seen)")
    row = row_of(1 + NOISE, 9 + NOISE, 9 + NOISE)
    assert next(words.sentences(row._replace(quantity=row.quantity._replace(metric=Metric())))) == (
        "2 of the 3 pairs of groups are told apart")
    assert list(words.sentences(row_of(*(beta + NOISE[:5] for beta in range(5))))) == [
        "beta=1 has the lowest mean; not enough seeds to tell which groups differ (5 paired seeds: p by permutation of "
        "5 and 5 seeds cannot be less than 0.079, corrected for 10 comparisons; 6 in each could tell)"]


def test_other_groups_do_not_choose_a_pairs_test(row_of):
    for n, test in ((6, "by permutation of 6 and 6 seeds"), (8, "by signs of 8 pairs")):
        a, b, c = (beta + NOISE[:n] * beta for beta in (1, 2, 3))
        two, three = (row.pairs[0] for row in (row_of(a, b), row_of(a, b, c)))
        assert two.p == three.p and two.adjusted <= three.adjusted and test in words.difference(two, 1)


def test_a_small_p_is_not_enough_where_the_interval_holds_0(betas):
    [pair] = compared(workdirs([str(betas)])).rows[0].pairs
    doubted = pair._replace(interval=(-6.1, 0.1), p=0.026, adjusted=0.026, verdict=NOT_SEEN)
    assert words.difference(doubted, 1).startswith(
        "beta=1 and beta=4: no difference seen, for the interval holds 0: beta=1 is lower by 3.0 [-0.1, 6.1]")
    assert words.verdict(doubted._replace(adjusted=0.06)) == NOT_SEEN


def test_few_paired_differences_that_agree_want_more_seeds(make, tmp_path):
    for beta, seed in itertools.product((1.0, 2.0), range(5)):
        value = 10.0 * seed + beta + seed / 100  # a seed does the same to both, and far more than beta does
        make(f"{beta}/{seed}", {"test/kl": value + beta * seed / 100}, seed, settings={"objective.beta": beta})
    [pair] = compared(workdirs([str(tmp_path)]), ["kl"]).rows[0].pairs
    assert pair.verdict == TOO_FEW and pair.excludes_zero and pair.p > 0.5
    sentence = words.difference(pair, 1)
    assert "differences excludes 0, and the signs of 8 could tell): beta=1 is lower by 1.0" in sentence


def test_a_missing_seed_leaves_the_others_paired(make, tmp_path):
    for beta, seeds in ((1.0, range(8)), (2.0, range(9))):
        for seed in seeds:
            make(f"{beta}/{seed}", {"test/neg_elbo": 10 * seed + beta}, seed, settings={"objective.beta": beta})
    [row] = compared(workdirs([str(tmp_path)])).rows
    [pair] = row.pairs
    assert pair.is_paired and pair.seeds == (8, 8) and pair.difference == -1 and row.winner == "beta=1"
    assert row.cells["beta=2"].mean == 42
    assert "8 paired seeds (1 without a pair left over), p = 0.0078 by signs of 8 pairs" in words.difference(pair, 1)


def test_other_seeds_are_not_paired_and_a_seed_counts_once(make, tmp_path):
    for beta, seeds in ((1.0, (0, 1, 2)), (2.0, (1, 2, 3))):
        for seed in seeds:
            make(f"{beta}/{seed}", {"test/neg_elbo": beta + seed}, seed, settings={"objective.beta": beta})
    make("twice", {"test/neg_elbo": 100.0}, 0, settings={"objective.beta": 1.0})
    comparison = compared(workdirs([str(tmp_path)]))
    [pair] = comparison.rows[0].pairs
    assert not pair.is_paired and pair.seeds == (3, 3) and pair.difference == -2
    assert len(comparison.left_out) == 1 and "twice: left out: seed 0 of beta=1 is there already" in "".join(
        comparison.left_out)


def test_groups_are_named_by_few_keys_else_by_their_folders(make, tmp_path):
    many = {"objective.beta": 2.0, "model.latent_dim": 3, "train.batch_size": 32, "optim.vae.lr": 1e-3}
    make("small_s0", {"test/neg_elbo": 1.0}), make("small_s1", {"test/neg_elbo": 1.0}, 1)
    make("large/seed_0", {"test/neg_elbo": 1.0}, settings=many)
    comparison = compared(workdirs([str(tmp_path)]))
    assert [group.name for group in comparison.groups] == ["large", "small"]
    assert comparison.beside == ("the groups' configs differ in model.latent_dim, objective.beta, optim.vae.lr, "
                                 "train.batch_size; values are in comparison.json",)
    make("other", {"test/neg_elbo": 1.0}, settings={"optim.vae.lr": 1e-3, "evals.batch_size": 7})
    found = compared(workdirs([str(tmp_path / "small*"), str(tmp_path / "other")]))
    assert [group.name for group in found.groups] == ["lr=0.001", "lr=0.002"]
    for seed, lr in enumerate((0.00123456712, 0.00123456698)):
        make(f"near/{seed}", {"test/neg_elbo": 1.0}, settings={"optim.vae.lr": lr})
    found = compared(workdirs([str(tmp_path / "near")]))
    assert [*found.rows[0].cells] == ["lr=0.00123456698", "lr=0.00123456712"]


def test_workdirs_are_found_by_names_globs_and_folders(make, tmp_path):
    finals = {"test/neg_elbo": 1.0}
    paths = [make(name, finals) for name in ("g/seed_2", "g/seed_10", "g/x/y/deep", "run", "run/old_1", "run/step_20")]
    make("g/x/y/too/deep", finals), make("g/old_1", finals)
    assert workdirs([str(tmp_path / "g")]) == paths[:3]
    assert workdirs([f"{tmp_path}/r*", f"{tmp_path}/run", f"{tmp_path}/run/old_1"]) == [paths[3], paths[4]]
    comma = make("w/beta=1,latent_dim=2/seed_0", finals).parent
    assert split(f"{tmp_path}/g, {comma},{tmp_path}/w/beta=*,latent_dim=2/*,z") == [
        f"{tmp_path}/g", str(comma), f"{tmp_path}/w/beta=*,latent_dim=2/*", "z"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as error:
        workdirs([f"{tmp_path}/empty", f"{tmp_path}/nothing", f"{tmp_path}/z*"])
    assert [line.partition(": ")[2].split(";")[0] for line in error.value.faults] == [
        "no run there, nor at most 3 levels below (config.json is missing)", "there is no such folder",
        "matches no folder"]


# What may stand side by side


def test_numbers_of_unlike_protocols_are_refused_and_the_others_go_on(make, tmp_path):
    for beta, real in ((1.0, 10_000), (2.0, 5_000)):
        path = make(f"{beta}", {"test/neg_elbo": beta, "log_px/test": -beta}, protocol={"weights": f"{beta}"},
                    settings={"objective.beta": beta})
        result = json.loads((path / "result.json").read_text())
        result["protocols"]["log_px/test"]["real"] = real
        write_json(path / "result.json", result)
    comparison = compared(workdirs([str(tmp_path)]), ["test/neg_elbo", "log_px/test"])
    assert comparison.refused == ("log_px/test: not compared: 'real' differs (10000 in beta=1, 5000 in beta=2)",)
    assert [row.quantity.number for row in comparison.rows] == ["test/neg_elbo"]
    assert comparison.notes == ["weights differ: 1.0 in beta=1; 2.0 in beta=2"]
    with pytest.raises(UserError) as error:
        compared(workdirs([str(tmp_path)]), ["log_px/test"])
    assert "'real' differs" in error.value.faults[0]
    assert error.value.faults[1:] == ("these can be compared: --metrics=test/neg_elbo",)


def test_records_of_another_protocol_than_the_final_value_do_not_count(make, tmp_path):
    make("a", {"test/kl": 5.0, "test/recon": 5.0}, curves={"test/recon": (9.0, 1.0, 2.0, 5.0)}, protocol={})
    make("b", {"test/kl": 5.0, "test/recon": 5.0}, 1, {"test/recon": (9.0, 1.0, 2.0, 5.0)}, {"eval": "another"})
    for folder, best in (("a", 1.0), ("b", None)):
        comparison = compared(workdirs([str(tmp_path / folder)]), ["recon"])
        assert comparison.rows[0].cells[folder].values[0].best == best
        assert any("measured otherwise than in training" in note for note in comparison.notes) == (best is None)


def test_other_data_are_refused_and_an_unknown_protocol_is_said(make, tmp_path):
    make("a", {"test/neg_elbo": 1.0}, protocol={}), make("b", {"test/neg_elbo": 1.0}, 1)
    comparison = compared(workdirs([str(tmp_path)]))
    assert len(comparison.notes) == 1 and "protocol unknown" in comparison.notes[0]
    make("c", {"test/neg_elbo": 1.0}, 2, data="d1")
    with pytest.raises(UserError, match=r"'data fingerprint' differs \(d0 in .*, d1 in .*\)"):
        compared(workdirs([str(tmp_path)]))


def test_runs_that_have_not_ended_and_numbers_that_are_none_are_left_out_and_said(make, tmp_path):
    make("a", {"test/neg_elbo": 1.0}), make("b", {"test/neg_elbo": None}, 1), make("e", {}, 4)
    make("c", {"test/neg_elbo": 9.0}, 2, step=20), (make("d", {}, 3) / "result.json").unlink()
    comparison = compared(workdirs([str(tmp_path)]))
    [cell] = comparison.rows[0].cells.values()
    assert cell.seeds == [0] and cell.lost == (1, 2, 3, 4)
    said = "\n".join(comparison.remarks)
    assert "c: left out: step 20 of 40" in said and "d: left out: has no result.json" in said
    assert "not finite and left out: seed 1" in said and "not measured: seed 4" in said
    write_json(tmp_path / "sweep.json", {"axes": {}, "seeds": [0],
                                         "runs": [{"folder": name, "seed": 0} for name in "ga"]})
    assert workdirs([str(tmp_path)])[:2] == [tmp_path / "g", tmp_path / "a"]
    assert f"left out: 1 run has not begun: {tmp_path / 'g'}" in compared(workdirs([str(tmp_path)])).left_out
    with pytest.raises(UserError, match="none of the runs there has ended"):
        compared(workdirs([f"{tmp_path}/c"]))


def test_the_mean_of_survivors_is_never_the_best(betas, make):
    (make("betas/lost", {}, 5, settings={"objective.beta": 1.0}) / "result.json").unlink()
    (make("betas/all_lost", {}, settings={"objective.beta": 8.0}) / "result.json").unlink()
    longer = make("betas/longer", {"test/neg_elbo": 1.0}, 6, settings={"objective.beta": 1.0})
    config = json.loads((longer / "config.json").read_text())
    config["derived"]["total_steps"] = 80  # since it was measured
    write_json(longer / "config.json", config)
    comparison = compared(workdirs([str(betas)]))
    [row] = comparison.rows
    assert row.pairs[0].verdict == APART and row.winner is None
    assert "longer: left out: step 40 of 80" in "".join(comparison.left_out)
    assert [line[:2] for line in overview(comparison).lines] == [["beta=1", "5 of 7"], ["beta=4", "5"],
                                                                 ["beta=8", "0 of 1"]]
    assert comparison.beside == (
        "beta=1: 5 of 7 seeds have ended; if the others failed, its numbers flatter it: it is not marked as the best",
        "beta=8: 0 of 1 seeds have ended")


def test_other_code_is_said(betas):
    for beta, commit in (("1", "a" * 40), ("4", "b" * 40)):
        for seed in range(5):
            write_json(betas / f"objective.beta={beta}" / f"seed_{seed}" / "run.json", {"launches": [
                {"git": None}, {"git": {"commit": commit, "changed": False}, "packages": {"jax": "1"}}]})
    assert compared(workdirs([str(betas)])).beside == ("git commit differs: aaaaaaaa in beta=1; bbbbbbbb in beta=4",)


def test_numbers_are_chosen_by_name_by_quantity_and_by_glob(make, tmp_path):
    finals = {"train/kl": 1.0, "test/kl": 2.0, "kl/test": 3.0, "test/recon": 4.0, "verdict": "fine"}
    make("a", finals, curves={"test/kl": (1.0, 1.0, 1.0, 2.0)})

    def chosen(*asked):
        return [row.quantity.number for row in compared(workdirs([str(tmp_path)]), asked).rows]
    assert chosen() == ["test/kl", "test/recon"]  # each once, and what was recorded before what was not
    make("b", {"test/kl": 2.0, "log_px/test": 5.0}, settings={"objective.beta": 2.0})
    assert chosen() == ["test/kl"]
    assert compared(workdirs([str(tmp_path)])).beside == (
        "headlines of one group alone, not compared: log_px/test (beta=2), test/recon (beta=1)",)
    make("c", {"FD[digits-cnn:1a2b3c]/test": 0.5}, seed=1, settings={"objective.beta": 2.0})
    assert chosen("FD") == ["FD[digits-cnn:1a2b3c]/test"]
    assert chosen("kl") == ["test/kl"] and chosen("train/kl", "k*/test") == ["train/kl", "kl/test"]
    with pytest.raises(UserError, match="--metrics=test/kll: no run has such a number; did you mean 'test/kl'"):
        chosen("test/kll", "recon")
    with pytest.raises(UserError, match="--metrics=FIDs,KIDs: no run has such a number"):
        chosen("FIDs", "KIDs", "recon")


# What is written


def test_equal_values_have_no_spread_and_few_have_no_95_percent(betas):
    assert words.plus_minus(0.7, 1.36e-16) == "0.7000 ± 0" and words.plus_minus(3.38, 2.04) == "3.4 ± 2.0"
    cells = [*compared(workdirs([str(betas)])).rows[0].cells.values()]
    assert words.interval_name(cells) == "94% interval"
    assert words.interval_name([cells[0]._replace(values=cells[0].values[:3])]) == "75% interval"
    assert json.loads(json_text({"a": [np.inf, np.nan, "Infinity"]})) == {"a": [np.inf, None, "Infinity"]}


def test_all_is_written_and_can_be_computed_again(betas, tmp_path):
    lines = compare.compare([betas], tmp_path / "out", (), compare.report_settings("png"))
    files = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert sorted(files) == [
        "comparison.csv", "comparison.json", "comparison.md", "comparison.png", "comparison.tex", "comparison.txt",
        "comparison_curves.png", "comparison_pairs.csv", "comparison_runs.csv", "report.html"]
    assert files["comparison.txt"].read_text() == "\n".join(lines) + "\n" and max(map(len, lines)) <= 100
    groups, runs, pairs = (rows(files[f"comparison{which}.csv"].read_text()) for which in ("", "_runs", "_pairs"))
    for row in groups:
        finals = np.array([float(run["final"]) for run in runs if run["group"] == row["group"]])
        assert float(row["mean"]) == finals.mean() and float(row["std"]) == finals.std(ddof=1)
        assert (float(row["ci95_low"]), float(row["ci95_high"])) == statistics.mean_interval(finals)
    assert pairs[0]["verdict"] == APART and [row["told_apart_best"] for row in groups] == ["True", "False"]
    content = json.loads(files["comparison.json"].read_text())
    assert [group["settings"] for group in content["groups"]] == [{"objective.beta": 1}, {"objective.beta": 4}]
    run = content["metrics"][0]["groups"][1]["runs"][0]
    assert run["curve"] == [[10, 20], [20, 12], [30, 3.25], [40, 13]] and run["protocol"]["real"] == 100
    assert "| beta=1 | 5 | **10.05 ± 0.18** |" in files["comparison.md"].read_text()


def test_latex_has_nothing_of_its_own_unescaped(make, tmp_path):
    strange = r"50%_of $x$ & {a}^~\b#"
    for seed, folder in enumerate((strange, "plain")):
        make(folder, {"test/neg_elbo": -1234.5}, settings={
            "model.latent_dim": 2 + seed, "train.batch_size": 8 + seed, "objective.beta": 1.0 + seed,
            "optim.vae.lr": 0.1 + seed})
    [content] = tex.files(compared(workdirs([str(tmp_path)]))).values()
    lines = [line for line in content.splitlines() if not line.startswith("%")]
    assert r"50\%\_of \$x\$ \& \{a\}\textasciicircum{}\textasciitilde{}\textbackslash{}b\#" in content
    for line in lines:
        bare = re.sub(r"\\[a-z]+|\\[&%$#_{}\\]", "", line)
        assert not set(re.sub(r"\$[^$]*\$", "", bare)) & set("%#_^~$\\±↓"), line
        assert bare.count("{") == bare.count("}")
    tabulars = content.split(r"\begin{tabular}")[1:]
    for tabular in tabulars:
        columns = len(re.match(r"\{(lr*)\}", tabular)[1])
        body = [line for line in tabular.splitlines() if line.endswith(r"\\")]
        assert all(len(re.findall(r"(?<!\\)&", line)) == columns - 1 for line in body)
    assert "$-1{,}234.5$" in content or "$-1{,}234$" in content or "$-1{,}235$" in content


def test_figures_of_many_groups_with_long_names_fit(make, tmp_path):
    for i in range(8):
        settings = {"model.latent_dim": 2 + i, "train.batch_size": 8 + i, "objective.beta": 1.0 + i,
                    "optim.vae.lr": 0.1 + i}
        make(f"a_long_name_of_a_configuration_with_many_changes_number_{i}", {"test/neg_elbo": float(i)},
             curves={"test/neg_elbo": (9.0, 3.0, 2.0, float(i))}, settings=settings)
    comparison = compared(workdirs([str(tmp_path)]))
    with styled():
        drawn = figures(comparison)
    assert list(drawn) == ["comparison", "comparison_curves"]
    for fig in drawn.values():
        with styled():
            FigureCanvasAgg(fig).draw()
            box = fig.get_tightbbox()
        assert box.x0 > -0.01 and box.x1 < fig.get_figwidth() + 0.01 and box.y0 > -0.01


# The command line


@pytest.fixture
def launch(monkeypatch, tmp_path, capsys):
    """launch(*args): --mode=compare with these arguments, in an empty folder; what it printed."""
    def launch(*args):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(flags, "FLAGS", flags.FlagValues())
        compare.run(command_line.parse(["launch.py", "--mode=compare", *args], vae_digits.__file__))
        return capsys.readouterr().out
    return launch


def test_the_mode_writes_into_the_sweeps_folder_or_where_it_is_told(launch, betas, tmp_path):
    assert "beta=1 is lower than beta=4" in launch(f"--workdirs={betas}", "--metrics=neg_elbo", "--format=svg")
    assert (betas / "comparison.txt").exists() and (betas / "comparison.svg").exists()
    with pytest.raises(UserError, match="is a run's folder"):
        launch(f"--workdirs={betas}", f"--out={betas}/objective.beta=1/seed_0")
    launch(f"--workdirs={betas}/*beta=1/seed_0,{betas}/*beta=1/seed_1", "--format=png")
    assert not rows((tmp_path / "comparison" / "comparison_pairs.csv").read_text())  # of one group


@pytest.mark.parametrize(("args", "line"), [
    (["--workdirs=a", "--config.seed=1"], "is of runs that have ended, which --workdirs names; leave it out"),
    (["--workdirs=a", "--workdir=b"], "is of runs that have ended, which --workdirs names; leave it out"),
    (["--workdirs=a", "--format=gif"], "--format='gif': there is no such choice"),
    ([], "--mode=compare: which runs?"), (["--workdirs=a"], "--workdirs=a: there is no such folder")])
def test_what_makes_no_sense_is_one_line(launch, args, line):
    with pytest.raises(UserError) as error:
        launch(*args)
    assert len(error.value.faults) == 1 and line in error.value.faults[0]


def test_runs_as_training_leaves_them(launch, tiny_config, tmp_path):
    for seed in (0, 1):
        tiny_config.seed = seed
        train.train(tiny_config, Workdir(tmp_path / "runs" / f"seed_{seed}"))
    text = launch(f"--workdirs={tmp_path}/runs", "--format=png")
    assert re.search(r"\ngroup +seeds +test/neg_elbo ↓ .*\nruns +2 +[\d.]+ ± ", text)
    assert "test/neg_elbo ↓  (nats per example, lower is better)" in text and "protocol unknown" not in text
    assert re.search(r"\n  runs +2 +[\d.]+ ± [\d.]+ +\[[\d.]+, [\d.]+\] +[\d.]+ ± [\d.]+ +12\n", text)
