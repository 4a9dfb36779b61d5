"""A number says how it was measured, compares where that is equal, and comes out again."""
import json
import shutil

import pytest

from configs import vae_digits
from gen_jax.errors import UserError
from gen_jax.evals.likelihood import log_likelihood
from gen_jax.evals.samples import quality
from gen_jax.modes import eval
from gen_jax.modes._verify import verify
from gen_jax.modes.train import train
from gen_jax.protocol import differing
from gen_jax.report.files import read_json, write_json
from gen_jax.report.workdir import Workdir


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A run that was measured: only to be copied."""
    config = vae_digits.get_config("smoke")
    config.model.update({"widths": (16,), "latent_dim": 2})
    config.objective.likelihood = "bernoulli"
    config.evals.update({"end": ("elbo", "log_likelihood", "quality", "memorisation", "feature_distance"),
                         "every_epochs": 0, "log_likelihood": log_likelihood.hp(weights=5, examples=20),
                         "quality": quality.hp(features=("values",), samples=100, reference=100, allow_few=True)})
    train(config, workdir := Workdir(tmp_path_factory.mktemp("original") / "run"))
    return workdir.path


@pytest.fixture
def run(original, tmp_path):
    shutil.copytree(original, tmp_path / "run")
    return Workdir(tmp_path / "run")


def protocols(workdir):
    return read_json(workdir.result)["protocols"]


def test_every_number_has_a_protocol_from_which_it_comes_out_again(run, capsys):
    result = read_json(run.result)
    assert {*result["protocols"]} == {*result["metrics"]}
    of = result["protocols"]["log_px/test"]
    assert of["eval"] == "log_likelihood" and of["settings"] == {"weights": 5, "examples": 20} and of["real"] == 20
    assert of["state"] == result["state_sha256"] and of["step"] == 12 and of["weights"] == "as trained"
    means = [name for name, of in result["protocols"].items() if "state" not in of]
    assert {name.split("/")[0] for name in means} == {"train"} and len(means) == 5
    assert {result["protocols"][name]["weights"] for name in means} == {"as trained"}
    changed = {"test/loss": 1.0, "train/kl": 1.0, "neg_elbo/train": 2.0, "memorisation/gone": 3.0,
               "memorisation/verdict": "no copies"}
    result["metrics"] |= changed
    result["protocols"]["memorisation/gone"] = result["protocols"]["memorisation/z"]
    result["protocols"]["log_px/test"] |= {"state": "another", "real": 10_000}
    write_json(run.result, result)
    assert not verify(run)
    lines = capsys.readouterr().out.splitlines()
    assert {line.split(":")[0] for line in lines[:-1]} == {*changed, "log_px/test"}
    told = "its protocol said real 10000, and it is 20; its protocol said state 'another'"
    assert any(told in line for line in lines)
    num = len(result["protocols"])
    assert lines[-1].startswith(f"{num - 6} of {num} numbers and sentences come out again")


def test_every_number_of_an_eval_says_how_many_examples_it_is_of(run):
    assert protocols(run)["test/kl"]["real_split"] == "test" and "samples" in protocols(run)["features/distance"]
    counts, metrics = {"real", "fake", "in_place_of_samples"}, read_json(run.result)["metrics"]
    untold = [name for name, of in protocols(run).items()
              if "state" in of and not isinstance(metrics[name], str) and not counts & {*of}]
    assert not untold


def test_an_eval_whose_settings_change_runs_again_and_the_others_do_not(run, capsys):
    result = read_json(run.result)
    for number, of in (("gone/test", {"eval": "log_likelihood"}), ("other/test", {"eval": "elbo"})):
        result["metrics"][number], result["protocols"][number] = 1.0, of | {"version": 1}  # an earlier gen_jax's
    write_json(run.result, result)
    eval.evaluate(run, {"evals.log_likelihood.weights": 6}, only="log_likelihood")
    assert protocols(run)["log_px/test"]["settings"]["weights"] == 6
    assert "gone/test" not in read_json(run.result)["metrics"] and "other/test" in protocols(run)
    config = run.stored_config()
    config.evals.log_likelihood.weights = 7
    capsys.readouterr()
    train(config, run)
    ran = [line.split()[1] for line in capsys.readouterr().err.splitlines() if line.startswith("eval")]
    assert "log_likelihood" in ran and "elbo" not in ran
    assert protocols(run)["log_px/test"]["settings"]["weights"] == 7


def test_numbers_of_one_eval_with_other_settings_are_each_measured_again(run, capsys):
    before = read_json(run.result)["metrics"]
    eval.evaluate(run, {"evals.quality.features": ("random",), "evals.batch_size": 7}, only="quality,memorisation")
    result = read_json(run.result)
    assert {name[4:10] for name in result["metrics"] if name.startswith("KID[")} == {"values", "random"}
    for name in ("memorisation/z", "memorisation/nearer"):
        assert result["metrics"][name] == pytest.approx(before[name], rel=1e-4), "whatever the size of a batch"
    result["metrics"]["KID[values]/samples"] = 123.0
    write_json(run.result, result)
    capsys.readouterr()
    assert not verify(run)
    line, last = capsys.readouterr().out.splitlines()
    num = len(result["protocols"])
    assert line.startswith("KID[values]/samples: was 123.0, is 0.") and last.startswith(f"{num - 1} of {num} ")


def test_numbers_compare_where_protocols_say_the_same_of_how_they_were_measured():
    a = {"eval": "quality", "real": 100, "data": "x", "seed": 0, "step": 5, "state": "s", "weights": "averaged"}
    assert differing(a, a | {"seed": 1, "step": 6, "state": "t", "weights": "as trained"}) == ()
    assert differing(a, a | {"real": 50, "split": "test"}) == ("real", "split")
    one, other, fewer = ({"settings": {"features": [name], "samples": num}} for name, num in
                         (("values", 9), ("random", 9), ("random", 8)))
    assert differing(a | one, a | other) == () and differing(a | one, a | fewer) == ("settings",)


def test_a_weighted_loss_says_its_weight_and_bounds_their_likelihood(run):
    of = protocols(run)
    assert of["test/loss"]["objective.beta"] == 1.0 and of["neg_elbo/test"]["objective.likelihood"] == "bernoulli"
    assert "objective.beta" not in of["test/neg_elbo"]


def test_what_cannot_be_verified_is_said(run):
    with pytest.raises(UserError, match="has no numbers with a protocol"):
        run.result.write_text(json.dumps({"metrics": {"x/y": 1}, "step": 12}))
        verify(run)
