"""What is done to all data sets: classes, caps, fingerprint; digits, made-up images, arrays on disk."""

import numpy as np
import pytest
from _loading import both, config, refusal
from matplotlib.figure import Figure

from gen_jax import data
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.types import Source

DIGITS_SHA256 = {"train": "b572b834e5b80e445326a1a5bc27d5f3fc5ac15bccb1e6834f67a316724d1bbb",
                 "test": "99963d426cbf41d49cbea7fc3d83993617187c31462e74528ed7c4ac0d6c00a1"}


def test_digits_are_a_fixed_stratified_disjoint_split():
    train, test = both()
    assert train.x.shape == (1438, 8, 8, 1) and test.x.shape == (359, 8, 8, 1)
    assert np.ptp(np.bincount(test.labels)) <= 2
    assert {int(value) for value in np.unique(train.x)} == {round(level * 255 / 16) for level in range(17)}
    assert data.duplicates(train, test) == 0
    assert {"train": data.fingerprint(train), "test": data.fingerprint(test)} == DIGITS_SHA256


def test_made_up_images_are_the_same_each_time_and_tell_their_class():
    train, test = both(name="made_up", shape=(12, 10, 3))
    assert data.fingerprint(train) == data.fingerprint(both(name="made_up", shape=(12, 10, 3))[0])
    means = np.stack([train.x[train.labels == label].mean(0) for label in range(10)])
    distance = ((test.x[:, None] - means) ** 2).sum((2, 3, 4))
    assert (distance.argmin(1) == test.labels).mean() > 0.95


def test_classes_are_kept_by_name_or_index_in_the_order_given(tmp_path):
    images = np.arange(6, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)
    np.savez(tmp_path / "a.npz", x_train=images, y_train=[0, 1, 2, 0, 1, 2], x_test=images, y_test=[0, 1, 2, 0, 1, 2],
             classes=["cat", "dog", "truck"])
    kept = data.load(config(name="npz", path=tmp_path / "a.npz", classes="truck, 0"), "train")
    assert kept.classes == ("truck", "cat")
    assert kept.x[:, 0, 0, 0].tolist() == [0, 2, 3, 5] and kept.labels.tolist() == [1, 0, 1, 0]
    assert "did you mean 'truck'" in refusal(name="npz", path=tmp_path / "a.npz", classes="trukc")
    assert "twice" in refusal(name="npz", path=tmp_path / "a.npz", classes="cat,0")


def test_a_cap_is_a_fixed_choice_in_proportion_and_smaller_ones_lie_in_larger_ones():
    small, large = (data.load(config(num_train=count), "train") for count in (100, 300))
    assert len(small.x) == 100 and np.ptp(np.bincount(small.labels)) <= 2
    assert data.duplicates(large, small) == 100
    assert len(data.load(config(num_train=10**6), "train").x) == 1438


def test_a_setting_that_a_data_set_does_not_have_is_refused():
    with pytest.raises(UserError, match=r"digits.hp\(size=...\): digits has no such setting"):
        config(size=(28, 28))
    hp = config(name="npz", test_fraction=1.0)
    hp["sise"] = 3
    faults = list(find("data", "npz").hp.faults(hp, "data"))
    assert faults[0].startswith("data.sise: npz has no such setting") and len(faults) == 2
    assert faults[1] == "data.test_fraction=1.0: must be between 0 and 1"


def test_binarized_pixels_are_drawn_once_with_their_grey_value_s_probability():
    grey, black_or_white = (both(binarize=binarize)[0].x for binarize in (False, True))
    assert set(np.unique(black_or_white)) == {0, 255}
    np.testing.assert_array_equal(black_or_white, both(binarize=True)[0].x)
    assert abs(black_or_white[grey == 128].mean() / 255 - 128 / 255) < 0.02


def test_fingerprint_changes_with_one_pixel_one_label_and_one_name():
    source = data.load(config(), "test")
    pixel, label = source.x.copy(), source.labels.copy()
    pixel[5, 3, 3, 0] ^= 1
    label[7] = (label[7] + 1) % 10
    changed = [source._replace(x=pixel), source._replace(given={"label": label}),
               source._replace(names={"label": ("zero", *source.classes[1:])}),
               source._replace(x=source.x.reshape(-1, 4, 16, 1)), source._replace(given={}, names={}),
               source._replace(given={**source.given, "low": source.x[:, ::2]})]
    assert len({data.fingerprint(each) for each in [source, *changed]}) == 7


def test_duplicates_counts_test_images_that_training_has_too():
    train, test = both()
    leaked = train._replace(x=np.concatenate([train.x, test.x[:3], test.x[:3]]))
    assert data.duplicates(leaked, test) == 3


def test_both_splits_are_given_the_same(caplog):
    train, test = (Source(np.zeros((4, 2), np.float32), {"label": np.zeros(4, np.int32)}, {"label": names})
                   for names in (("a", "b"), ("b", "a")))
    other = data.Splits({"train": train, "test": test}.get)
    seen = []
    for _ in range(2):
        with pytest.raises(UserError, match="'label' has other shapes or names") as caught:
            other.train  # noqa: B018
        seen.append(caught.value)
    assert seen[0] is not seen[1], "one that is raised again and again would grow"
    bare = data.Splits({"train": train, "test": Source(test.x)}.get)
    assert bare.train.labels is None and bare.train.classes == () and "label is given with one" in caplog.text


def test_npz_in_both_layouts_and_npy(tmp_path):
    images = np.random.RandomState(0).randint(0, 256, (20, 5, 4, 3)).astype(np.uint8)
    labels = np.arange(20)[:, None] % 2
    np.savez(tmp_path / "keras.npz", x_train=images[:15], y_train=labels[:15], x_test=images[15:], y_test=labels[15:])
    train, test = both(name="npz", path=tmp_path / "keras.npz")
    assert (train.x == images[:15]).all() and (test.labels == labels[15:, 0]).all() and test.classes == ("0", "1")
    np.savez(tmp_path / "one.npz", images=images, labels=labels, classes=["even", "odd"])
    train, test = both(name="npz", path=tmp_path / "one.npz")
    assert len(train.x) == 16 and np.bincount(test.labels).tolist() == [2, 2] and test.classes == ("even", "odd")
    np.save(tmp_path / "grey.npy", images[..., 0])
    train, test = both(name="npz", path=tmp_path / "grey.npy")
    assert train.x.shape == (16, 5, 4, 1) and test.labels is None


def test_npz_refuses_what_it_would_have_to_guess(tmp_path):
    def line(**arrays):
        np.savez(tmp_path / "a.npz", **arrays)
        return refusal(name="npz", path=tmp_path / "a.npz")

    images = np.zeros((4, 5, 5), np.uint8)
    assert "float64 with values 0.0..0.5" in line(images=images + [[[0.0]], [[0.5]], [[0.0]], [[0.0]]])
    assert "transpose" in line(images=images[:, None].repeat(3, 1))
    assert "integers [4]" in line(images=images, labels=np.eye(4))
    assert "integers [4]" in line(images=images, labels=[1, 2, 3])
    assert "-1..2" in line(images=images, labels=[0, 1, 2, -1])
    assert "0..2; they must be 0..1" in line(images=images, labels=[0, 1, 2, 0], classes=["a", "b"])
    assert "it needs x_train" in line(pictures=images)
    assert "pickles" in line(images=np.array([{}], object))
    (tmp_path / "a.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:100])
    assert "cannot be read" in refusal(name="npz", path=tmp_path / "a.npz")
    assert "cannot be read" in refusal(name="npz", path=tmp_path / "b.npz")


def test_npz_gives_what_goes_with_x_and_what_it_means(tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    halves = {"train": slice(0, 15), "test": slice(15, 20)}
    tokens, low = np.arange(40, dtype=np.int64).reshape(20, 2) % 4, x[:, :1].astype(np.float64)
    np.savez(tmp_path / "a.npz", names_tokens=["a", "b", "c", "d"],
             **{f"x_{half}": x[rows] for half, rows in halves.items()},
             **{f"given_tokens_{half}": tokens[rows] for half, rows in halves.items()},
             **{f"given_low_{half}": low[rows] for half, rows in halves.items()})
    train, test = both(name="npz", path=tmp_path / "a.npz", kind="points")
    assert set(test.given) == {"tokens", "low"} and test.labels is None
    assert test.given["tokens"].dtype == np.int32 and test.given["low"].dtype == np.float32
    np.testing.assert_array_equal(test.given["tokens"], tokens[15:])
    np.testing.assert_array_equal(train.given["low"], x[:15, :1])
    assert train.names == {"tokens": ("a", "b", "c", "d")}
    spec = data.spec(train, data.kind(config(name="npz", kind="points")))
    assert (spec.x, spec.given["tokens"].shape, spec.kind.name) == ((3,), (1, 2), "points")
    np.savez(tmp_path / "b.npz", x=x, given_low=low[:5])
    assert "given_low in" in refusal(name="npz", path=tmp_path / "b.npz", kind="points")
    np.savez(tmp_path / "c.npz", x=x, given_low=low)
    train, test = both(name="npz", path=tmp_path / "c.npz", kind="points", test_fraction=0.25)
    assert (len(train.x), len(test.x)) == (15, 5)
    np.testing.assert_array_equal(test.x[:, :1], test.given["low"])


def test_npz_takes_each_kind_of_data_and_refuses_what_does_not_fit(tmp_path):
    def line(x, kind):
        np.savez(tmp_path / "a.npz", x=x)
        return refusal(name="npz", path=tmp_path / "a.npz", kind=kind)
    sequences = np.zeros((10, 5, 2), np.float32)
    np.savez(tmp_path / "s.npz", x=sequences, given_length=np.full(10, 5))
    train, _ = both(name="npz", path=tmp_path / "s.npz", kind="sequence")
    assert train.x.shape == (8, 5, 2) and train.given["length"].dtype == np.int32
    assert "sequences must be float32 [N,T,F], not float64 (10, 5, 2)" in line(sequences.astype(np.float64), "sequence")
    assert "points must be float32 [N,D], not float32 (10, 5, 2)" in line(sequences, "points")
    assert "points must be finite" in line(np.full((10, 2), np.nan, np.float32), "points")
    assert "sequences must be finite" in line(sequences + np.inf, "sequence")
    (fault,) = find("data", "npz").hp.faults(config(name="npz", kind="pionts"), "data")
    assert "data.kind='pionts': must be image, points, sequence" in fault


@pytest.mark.parametrize("kind,x,wrong", [
    ("image", np.zeros((2, 4, 4, 3), np.uint8), [np.zeros((2, 4, 4, 3), np.float32), np.zeros((2, 4, 4, 2), np.uint8),
                                                 np.zeros((2, 4, 4), np.uint8)]),
    ("points", np.zeros((2, 3), np.float32), [np.zeros((2, 3)), np.zeros(2, np.float32)]),
    ("sequence", np.zeros((2, 5, 3), np.float32), [np.zeros((2, 5), np.float32), np.zeros((2, 5, 3), np.uint8)]),
])
def test_each_kind_says_what_is_wrong_draws_and_measures(kind, x, wrong):
    kind = find("data.kinds", kind).KIND
    assert kind.fault(x) == "" and all(kind.fault(each) for each in wrong)
    rng = np.random.default_rng(0)
    seen = np.asarray(kind.to_model(x)) + rng.uniform(0, 1, x.shape).astype(np.float32)
    assert kind.to_stored(seen).dtype == x.dtype
    np.testing.assert_allclose(kind.from_generator(kind.to_generator(seen)), seen, atol=1e-6)
    a, b = rng.uniform(0, 1, (2, 4, *x.shape[1:])).astype(np.float32)
    want = np.square(a[:, None] - b[None]).reshape(4, 4, -1).sum(-1)
    np.testing.assert_allclose(kind.distances(a, b), want, atol=1e-5)
    picture = kind.draw(seen, 2, lambda: seen)
    assert isinstance(picture, Figure) or picture.dtype == np.uint8
