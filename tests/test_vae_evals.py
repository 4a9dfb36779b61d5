"""What is said of a VAE: signals of known posteriors and decoders, verdicts on known histories."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import vae_digits
from gen_jax import experiment
from gen_jax.data import Splits, take
from gen_jax.evals.health import _vae_ailments, vae_health, vae_signals
from gen_jax.report.workdir import Workdir
from gen_jax.runs import trained_of
from gen_jax.style import styled

HEALTHY = {"train/recon": 80.0, "train/kl": 20.0, "test/recon": 85.0, "test/kl": 20.0, "active/test": 1.0,
           "logvar_low/test": -6.0, "logvar_high/test": 0.1, "kl_most/test": 3.0, "explained/train": 0.85,
           "explained/test": 0.8, "prior_gap/test": 0.01, "prior_holes/test": 1.3,
           "distance/samples": 1.2}


def words(*signs):
    """The verdict on as many records as there are changes of a healthy one."""
    records = [HEALTHY | sign | {"step": 10 * i, "epoch": i} for i, sign in enumerate(signs)]
    return _vae_ailments.verdict(_vae_ailments.signals(records))


@pytest.mark.parametrize("ailment,sign", [
    ("exploding variance", {"logvar_high/test": 3.0}), ("exploding variance", {"kl_most/test": 500.0}),
    ("exploding variance", {"logvar_high/test": None}),
    ("posterior collapse", {"active/test": 0.0}), ("posterior collapse", {"test/kl": 0.01}),
    ("over-regularisation", {"explained/train": 0.1, "kl_most/test": 0.3}),
    ("undertrained", {"explained/train": 0.1}),
    ("undertrained", {"explained/train": -0.5, "kl_most/test": 0.3}), ("over-fitting", {"explained/test": 0.3}),
    ("prior holes", {"prior_gap/test": 0.2}), ("prior holes", {"prior_holes/test": 10.0}),
    ("unused units", {"active/test": 0.1}),
])
def test_a_verdict_is_what_holds_to_the_end_and_since_when(ailment, sign):
    assert words(*[{}] * 3, *[sign] * 2, *[{}] * 3, *[sign] * 2).startswith(f"{ailment} since step 80 (epoch 8): ")
    assert words(*[sign] * 4, {}).startswith("healthy at step 40 (epoch 4)"), "a bad patch that has passed"
    assert words(sign, sign).startswith("unknown: 2 records")


def test_a_bound_that_rises_on_test_examples_alone_is_over_fitting():
    fall, rise = [{"test/recon": 85.0 - i} for i in range(5)], [{"test/recon": 81.0 + 3 * i} for i in range(1, 5)]
    learning = [{"train/recon": 70.0 - i} for i in range(len(rise))]
    assert words(*fall, *[up | down for up, down in zip(rise, learning, strict=True)]).startswith(
        "over-fitting since step 60 (epoch 6)")
    assert words(*fall, *[up | {"train/recon": 90.0} for up in rise]).startswith("healthy"), "both splits rise"
    little = [{"test/recon": 85.0 - down, "train/recon": 70.0 - i} for i, down in enumerate((0.0, 2.0, 0.5, 0.4))]
    assert words(*little).startswith("healthy"), "1.6 of 103 nats, after a fall of 2"


def test_ailments_that_hold_beside_the_gravest_are_named():
    both = words(*[{"prior_gap/test": 0.2}] * 2, *[{"prior_gap/test": 0.2, "logvar_high/test": 3.0}] * 2)
    assert both.startswith("exploding variance since step 20 (epoch 2): ")
    assert both.endswith("; also prior holes since step 0 (epoch 0)")


@pytest.mark.parametrize("sign,start", [("prior_gap/test", 0.5), ("prior_holes/test", 50.0)])
def test_codes_that_still_come_nearer_to_the_prior_need_time(sign, start):
    still, stuck = (words(*[{sign: start * by**i} for i in range(5)]) for by in (0.7, 1.0))
    assert "train longer" in still and "raise beta" in stuck


@pytest.fixture
def trained(tmp_path):
    """Digits, and an untrained VAE."""
    config = vae_digits.get_config()
    config.model.widths, config.model.latent_dim = (8,), 64
    built = experiment.build(config)
    return trained_of(built, built.begin().state, Workdir(tmp_path / "none"), [])


def signals(trained, posterior, decode):
    """The signals of a VAE with this posterior (x -> mean, logvar) and decoder (z -> x)."""
    predict = dict(trained.objective.predict) | {"posterior": lambda vars, x, given: posterior(x.reshape(len(x), -1)),
                                                 "decode": lambda vars, z, given: decode(z).reshape(-1, 8, 8, 1)}
    trained.objective = trained.objective._replace(predict=predict)
    return {name: number.value for name, number in vae_signals.evaluate(trained)}


def test_signals_of_a_posterior_that_is_the_prior_and_a_decoder_that_gives_the_mean(trained):
    mean = trained.train_x.mean(0).reshape(1, -1)
    found = signals(trained, lambda x: (jnp.zeros_like(x), jnp.zeros_like(x)),
                    lambda z: jnp.tile(mean, (len(z), 1)))
    assert found["active/test"] == found["kl_most/test"] == found["logvar_low/test"] == 0
    assert found["explained/test"] == pytest.approx(0, abs=0.02)
    assert found["prior_gap/test"] == pytest.approx(0, abs=0.005)
    assert found["prior_holes/test"] == pytest.approx(1, abs=0.02)
    assert found["distance/samples"] == pytest.approx(1)


def test_signals_of_codes_that_hold_the_whole_example(trained):
    found = signals(trained, lambda x: (x, jnp.where(jnp.arange(64)[None] < 1, 2.0, -9.0) + 0 * x), lambda z: z)
    assert found["explained/train"] == found["explained/test"] == pytest.approx(1)
    assert found["logvar_low/test"] == -9 and found["logvar_high/test"] == 2
    varies = trained.test_x.reshape(-1, 64).var(0) > vae_signals.ACTIVE_VARIANCE
    assert found["active/test"] == pytest.approx(varies.mean())


def test_the_energy_distance_of_normals_is_its_closed_form():
    # Of N(0, I) and N(0, s^2 I), 1 - (1 + s) / sqrt(2 (1 + s^2)) in any dimension.
    a, b = np.random.default_rng(0).standard_normal((2, 1500, 3))
    assert vae_signals.energy(a, 3 * b) == pytest.approx(1 - 4 / np.sqrt(20), abs=0.01)
    assert vae_signals.energy(a, b) == pytest.approx(0, abs=0.002)
    assert vae_signals.energy(a, b + 1000) == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("latents", [2, 32])
def test_holes_between_clusters_whose_mean_and_variance_are_the_prior_s(latents):
    rng = np.random.default_rng(0)
    prior, same, near = rng.standard_normal((3, 500, latents))
    centres = rng.standard_normal((10, latents))
    centres = (centres - centres.mean(0)) / centres.std(0)
    clustered = centres[rng.integers(10, size=500)] + 0.1 * near
    assert vae_signals.energy(clustered, prior) < 0.03, "so that it does not tell"
    assert vae_signals.holes(clustered, prior) == pytest.approx(1 / 0.1, rel=0.4)
    assert vae_signals.holes(same, prior) == pytest.approx(1, abs=0.1)


def test_latents_that_tell_nothing_hide_no_others(trained):
    """Eight latents are three times as wide as the prior; the other 56 are as the prior is."""
    def posterior(x):
        wide = 3 * jax.random.normal(jax.random.key(0), x.shape) * (jnp.arange(64)[None] < 8)
        return wide, jnp.where(jnp.arange(64)[None] < 8, -9.0, 0.0) + 0 * x
    found = signals(trained, posterior, lambda z: z)
    assert found["prior_gap/test"] == pytest.approx(1 - 4 / np.sqrt(20), abs=0.015)


def test_each_number_says_of_how_many_examples_it_is(trained):
    found = {name: number.protocol for name, number in vae_signals.evaluate(trained)}
    test, train = {"real": 359, "real_split": "test"}, {"real": 500, "real_split": "train"}
    assert found.pop("explained/train") == train and found.pop("distance/samples") == train | {"fake": 359}
    assert all(protocol == test for protocol in found.values())
    assert {*found, "explained/train", "distance/samples"} < {*_vae_ailments.READ}


def test_no_signals_of_a_single_test_example(trained):
    trained.data = Splits({"train": trained.train, "test": take(trained.test, np.arange(1))}.get)
    assert not dict(vae_signals.evaluate(trained))


def test_the_figure_shows_what_was_recorded(trained):
    trained.history = [HEALTHY | {"step": 10 * i, "epoch": i, "active/test": 0.1} for i in range(4)]
    with styled():
        found = dict(vae_health.evaluate(trained))
    assert found["health/verdict"].startswith("unused units since step 0 (epoch 0)")
    panels = {axes.get_title(): axes for axes in found["vae_health"].axes}
    assert len(panels) == len(vae_health._panels(trained)) and len(panels["KL"].lines) == 4  # with the grey one
    assert list(panels["latents in use"].lines[0].get_ydata()) == [0.1] * 4
    assert "unused units since then" in found["vae_health"].get_suptitle()
