"""Every data set through gen_jax.data.load, and what is done to all of them: classes, caps, cache, fingerprint."""
import gzip
import hashlib
import io
import json
import os
import shutil
import socket
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jax
import numpy as np
import pytest
from matplotlib.figure import Figure
from ml_collections import ConfigDict
from PIL import Image

from gen_jax import data
from gen_jax.data import _files, _prepare, points
from gen_jax.errors import UserError
from gen_jax.find import find
from gen_jax.types import Batch, Source

DIGITS_SHA256 = {"train": "b572b834e5b80e445326a1a5bc27d5f3fc5ac15bccb1e6834f67a316724d1bbb",
                 "test": "99963d426cbf41d49cbea7fc3d83993617187c31462e74528ed7c4ac0d6c00a1"}


def config(name: str = "digits", **changes) -> ConfigDict:
    """config.data of one data set, with some settings changed and no cache."""
    changes = {"cache": False} | changes
    return find("data", name).hp(**{key: str(value) if isinstance(value, Path) else value
                                    for key, value in changes.items()})


def both(**changes) -> tuple[Source, Source]:
    return tuple(data.load(config(**changes), split) for split in ("train", "test"))


def refusal(split: str = "train", **changes) -> str:
    """The one line that the user gets."""
    with pytest.raises(UserError) as caught:
        data.load(config(**changes), split)
    (line,) = caught.value.args
    assert "\n" not in line
    return line


# Digits, made-up images, classes and caps

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


# Fingerprint and duplicates

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


# A folder of images

def save(path: Path, shape=(4, 6, 3), value=0, **options) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full(shape, value, np.uint8)
    Image.fromarray(pixels).save(path, **options)


def test_folder_with_classes_is_cut_by_class(tmp_path):
    for index in range(10):
        save(tmp_path / "ant" / f"{index}.png", value=index)
        save(tmp_path / "bee" / "deeper" / f"{index}.PNG", value=100 + index)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "ant" / ".DS_Store").write_bytes(b"x")
    (tmp_path / "ant" / "notes.txt").write_text("x")
    train, test = both(name="folder", path=tmp_path)
    assert train.classes == test.classes == ("ant", "bee")
    assert np.bincount(train.labels).tolist() == [8, 8] and np.bincount(test.labels).tolist() == [2, 2]
    assert data.duplicates(train, test) == 0
    assert ((train.x[:, 0, 0, 0] >= 100) == train.labels).all()


def test_folder_with_its_own_parts_numbers_classes_alike(tmp_path):
    save(tmp_path / "train" / "bee" / "a.png")
    save(tmp_path / "test" / "ant" / "a.png")
    save(tmp_path / "test" / "bee" / "a.png")
    train, test = both(name="folder", path=tmp_path)
    assert train.classes == test.classes == ("ant", "bee")
    assert train.labels.tolist() == [1] and test.labels.tolist() == [0, 1]
    shutil.rmtree(tmp_path / "test")
    assert f"data.path={tmp_path / 'train'}" in refusal(name="folder", path=tmp_path)


def test_folder_reads_every_mode(tmp_path):
    wide = np.full((4, 6), 257 * 200, np.uint16)
    rgba = Image.fromarray(np.full((4, 6, 4), (10, 20, 30, 0), np.uint8))
    pictures = {"a_grey": Image.fromarray(np.full((4, 6), 200, np.uint8)), "b_wide": Image.fromarray(wide),
                "c_bits": Image.new("1", (6, 4), 1), "d_palette": Image.new("RGB", (6, 4), "red").quantize(),
                "e_rgba": rgba, "f_grey_alpha": Image.new("LA", (6, 4), (50, 255))}
    for name, picture in pictures.items():
        picture.save(tmp_path / f"{name}.png")
    Image.new("CMYK", (6, 4)).save(tmp_path / "g_cmyk.jpg")
    Image.new("P", (6, 4)).save(tmp_path / "h_moving.gif", save_all=True, append_images=[Image.new("P", (6, 4), 9)])
    hp = {"name": "folder", "path": tmp_path, "test_fraction": 0.01}
    grey, colour, alpha = (data.load(config(**hp, channels=channels), "train") for channels in (1, 3, 4))
    assert grey.x[:, 0, 0, 0].tolist() == [200, 200, 255, 76, 255, 50, 255, 0]
    assert colour.x[3, 0, 0].tolist() == [255, 0, 0] and colour.x[4, 0, 0].tolist() == [255, 255, 255]
    assert alpha.x[4, 0, 0].tolist() == [10, 20, 30, 0] and colour.labels is None and colour.classes == ()
    assert "a_grey.png is 4x6x1 and" in refusal(**hp)


def test_folder_fits_sizes_as_asked(tmp_path):
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 20:60] = 255  # the middle square
    Image.fromarray(picture).save(tmp_path / "a.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # taken with the camera on its side
    Image.fromarray(picture).rotate(90, expand=True).save(tmp_path / "b.png", exif=turned)
    hp = {"name": "folder", "path": tmp_path, "test_fraction": 0.01, "size": (20, 20)}
    assert "a.png is 40x80" in refusal(**hp)
    assert data.load(config(**hp | {"size": ()}), "train").x.shape == (2, 40, 80, 3)
    cropped = data.load(config(**hp, fit="crop"), "train").x
    assert cropped.shape == (2, 20, 20, 3) and cropped.min() > 230
    stretched = data.load(config(**hp, fit="resize"), "train").x
    assert stretched.shape == (2, 20, 20, 3) and stretched[0, 0, 0, 0] == 0 and stretched[0, 0, 10, 0] == 255


def test_folder_says_what_is_wrong(tmp_path):
    hp = {"name": "folder", "path": tmp_path}
    assert "data.path" in refusal(name="folder")
    assert "no such folder" in refusal(name="folder", path=tmp_path / "nowhere")
    assert "no images" in refusal(**hp)
    save(tmp_path / "a" / "good.png")
    save(tmp_path / "b" / "good.jpg", shape=(40, 40, 3))
    assert "good.png is 4x6x3 and" in refusal(**hp)
    assert "has no test images" in refusal("test", **hp)
    broken = tmp_path / "b" / "good.jpg"
    broken.write_bytes(broken.read_bytes()[:-300])
    assert f"{broken} cannot be read" in refusal(**hp)
    broken.write_bytes(b"")
    assert f"{broken} cannot be read" in refusal(**hp)
    save(tmp_path / "loose.png")
    assert "loose.png lies beside" in refusal(**hp)


def test_folder_refuses_loops_and_what_is_no_file(tmp_path):
    for name in "ab":
        save(tmp_path / "images" / name / "0.png")
    hp = {"name": "folder", "path": tmp_path / "images", "cache": True, "cache_dir": tmp_path / "cache"}
    for target in ("..", "."):
        loop = tmp_path / "images" / "a" / "loop"
        loop.symlink_to(target)
        assert f"{loop} is a link to a folder that it lies in" in refusal(**hp)
        loop.unlink()
    (tmp_path / "images" / "c").symlink_to("b")  # no loop: a class of its own
    assert both(**hp)[0].classes == ("a", "b", "c")
    fifo, link = tmp_path / "images" / "a" / "1.png", tmp_path / "images" / "a" / "1.jpg"
    os.mkfifo(fifo)
    with pytest.raises(UserError, match=f"{fifo} cannot be read as an image .it is no file"):
        both(**hp)
    for name, each in (("npz", {}), ("points", {"shape": "drawing"})):
        assert f"{fifo} is no file" in refusal(name=name, path=fifo, **each)
    fifo.unlink()
    for target in ("1.jpg", "nowhere", "/dev/zero"):
        link.symlink_to(target)
        with pytest.raises(UserError, match=str(link)):
            both(**hp)
        link.unlink()


def test_folder_takes_names_that_are_not_utf_8(tmp_path):
    for name in (b"caf\xe9", b"a"):
        for index in range(5):
            save(tmp_path / os.fsdecode(name) / os.fsdecode(b"\xff%d.png" % index))
    train, test = both(name="folder", path=tmp_path, cache=True, cache_dir=tmp_path / os.fsdecode(b"\xfe"))
    assert train.classes == ("a", "caf\\xe9")
    assert data.fingerprint(train) == data.fingerprint(both(name="folder", path=tmp_path)[0])


# Arrays on disk

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


# Points

def test_ring_and_grid_are_their_normals():
    for shape, radius, std, num in (("ring", [1.0], 0.01, 8), ("grid", [0, 2, 4, 8**0.5, 20**0.5, 32**0.5], 0.05, 25)):
        hp = config(name="points", shape=shape, num_train=20_000)
        source, mixture = data.load(hp, "train"), points.modes(hp)
        assert data.fingerprint(source) == data.fingerprint(data.load(hp, "train"))
        assert source.classes == tuple(map(str, range(num))) and len(mixture.centres) == num and mixture.std == std
        distances = np.linalg.norm(mixture.centres, axis=1)
        assert np.abs(distances[:, None] - radius).min(1).max() < 1e-6
        counts = np.bincount(source.labels)
        assert len(counts) == num and np.abs(counts / 20_000 * num - 1).max() < 0.2
        offsets = source.x - mixture.centres[source.labels]
        np.testing.assert_allclose(offsets.std(0), std, rtol=0.03)
        assert np.abs(offsets.mean(0)).max() < 4 * std / 20_000**0.5
        test = data.load(hp, "test")
        assert len(test.x) == 10_000 and not data.duplicates(source, test)


def test_a_mixture_is_as_the_user_says():
    hp = config(name="points", shape="mixture", centres=((0, 0), (5, 1)), std=0.1, num_train=2000, classes="1")
    source = data.load(hp, "train")
    assert source.classes == ("1",) and not source.labels.any()
    np.testing.assert_allclose(source.x.mean(0), [5, 1], atol=0.02)
    (fault,) = points.hp.faults(config(name="points", centres=((0, 0, 0),)), "data")
    assert "points in the plane" in fault
    assert points.modes(config(name="points", shape="moons")) is None


@pytest.mark.parametrize("shape", sorted({*points.SHAPES} - {"drawing", "mixture", "ring", "grid"}))
def test_other_shapes_have_all_their_parts(shape):
    source = data.load(config(name="points", shape=shape, num_train=500), "train")
    assert source.x.shape == (500, 2) and set(source.labels) == set(range(len(source.classes)))
    assert np.abs(source.x).max() < 5


def test_points_of_a_drawing_lie_on_its_ink(tmp_path):
    picture = np.full((20, 40, 4), 255, np.uint8)
    picture[5:10, 30:40, :3] = 0  # a black bar on the right, above the middle
    picture[12:, :5, :] = 0  # black, and transparent: paper
    Image.fromarray(picture).save(tmp_path / "a.png")
    hp = config(name="points", shape="drawing", path=tmp_path / "a.png", num_train=500)
    x = data.load(hp, "train").x
    assert x[:, 0].min() >= 0.5 and x[:, 0].max() <= 1 and x[:, 1].min() >= 0 and x[:, 1].max() <= 0.25
    assert np.ptp(x[:, 0]) > 0.4 and np.ptp(x[:, 1]) > 0.2
    Image.new("RGB", (4, 4), "white").save(tmp_path / "a.png")
    assert "has no dark pixel" in refusal(**hp.to_dict())
    (tmp_path / "a.png").write_bytes(b"x")
    assert "cannot be read as a picture" in refusal(**hp.to_dict())
    assert "data.path is not set" in refusal(name="points", shape="drawing")


def test_a_stream_draws_the_same_points_for_a_key_and_refuses_a_choice_of_classes():
    hp = config(name="points", stream=True)
    draw = data.stream(hp)
    batches = [draw(jax.random.key(seed), 50) for seed in (1, 1, 2)]
    assert isinstance(batches[0], Batch) and batches[0].x.shape == (50, 2) and batches[0].given["label"].shape == (50,)
    assert (batches[0].x == batches[1].x).all() and not (batches[0].x == batches[2].x).any()
    assert data.stream(config(name="points")) is None and data.stream(config()) is None
    with pytest.raises(UserError, match="a stream is of all modes"):
        data.stream(config(name="points", stream=True, classes="1"))


# The cache

@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A folder of 10 images as a config with a cache, where it is cached, and how many images have been decoded."""
    from gen_jax.data import folder

    for index in range(10):
        save(tmp_path / "images" / f"{index}.png", value=index)
    decoded, original = [], folder._decoded
    monkeypatch.setattr(folder, "_decoded", lambda *args: decoded.append(args) or original(*args))
    hp = config(name="folder", path=tmp_path / "images", cache=True, cache_dir=tmp_path / "cache")
    return hp, tmp_path / "cache", decoded


def test_cache_spares_decoding_until_the_source_or_the_form_changes(cached):
    hp, folder, decoded = cached
    first = data.load(hp, "train")
    assert len(decoded) == 8
    again = data.load(hp, "train")
    assert len(decoded) == 8 and data.fingerprint(again) == data.fingerprint(first) and again.labels is None
    save(Path(hp.path) / "3.png", value=99)
    assert 99 in data.load(hp, "train").x and len(decoded) == 16
    assert data.load(config(**hp.to_dict() | {"channels": 1}), "train").x.shape[-1] == 1 and len(decoded) == 24
    assert len(list(folder.glob("*.npz"))) == 3 and not list(folder.glob(".*"))


def test_a_damaged_cache_is_made_again(cached):
    hp, folder, decoded = cached
    want = data.fingerprint(data.load(hp, "train"))
    (file,) = folder.glob("*.npz")
    whole = file.read_bytes()
    damages = [b"", whole[:len(whole) // 2], whole[:-1], b"not an npz"]
    for place in np.linspace(0, len(whole) - 1, 16).astype(int):
        damages.append(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1:])
    for damage in damages:
        file.write_bytes(damage)
        assert data.fingerprint(data.load(hp, "train")) == want
    assert len(decoded) > 8 * 12


def test_a_cache_that_cannot_be_written_costs_a_warning(cached, tmp_path, caplog):
    hp = cached[0].copy_and_resolve_references()
    (tmp_path / "file").write_bytes(b"")
    hp.cache_dir = str(tmp_path / "file" / "cache")
    assert len(data.load(hp, "train").x) == 8
    assert "nothing is cached" in caplog.text


def test_content_decides_what_is_cached_and_not_size_and_time(cached):
    hp, _, decoded = cached
    data.load(hp, "train")
    path = max((file for file, _ in decoded), key=lambda file: file.stat().st_size)
    before, content = path.stat(), path.read_bytes()
    other = min(Path(hp.path).iterdir(), key=lambda file: (file.stat().st_size, file == path)).read_bytes()
    path.write_bytes(other + bytes(before.st_size - len(other)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    changed = data.load(hp, "train")
    assert len(decoded) == 16 and path.read_bytes() != content
    shutil.copytree(hp.path, f"{hp.path}_moved")  # the same content elsewhere
    moved = data.load(config(**hp.to_dict() | {"path": f"{hp.path}_moved"}), "train")
    assert len(decoded) == 16 and data.fingerprint(moved) == data.fingerprint(changed)


def test_a_file_at_rest_is_read_once(cached, monkeypatch):
    hp, folder, _ = cached
    monkeypatch.setattr(_files, "SETTLED_NS", -1)
    read, digest = [], hashlib.file_digest
    monkeypatch.setattr(hashlib, "file_digest", lambda *args: read.append(args) or digest(*args))
    want = [data.fingerprint(source) for source in (data.load(hp, "train"), data.load(hp, "test"))]
    assert len(read) == 10
    assert [data.fingerprint(data.load(hp, split)) for split in ("train", "test")] == want and len(read) == 10
    (kept,) = folder.glob("digests-*")
    kept.write_bytes(kept.read_bytes()[:-1])
    data.load(hp, "train")
    assert len(read) == 18


def test_exchanged_cache_files_are_made_again(cached, caplog):
    hp, folder, _ = cached
    want = [data.fingerprint(data.load(hp, split)) for split in ("train", "test")]
    train, test = (next(folder.glob(f"folder-{split}-*")) for split in ("train", "test"))
    train.rename(folder / "x")
    test.rename(train)
    (folder / "x").rename(test)
    assert [data.fingerprint(data.load(hp, split)) for split in ("train", "test")] == want
    assert "under another name" in caplog.text


# TensorFlow Datasets

def gzipped_idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return gzip.compress(header + array.tobytes())


def tiny_mnist() -> dict[str, bytes]:
    random = np.random.RandomState(0)
    files = {}
    for part, count in (("train", 30), ("t10k", 10)):
        files[f"{part}-images-idx3-ubyte.gz"] = gzipped_idx(random.randint(0, 256, (count, 28, 28)).astype(np.uint8))
        files[f"{part}-labels-idx1-ubyte.gz"] = gzipped_idx((np.arange(count) % 10).astype(np.uint8))
    return files


def tiny_cifar(folder: str, files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def record(monkeypatch):
    """record(dataset, files, url): TFDS has these files on record for the data set, at this address."""
    tfds = pytest.importorskip("tensorflow_datasets")
    from tensorflow_datasets.core.download import checksums

    def put(dataset: str, files: dict[str, bytes], url: str = "http://127.0.0.1:9/") -> None:
        infos = {url + name: checksums.UrlInfo(len(content), hashlib.sha256(content).hexdigest(), name)
                 for name, content in files.items()}
        monkeypatch.setattr(tfds.builder_cls(dataset), "url_infos", infos)
        for address, info in infos.items():
            monkeypatch.setitem(checksums.get_all_url_infos(), address, info)

    return put


def place(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def test_mnist_is_prepared_from_the_files_a_user_has_put_there(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    place(tmp_path / "downloads" / "manual", files)
    half_made = tmp_path / "mnist" / "incomplete.ABCDEF_3.0.1"  # left by a killed run
    place(half_made, {"dataset_info.json": b"{}"})
    train, test = both(name="tfds", data_dir=tmp_path)
    assert (tmp_path / "mnist" / "3.0.1" / "dataset_info.json").is_file()
    original = _prepare.read_idx(tmp_path / "downloads" / "manual" / "train-images-idx3-ubyte.gz")
    assert sorted(image.tobytes() for image in train.x) == sorted(image.tobytes() for image in original)
    assert np.bincount(train.labels).tolist() == [3] * 10 and len(test.x) == 10
    assert train.classes == tuple("0123456789")
    assert "without a version" in refusal(name="tfds", data_dir=tmp_path, dataset="mnist:1.0.0")
    half = data.load(config(name="tfds", data_dir=tmp_path, size=(14, 14), fit="resize", channels=3), "test")
    assert half.x.shape == (10, 14, 14, 3)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_cifar_is_prepared_from_its_archive(tmp_path, record, dataset):
    folder, parts, label_files = _prepare.CIFAR[dataset]
    random, num_labels = np.random.RandomState(0), len(label_files)
    files = {name: b"".join(bytes([row % 20] * (num_labels - 1) + [row % 10]) + random.bytes(3072) for row in range(10))
             for names in parts.values() for name in names}
    counts = {"coarse_label": 20, "label": 10 if dataset == "cifar10" else 100}
    for key, name in label_files.items():
        files[name] = "\n".join(f"{key}_{index}" for index in range(counts[key])).encode() + b"\n\n"
    archive = {"cifar.tar.gz": tiny_cifar(folder, files)}
    record(dataset, archive)
    place(tmp_path / "downloads" / "manual" / dataset, archive)
    train, test = both(name="tfds", dataset=dataset, data_dir=tmp_path)
    assert len(train.x) == 10 * len(parts["train"]) and test.x.shape == (10, 32, 32, 3)
    assert test.classes[3] == "label_3" and len(test.classes) == counts["label"]
    third = np.frombuffer(files[parts["test"][0]], np.uint8).reshape(10, -1)[3, num_labels:].reshape(3, 32, 32)
    assert (test.x[test.labels == 3][0] == third.transpose(1, 2, 0)).all()


def test_a_download_is_checked_against_the_record(tmp_path, record):
    files = tiny_mnist()

    class Server(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(files[self.path[1:]])

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        record("mnist", dict(files), f"http://127.0.0.1:{server.server_port}/")
        right = files["t10k-labels-idx1-ubyte.gz"]
        files["t10k-labels-idx1-ubyte.gz"] = b"<html>please log in</html>"
        assert "not the file that TFDS has on record" in refusal(name="tfds", data_dir=tmp_path)
        files["t10k-labels-idx1-ubyte.gz"] = right
        assert len(data.load(config(name="tfds", data_dir=tmp_path), "train").x) == 30
    finally:
        server.shutdown()
        server.server_close()


def test_without_network_one_line_at_once_says_what_to_do(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    start = time.monotonic()
    line = refusal(name="tfds", data_dir=tmp_path)
    assert time.monotonic() - start < 5
    for part in [*files, str(tmp_path / "downloads" / "manual"), "configs/vae_digits.py", "MB"]:
        assert part in line
    assert not list(tmp_path.iterdir())


def test_a_server_that_never_answers_is_given_up_soon():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        assert not _prepare._answers(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=0.3)
        assert time.monotonic() - start < 2


def test_a_wrong_file_is_named(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    damaged = bytearray(files["train-images-idx3-ubyte.gz"])
    damaged[100] ^= 1
    place(tmp_path / "downloads" / "manual", files | {"train-images-idx3-ubyte.gz": bytes(damaged)})
    assert "train-images-idx3-ubyte.gz is not mnist's" in refusal(name="tfds", data_dir=tmp_path)


def test_a_damaged_or_foreign_prepared_set_is_named(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    place(tmp_path / "downloads" / "manual", files)
    data.load(config(name="tfds", data_dir=tmp_path), "train")
    folder = tmp_path / "mnist" / "3.0.1"
    info, records = folder / "dataset_info.json", folder / "mnist-train.array_record-00000-of-00001"
    whole = records.read_bytes()
    for damage in (b"", whole[:len(whole) // 2], whole[:3000] + bytes([whole[3000] ^ 1]) + whole[3001:]):
        records.write_bytes(damage)
        assert f"{folder} is damaged" in refusal(name="tfds", data_dir=tmp_path)
    text = info.read_text()
    info.write_text(text.replace("array_record", "tfrecord"))
    assert "convert_format" in refusal(name="tfds", data_dir=tmp_path)
    info.write_text("{")
    assert f"{folder} is damaged" in refusal(name="tfds", data_dir=tmp_path)
    info.unlink()
    assert "not a prepared data set" in refusal(name="tfds", data_dir=tmp_path)


def test_without_a_test_split_validation_serves_or_a_share_is_cut_off(tmp_path, record):
    files = tiny_mnist()
    record("mnist", files)
    place(tmp_path / "downloads" / "manual", files)
    test = data.load(config(name="tfds", data_dir=tmp_path), "test")
    folder = tmp_path / "mnist" / "3.0.1"
    (folder / "mnist-test.array_record-00000-of-00001").rename(folder / "mnist-validation.array_record-00000-of-00001")
    info = json.loads((folder / "dataset_info.json").read_text())
    info["splits"][1]["name"] = "validation"
    (folder / "dataset_info.json").write_text(json.dumps(info))
    assert data.fingerprint(data.load(config(name="tfds", data_dir=tmp_path), "test")) == data.fingerprint(test)
    del info["splits"][1]
    (folder / "dataset_info.json").write_text(json.dumps(info))
    train, test = both(name="tfds", data_dir=tmp_path)
    assert (len(train.x), len(test.x), data.duplicates(train, test)) == (24, 6, 0)


def test_names_that_tfds_does_not_know_or_cannot_prepare_here(tmp_path):
    assert "did you mean mnist" in refusal(name="tfds", data_dir=tmp_path, dataset="mnsit")
    assert "tfds build svhn_cropped" in refusal(name="tfds", data_dir=tmp_path, dataset="svhn_cropped")


def prepared(dataset: str) -> None:
    folder = Path(os.environ.get("TFDS_DATA_DIR", "/nowhere"), dataset)
    if not folder.is_dir():
        pytest.skip(f"TFDS_DATA_DIR holds no prepared {dataset}")


def test_the_real_mnist():
    prepared("mnist")
    train, test = both(name="tfds")
    assert train.x.shape == (60000, 28, 28, 1) and test.x.shape == (10000, 28, 28, 1)
    assert round(train.x.mean() / 255, 4) == 0.1307
    assert np.bincount(train.labels).tolist()[:3] == [5923, 6742, 5958]
    assert data.duplicates(train, test) == 0


def test_the_real_cifar10():
    prepared("cifar10")
    test = data.load(config(name="tfds", dataset="cifar10", classes="automobile"), "test")
    assert test.x.shape == (1000, 32, 32, 3) and test.classes == ("automobile",) and not test.labels.any()


def test_the_real_idx_files():
    folder = os.environ.get("GEN_JAX_RAW_MNIST")
    if not folder:
        pytest.skip("GEN_JAX_RAW_MNIST does not name a folder with MNIST's four files")
    images = _prepare.read_idx(Path(folder, "train-images-idx3-ubyte.gz"))
    assert images.shape == (60000, 28, 28) and images.dtype == np.uint8
    assert _prepare.read_idx(Path(folder, "t10k-labels-idx1-ubyte.gz"))[:5].tolist() == [7, 2, 1, 0, 4]
