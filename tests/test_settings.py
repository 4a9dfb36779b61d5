"""Settings beside the code, and configs composed of them."""
import pytest
from ml_collections import ConfigDict

from configs import base, dcgan_digits, vae_digits
from gen_jax.config import validate, with_evals
from gen_jax.errors import UserError
from gen_jax.identity import differences
from gen_jax.parts import complete, compose, parts
from gen_jax.report.settings import describe
from gen_jax.settings import POSITIVE, Setting, Settings, at_least, each, one_of, placeholder, share
from gen_jax.stored import renewed

hp = Settings("gen_jax.models.toy", {
    "widths": Setting((8,), "units", each()),
    "rate": Setting(0.5, "a rate", POSITIVE),
    "share": Setting(0.1, "a share", share()),
    "form": Setting("round", "a form", one_of("round", "square")),
    "low": Setting(3, "a number", at_least(1, below=10)),
    "most": Setting(placeholder(int), "a cap", POSITIVE),
    "inner": Setting({}, "sections", room="terms.penalties"),
}, smoke={"low": 1})


def test_a_section_has_the_name_the_defaults_and_the_changes():
    section = hp(widths=(4, 2), most=7)
    assert section.to_dict() == {"name": "toy", "widths": (4, 2), "rate": 0.5, "share": 0.1, "form": "round", "low": 3,
                                 "most": 7, "inner": {}}
    assert hp().most is None
    with pytest.raises(UserError, match=r"toy.hp\(wdiths=...\): toy has no such setting; did you mean 'widths'"):
        hp(wdiths=(4,))
    with pytest.raises(UserError, match=r"toy.hp\(widths=\('a',\)\): must be a tuple of whole numbers"):
        hp(widths=("a",))
    assert isinstance(hp(rate=1).rate, float)


def test_two_sections_share_nothing():
    a, b = hp(), hp()
    a.most, a.low = 3, 4
    a.inner.r1 = ConfigDict({"weight": 1.0})
    assert b.most is None and b.low == 3 and not b.inner
    one, other = vae_digits.get_config(), vae_digits.get_config()
    one.data.num_train, one.train.steps, one.log.every_steps, one.evals.concepts.pairs = 3, 4, 5, ()
    assert (other.data.num_train, other.train.steps, other.log.every_steps) == (None, None, None)
    assert other.evals.concepts.pairs and vae_digits.get_config().data.num_train is None


def test_faults_say_where_what_and_the_nearest():
    section = hp(widths=(0,), rate=-1.0, share=1.0, form="rund", low=10, most=0)
    assert list(hp.faults(section, "model")) == [
        "model.widths=(0,): must be 1 to 64 positive whole numbers below 2**31, as in (256,) or (512,256)",
        "model.rate=-1.0: must be positive and below 2**31",
        "model.share=1.0: must be at least 0 and below 1",
        "model.form='rund': there is no such choice; did you mean 'round'? There are: round, square",
        "model.low=10: must be at least 1 and below 10",
        "model.most=0: must be positive and below 2**31"]
    assert not list(hp.faults(hp(), "model")), "a number may be left unset"
    section = hp()
    del section.rate
    section.raet = 1.0
    assert list(hp.faults(section, "model")) == [
        "model.raet: toy has no such setting; did you mean 'rate'? There are: form, inner, low, most, rate, share, "
        "widths", "model.rate is missing: a rate"]


def test_a_config_s_faults_are_told_all_at_once():
    config = vae_digits.get_config()
    config.seed, config.train.batch_size, config.train.ema_nets, config.model.latent_dim = -1, 0, "enc", 0
    config.evals.end = ("elbow",)
    with pytest.raises(UserError) as caught:
        validate(config)
    faults = caught.value.faults
    assert len(faults) == 5 and [fault.split("=")[0].split(":")[0] for fault in faults] == [
        "seed", "train.batch_size", "train.ema_nets", "evals", "model.latent_dim"]


def test_smoke_makes_every_part_tiny():
    config = dcgan_digits.get_config("smoke")
    assert config.data.name == "made_up" and config.model.gen_widths == (16, 16)
    assert (config.train.batch_size, config.train.epochs, config.checkpoint.every_epochs) == (16, 2, 1)
    assert config.evals.quality.features == ("values",), "a classifier is not trained for it"
    with pytest.raises(UserError, match="there is no variant 'smkoe' of this config; there is :smoke"):
        dcgan_digits.get_config("smkoe")


def test_an_eval_that_has_another_name_now_is_found_in_an_older_config():
    config = vae_digits.get_config()
    config.evals.end, config.evals.during = ("losses", "frechet"), ()
    assert renewed(config, "it").evals.end == ("losses", "quality")


def test_compose_swaps_a_section_by_its_name_and_keeps_what_both_have():
    config = vae_digits.get_config()
    compose(config, {"data.name": "folder", "optim.vae.name": "sgd", "model.name": "mlp_autoencoder"})
    assert config.data.name == "folder" and config.data.fit == "refuse"
    assert config.optim.vae.to_dict() == {"name": "sgd", "lr": 2e-3, "schedule": "cosine", "warmup": 0.0, "end": 0.0,
                                          "clip_norm": 0.0, "momentum": 0.0}
    assert config.model.widths == (256,) and config.model.latent_dim == 8
    before = vae_digits.get_config()
    assert compose(vae_digits.get_config(), {"data.name": "digit", "nothing.name": "x", "seed": "1"}) == before


def test_compose_brings_the_section_of_an_eval_and_of_a_penalty():
    config = dcgan_digits.get_config()
    compose(config, {"objective.penalties.gradient_penalty.target": "2", "evals.log_likelihood.weights": "3"})
    assert config.objective.penalties.gradient_penalty.name == "gradient_penalty"
    assert config.evals.log_likelihood.weights == 100, "the flag itself is applied later"
    compose(config, {"evals.end": "('traversals','manifold')"})
    assert config.evals.end == ("traversals", "manifold")
    assert {part.at for part in parts(config)} >= {"objective.penalties.gradient_penalty", "optim.gen", "evals.samples"}


def test_every_eval_that_is_named_has_its_section():
    config = base.get_config()
    config.evals.during, config.evals.end = ("samples",), ("log_likelihood", "elbo")
    assert complete(config).evals.samples.num == 64 and config.evals.log_likelihood.weights == 100
    assert "elbo" not in config.evals, "it has no settings"
    config = vae_digits.get_config()
    assert with_evals(config) is not config


def test_every_key_is_described():
    lines = list(describe(vae_digits.get_config()))
    assert not [line for line in lines if " # " not in line]
    assert any(line.startswith("model.latent_dim = 8 ") and "# latents [a whole number" in line for line in lines)


def test_a_resumed_run_may_be_measured_otherwise_and_be_longer_but_is_the_same_run():
    old = vae_digits.get_config()
    old.derived = ConfigDict({"format": 2, "total_steps": 10})
    old.optim.vae.schedule = "constant"
    new = ConfigDict(old.to_dict())
    new.evals.samples.num, new.train.epochs, new.derived.total_steps, new.checkpoint.keep = 16, 9, 20, 3
    assert not differences(old.to_dict(), new.to_dict())
    new.model.latent_dim = 3
    assert differences(old.to_dict(), new.to_dict()) == ["model.latent_dim: 8 -> 3"]
    old.optim.vae.schedule = new.optim.vae.schedule = "cosine"
    assert "train.epochs: 150 -> 9" in differences(old.to_dict(), new.to_dict())
    assert not differences({"data": {"path": "here"}}, {"data": {"path": "there"}}), "their fingerprint tells data"
