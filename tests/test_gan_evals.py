"""What is said of a GAN: signals of known images, verdicts on known histories, distances."""
import re
import signal

import numpy as np
import pytest

from configs import dcgan_digits
from gen_jax import experiment, grids
from gen_jax.data import Splits, take
from gen_jax.evals import Trained
from gen_jax.evals.health import _gan_ailments, gan_signals
from gen_jax.evals.samples import latent_walk, nearest_images, quality, samples_over_time
from gen_jax.judges import classifier
from gen_jax.report import results
from gen_jax.report.workdir import Workdir
from gen_jax.runs import trained_of
from gen_jax.training.interrupt import Interrupted, Interrupts

HEALTHY = {"disc/loss": 1.0, "gen/loss": 1.3, "disc/real": 0.65, "disc/fake": 0.35, "test/real": 0.6, "test/fake": 0.3,
           "samples/diversity": 0.95, "samples/spacing": 0.9, "samples/nearest": 1.2, "samples/copied": 0.05}


@pytest.mark.parametrize("word,sign", [
    ("healthy", {}), ("diverged", {"gen/loss": 100.0}), ("diverged", {"samples/nearest": 3.0}),
    ("diverged", {"disc/loss": None}), ("mode collapse", {"samples/diversity": 0.1}),
    ("mode collapse", {"samples/spacing": 0.1}),
    ("discriminator saturated", {"disc/real": 0.99, "disc/fake": 0.01}),
])
def test_a_verdict_is_what_holds_to_the_end_and_since_when(word, sign):
    bad = [HEALTHY | (sign if 3 <= i < 5 or i >= 8 else {}) | {"step": 10 * i, "epoch": i} for i in range(12)]
    bad = _gan_ailments.signals(bad)
    told = "healthy at step 110 " if not sign else f"{word} since step 80 (epoch 8)"
    assert _gan_ailments.verdict(bad).startswith(told)
    assert _gan_ailments.verdict(bad[:8]).startswith("healthy"), "a bad patch that has passed"
    assert _gan_ailments.verdict(bad[:2]).startswith("unknown")
    unclear = [record | {"samples/nearest": np.nan} for record in bad[:8]]
    assert _gan_ailments.verdict(unclear).startswith("unknown at step")


def test_copies_are_seen_in_the_mean_if_they_are_near():
    many = [HEALTHY | {"samples/copied": 0.3 + 0.4 * (i % 2), "step": i, "epoch": i} for i in range(12)]
    for distance, word in ((0.8, "copying since step 1 "), (0.95, "healthy"), (1.2, "healthy")):
        records = [record | {"samples/nearest": distance} for record in many]
        assert _gan_ailments.verdict(_gan_ailments.signals(records)).startswith(word)


def test_swings_are_seen():
    swinging = [HEALTHY | {"test/real": 0.9 if i % 2 else 0.3, "step": i, "epoch": i} for i in range(12)]
    assert _gan_ailments.verdict(_gan_ailments.signals(swinging)).startswith("oscillating since step 4 ")


def test_samples_that_are_still_far_from_the_data_are_undertrained():
    def words(gaps):
        return _gan_ailments.verdict(_gan_ailments.signals([
            HEALTHY | {"features/distance": 0.5 + gap, "features/distance_real": 0.5, "step": 10 * i, "epoch": i}
            for i, gap in enumerate(gaps)]))
    far = _gan_ailments.LARGEST_GAP
    assert words([10 * far * 0.8**i for i in range(40)]).startswith("healthy"), "far at first, near at the end"
    coming, stuck = words([10 * far * 0.9**i for i in range(12)]), words([3 * far] * 12)
    assert coming.startswith("undertrained since step 0 ") and "train longer" in coming
    assert stuck.startswith("undertrained since step 0 ") and "does not close" in stuck
    assert words([0.5 * far] * 6 + [2.5 * far] * 12).startswith("undertrained since step 70 ")
    assert words([0.7 * far] * 11 + [2 * far]).startswith("healthy"), "one record is noise"


def test_label_smoothing_leaves_less_to_saturate():
    records = [HEALTHY | {"disc/real": 0.79, "disc/fake": 0.01, "step": i, "epoch": i} for i in range(12)]
    for smoothing, word in ((0.0, "healthy"), (0.1, "healthy"), (0.2, "discriminator saturated since step 0 ")):
        assert _gan_ailments.verdict(_gan_ailments.signals(records, smoothing)).startswith(word)


def test_signals_that_an_objective_does_not_report_make_the_verdict_unknown():
    records = [{name: value for name, value in HEALTHY.items() if name != "disc/real"} | {"step": i} for i in range(12)]
    assert _gan_ailments.verdict(_gan_ailments.signals(records)).startswith("unknown")


@pytest.fixture
def trained(tmp_path):
    """Digits, and an untrained GAN."""
    config = dcgan_digits.get_config()
    config.model.update({"gen_widths": (8, 8), "disc_widths": (8, 8)})
    built = experiment.build(config)
    return trained_of(built, built.begin().state, Workdir(tmp_path / "none"), [])


def test_signals_of_copies_of_constant_images_and_of_real_ones(trained, monkeypatch):
    def signals(samples):
        monkeypatch.setattr(Trained, "draw", lambda self, key, num: samples)
        found = dict(gan_signals.evaluate(trained))
        assert all(number.protocol["real"] for name, number in found.items() if name != "ema/distance")
        return {name: getattr(number, "value", number) for name, number in found.items()}
    copies = signals(trained.train_x[:256])
    assert copies["samples/copied"] == 1 and copies["samples/nearest"] < 0.01
    assert copies["samples/diversity"] == pytest.approx(1, abs=0.05)
    assert copies["samples/spacing"] == pytest.approx(1, abs=0.15)
    assert signals(np.full_like(trained.train_x[:256], 0.5))["samples/diversity"] == pytest.approx(0, abs=1e-3)
    repeated = signals(np.resize(trained.train_x[:10], (256, 8, 8, 1)))
    assert repeated["samples/diversity"] > 0.7 and repeated["samples/spacing"] == pytest.approx(0, abs=1e-3)
    half = (trained.train_x[:256] + trained.train_x[256:512]) / 2
    assert signals(half)["samples/copied"] < 0.5
    assert {"test16/disc_loss", "test16/gen_loss"} <= set(copies)
    trained.data = Splits({"train": trained.train, "test": take(trained.test, np.arange(20))}.get)
    assert signals(trained.train_x[:256])["samples/spacing"] == pytest.approx(1, abs=0.35), "20 with 20"


def test_a_classifier_is_trained_once_and_tells_digits_from_noise(trained, tmp_path, monkeypatch):
    for name, value in {"WIDTHS": (16, 32, 32), "STEPS": 80, "RATE": 0.01}.items():
        monkeypatch.setattr(classifier, name, value)
    trained.config.unlock()
    trained.config.data.cache_dir = str(tmp_path)
    first = dict(quality.evaluate(trained))
    name, = {of.protocol["features"] for of in first.values()}
    assert re.fullmatch("digits-cnn:[0-9a-f]{6}", name) and first[f"accuracy[{name}]/test"].value > 0.7
    assert 0 <= first[f"FD[{name}]/test"].value < 0.2 * first[f"FD[{name}]/samples"].value
    assert 1 <= first[f"score[{name}]/samples"].value < first[f"score[{name}]/test"].value <= 10
    monkeypatch.setattr(classifier, "_train", lambda *args: pytest.fail("trained again"))
    assert dict(quality.evaluate(trained)) == first, "the second time it is read"
    kept, = tmp_path.rglob("judge-*.msgpack")
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.write_bytes(content)
    with pytest.raises(pytest.fail.Exception, match="trained again"):  # damaged, it would be
        dict(quality.evaluate(trained))


def test_what_a_judge_cannot_do_and_when_it_stops(trained, tmp_path, monkeypatch):
    trained.config.unlock()
    trained.config.data.cache_dir = str(tmp_path)
    monkeypatch.setattr(classifier.logging, "warning", lambda *args: signal.raise_signal(signal.SIGINT))
    with Interrupts() as interrupts, pytest.raises(Interrupted), interrupts.at_once("stopped"):
        dict(quality.evaluate(trained))
    monkeypatch.undo()
    assert not list(tmp_path.rglob("judge-*")), "one that is half trained is not kept"
    sources = {"train": trained.train, "test": take(trained.test, np.arange(1))}
    trained.data = Splits(sources.get)
    assert not dict(quality.evaluate(trained))


def test_a_planted_copy_is_found_at_distance_0_and_stands_first(trained):
    x = trained.test_x[:20].copy()
    x[7] = trained.train_x[500]
    found = nearest_images.pairs(trained, x)
    np.testing.assert_array_equal(found.nearest[0], found.x[0])
    assert found.distances[0] == pytest.approx(0, abs=1e-5) and found.distances[1] > 0.1
    every = np.sqrt(np.square(found.x[3] - trained.train_x).sum((1, 2, 3)))
    assert found.distances[3] == pytest.approx(every.min(), rel=1e-5)


def test_a_walk_turns_evenly_and_comes_back(trained):
    latents = np.random.default_rng(0).standard_normal((3, 32)).astype(np.float32)
    path = latent_walk.walk(latents, 8)
    np.testing.assert_allclose(path[:, 0], latents, rtol=1e-5)
    lengths = np.linalg.norm(np.concatenate([path.reshape(24, 32), latents[:1]]), axis=1)
    steps = np.diff(lengths).reshape(3, 8)  # along each leg the length changes evenly: no dip, as on a line
    np.testing.assert_allclose(steps, np.repeat(steps.mean(1, keepdims=True), 8, 1), atol=1e-5)
    trained.config.evals.latent_walk.update({"latents": 3, "steps": 4})
    (_, _), (_, animation) = latent_walk.evaluate(trained)
    assert len(animation.frames) == len(animation.captions) == 12 and animation.captions[-1] == "latent 3 to 1"
    trained.data = Splits(lambda split: pytest.fail("an unconditional model needs no data for it"))
    assert len(list(latent_walk.evaluate(trained))) == 2


def test_the_strip_and_the_animation_show_what_was_drawn(trained, tmp_path):
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, 256, (64, 8, 8, 1), dtype=np.uint8) for _ in range(3)]
    for epoch, x in enumerate(drawn, 1):
        results.save(tmp_path / f"samples_{epoch:04d}", grids.grid(x, 8))
    results.save(tmp_path / "samples_0000", grids.grid(drawn[0][:16], 4))  # with another evals.samples.num
    trained.history = [{"step": 44, "epoch": 2}]
    trained.saved = lambda name: sorted(tmp_path.glob(f"{name}_*.png"))
    (_, animation), (_, strip) = samples_over_time.evaluate(trained)
    assert len(animation.frames) == 2, "the third is of steps that a resumed run has not yet made again"
    for frame, x in zip(animation.frames, drawn, strict=False):
        np.testing.assert_array_equal(grids.tiles(frame, 8, (8, 8, 1)), x)
    assert animation.captions == ["epoch 1", "epoch 2"]
    results.save(tmp_path / "strip", strip)
    results.save(tmp_path / "strip", animation)
    assert (tmp_path / "strip.png").exists() and (tmp_path / "strip.gif").read_bytes()[:4] == b"GIF8"
