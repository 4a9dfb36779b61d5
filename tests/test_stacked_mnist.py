"""Stacked MNIST: its images, its labels, and how its modes are counted."""
import os
from pathlib import Path

import numpy as np
import pytest
from _loading import both, config, refusal
from _planted import measured, planted, splits_of

from configs import base
from gen_jax import data
from gen_jax.data import labelled, stacked_mnist, tfds
from gen_jax.evals.samples import stacked_modes
from gen_jax.judges.classifier import Classifier
from gen_jax.modes.data import show
from gen_jax.report.workdir import Workdir
from gen_jax.types import Source

DIGITS = np.arange(10)


def grey(hp, split):
    """Images 2x2 of the digits in turn: a training image of digit k is k * 25, a test image one more."""
    labels = np.arange({"train": 40, "test": 20}[split], dtype=np.int32) % 10
    pixels = (labels * 25 + (split == "test")).astype(np.uint8)[:, None, None, None]
    return labelled(np.broadcast_to(pixels, (len(labels), 2, 2, 1)).copy(), labels, tuple("0123456789"))


@pytest.fixture
def made_up(monkeypatch):
    """TFDS has made-up digits."""
    monkeypatch.setattr(tfds, "load", grey)
    monkeypatch.delattr(tfds, "state")


def test_three_digits_are_the_channels_and_the_label(made_up):
    hp = config(name="stacked_mnist", num_train=300, num_test=100)
    train, test = (data.load(hp, split) for split in ("train", "test"))
    assert train.x.shape == (300, 2, 2, 3) and test.x.shape == (100, 2, 2, 3) and train.x.flags.c_contiguous
    for source, more in ((train, 0), (test, 1)):
        shown = ["".join(str((int(value) - more) // 25) for value in x[0, 0]) for x in source.x]
        assert shown == [source.classes[label] for label in source.labels]
        assert (source.x == source.x[:, :1, :1]).all() and (source.x % 25 == more).all(), "of its own split"
    assert len(train.classes) == 1000 and train.classes[::333] == ("000", "333", "666", "999")
    assert len(np.unique(train.labels)) > 200


def test_the_seed_decides_which_digits_and_nothing_else_does(made_up):
    prints = [data.fingerprint(both(name="stacked_mnist", num_train=300, num_test=100, seed=seed)[0])
              for seed in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]
    default = data.load(config(name="stacked_mnist"), "test")
    assert len(default.x) == 26_000
    np.testing.assert_allclose(np.bincount(default.labels // 100) / 2600, 1, atol=0.1)


def test_images_without_labels_are_refused_and_more_than_ten_classes_named_alike(made_up, monkeypatch):
    assert stacked_mnist.names(12)[:3] == ("000000", "000001", "000002") and stacked_mnist.names(12)[-1] == "111111"
    assert stacked_mnist.names(12)[stacked_mnist.stacked(np.array([[11, 0, 7]]), 12)[0]] == "110007"
    monkeypatch.setattr(tfds, "load", lambda hp, split: Source(grey(hp, split).x))
    assert "have no labels" in refusal(name="stacked_mnist")


def test_data_mode_shows_them_in_a_few_lines(made_up, tmp_path, capsys):
    wanted = base.get_config()
    wanted.data = config(name="stacked_mnist", num_train=200, num_test=50)
    from configs import dcgan_stacked_mnist
    launched = dcgan_stacked_mnist.get_config()
    launched.data = wanted.data
    show(launched, Workdir(tmp_path))
    out = capsys.readouterr().out
    assert "label: 1,000 classes" in out and max(map(len, out.splitlines())) < 200
    assert (tmp_path / "data.png").exists()


def digits_of(triples) -> Source:
    """Images 2x2x3 whose channels are k / 9 for digit k."""
    pixels = np.round(np.asarray(triples) * 255 / 9).astype(np.uint8)
    return labelled(np.broadcast_to(pixels[:, None, None], (len(pixels), 2, 2, 3)).copy(),
                    stacked_mnist.stacked(np.asarray(triples), 10), stacked_mnist.names(10))


def planted_classifier(hp) -> Classifier:
    """It knows digit k by stored pixels of k / 9 of the whole range."""
    def logits(x):
        return -np.abs(x.mean((1, 2, 3))[:, None] * 9 / 255 - DIGITS[None])
    return Classifier(lambda x: (x, logits(x)), tuple("0123456789"), 1.0, "planted")


def test_modes_are_counted_channel_by_channel(monkeypatch):
    monkeypatch.setattr(stacked_modes, "classifier", planted_classifier)
    every = np.stack(np.meshgrid(DIGITS, DIGITS, DIGITS, indexing="ij"), -1).reshape(-1, 3)
    rng, hp = np.random.default_rng(0), config(name="stacked_mnist")
    drawn = rng.integers(0, 10, (26_000, 3))
    test = splits_of(digits_of(every), digits_of(drawn))

    def found(triples):
        return measured("stacked_modes", planted(digits_of(triples).x.astype(np.float32) / 255, test, hp))
    uniform, one = found(drawn[::-1]), found([[3, 1, 4]])
    assert uniform["stacked/modes/samples"] == uniform["stacked/modes/test"] == 1000
    bias = 999 / (2 * 26_000)
    assert uniform["stacked/reverse_kl/samples"] == pytest.approx(bias, rel=0.15)
    assert uniform["stacked/reverse_kl/test"] == pytest.approx(bias, rel=0.15)
    assert one["stacked/modes/samples"] == 1 and one["stacked/reverse_kl/samples"] == pytest.approx(np.log(1000))
    three = found([[3, 1, 4], [4, 1, 3], [3, 4, 1], [3, 1, 4]])
    assert three["stacked/modes/samples"] == 3, "the order of the channels counts"
    assert three["stacked/reverse_kl/samples"] == pytest.approx(np.log(1000) - 1.5 * np.log(2), abs=1e-4)


def test_other_data_are_named_before_training():
    wanted = base.get_config()
    assert "data.name=stacked_mnist" in next(stacked_modes.data_faults(wanted, None, None))
    wanted.data = config(name="stacked_mnist", classes="000,111")
    assert "all modes" in next(stacked_modes.data_faults(wanted, None, None))
    wanted.data.classes = ""
    assert not list(stacked_modes.data_faults(wanted, None, None))


def test_the_real_digits_have_their_labels():
    if not Path(os.environ.get("TFDS_DATA_DIR", "/nowhere"), "mnist").is_dir():
        pytest.skip("TFDS_DATA_DIR holds no prepared mnist")
    hp = config(name="stacked_mnist", num_test=200)
    single, source = data.load(stacked_mnist.single_hp(hp), "test"), data.load(hp, "test")
    label_of = {image.tobytes(): label for image, label in zip(single.x, single.labels, strict=True)}
    shown = ["".join(str(label_of[x[..., channel].tobytes()]) for channel in range(3)) for x in source.x]
    assert shown == [source.classes[label] for label in source.labels]
