"""A folder of photos: sizes and nets chosen by the images, broken files, distances that need no labels."""
import os
from pathlib import Path

import jax
import numpy as np
import pytest
from PIL import Image

from gen_jax import data, experiment, net
from gen_jax.data import folder
from gen_jax.data.kinds.image import KIND
from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.evals.latent import concepts
from gen_jax.evals.latent._codes import CodeStatistics
from gen_jax.evals.samples import feature_distance
from gen_jax.judges import random_features
from gen_jax.judges.metrics import Cloud, frechet
from gen_jax.models.gan import dcgan
from gen_jax.models.vae import conv_vae
from gen_jax.modes import data as data_mode
from gen_jax.report.workdir import Workdir
from gen_jax.runs import trained_of
from gen_jax.types import Source, Spec


def save(path: Path, height: int, width: int, mode: str = "RGB") -> None:
    """A picture of noise, its own for each name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.RandomState(sum(path.name.encode()))
    Image.fromarray(random.randint(0, 256, (height, width, 3), np.uint8)).convert(mode).save(path)


def chosen(path: Path, **changes):
    """(size, channels) that config.data has after the choice."""
    hp = folder.hp(path=str(path), cache=False, **{"fit": "crop"} | changes)
    data.choose(hp)
    return tuple(hp.size), hp.channels


def test_sizes_and_channels_are_chosen_by_the_images_unless_set(tmp_path, caplog):
    for i in range(6):
        save(tmp_path / "grey" / f"{i}.png", 20, 24, "L")
        save(tmp_path / "mixed" / f"{i}.png", 30 + 10 * i, 90, "RGBA" if i == 1 else "RGB")
        for copy in range(3 if i == 1 else 1):
            save(tmp_path / "small" / f"{i}_{copy}.png", 10 + i, 40, "RGBA")
    save(tmp_path / "mixed" / "7.JPG", 300, 200)
    assert chosen(tmp_path / "grey") == ((20, 24), 1), "all of one size that is small stay as they are"
    assert chosen(tmp_path / "mixed") == ((32, 32), 3) and "30x90 to 300x200 pixels" in caplog.text
    assert chosen(tmp_path / "small") == ((11, 11), 4), "they are not made larger than half of them are"
    assert chosen(tmp_path / "mixed", size=(48, 40), channels=1) == ((48, 40), 1)
    assert chosen(tmp_path / "mixed", fit="refuse") == ((), 0)
    hp = folder.hp(path=str(tmp_path / "mixed"), cache=False, fit="crop")
    data.choose(hp)
    assert [data.load(hp, split).x.shape for split in ("train", "test")] == [(6, 32, 32, 3), (1, 32, 32, 3)]


@pytest.fixture
def photos(tmp_path):
    """12 pictures, of which two are cut short, and a text that is called a picture."""
    for i in range(12):
        save(tmp_path / "photos" / f"{i:02d}.png", 16, 16)
    for name in ("03", "07"):
        file = tmp_path / "photos" / f"{name}.png"
        file.write_bytes(file.read_bytes()[:300])
    (tmp_path / "photos" / "note.jpg").write_text("no picture")
    return tmp_path / "photos"


def test_what_is_wrong_with_one_file_is_skipped_like_any_other(tmp_path):
    for i in range(4):
        save(tmp_path / f"{i}.png", 8, 8)
    Image.fromarray(np.zeros((8, 8), np.float32)).save(tmp_path / "4.tif")
    Image.fromarray(np.full((8, 8), 2**20, np.int32)).save(tmp_path / "5.tif")
    os.mkfifo(tmp_path / "6.png")
    hp = folder.hp(path=str(tmp_path), cache=False, channels=1, test_fraction=0.01, broken="skip")
    assert len(data.load(hp, "train").x) == 4
    assert [Path(one.file).name for one in data.broken(hp)] == ["4.tif", "5.tif", "6.png"]
    for file in tmp_path.glob("*.png"):
        file.unlink()
    with pytest.raises(UserError, match="none of the 2 train images"):
        data.load(hp, "train")
    save(tmp_path / "own" / "train" / "0.png", 8, 8)
    (tmp_path / "own" / "test").mkdir()
    with pytest.raises(UserError, match=f"there are no images in {tmp_path / 'own' / 'test'}"):
        data.load(folder.hp(path=str(tmp_path / "own"), cache=False), "test")


def test_a_users_picture_is_fitted_as_the_images_were(tmp_path):
    pixels = np.zeros((8, 24, 3), np.uint8)
    pixels[:, :8] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    for fit, bright in (("crop", False), ("refuse", False), ("resize", True)):
        assert (data.picture(folder.hp(fit=fit), (8, 8, 3), tmp_path / "a.png")[0, 0, 0] > 200) == bright


def test_broken_files_are_refused_or_left_out_and_counted(photos, caplog, capsys, tmp_path):
    hp = folder.hp(path=str(photos), cache_dir=str(tmp_path / "cache"))
    with pytest.raises(UserError) as caught:
        data.load(hp, "train")
    (line,) = caught.value.faults
    assert f"{photos / '03.png'} cannot be read" in line and "nor can 2 more" in line and "note.jpg" in line
    assert "data.broken=skip" in line
    skip = folder.hp(path=str(photos), cache_dir=str(tmp_path / "cache"), broken="skip")
    for _ in range(2):  # decoded, and from the cache
        parts = [data.load(skip, split) for split in ("train", "test")]
        assert sum(len(part.x) for part in parts) == 10
    left_out = [folder.note(skip, split, part) for split, part in zip(("train", "test"), parts, strict=True)]
    assert sum(int(line.split()[1]) for line in left_out if line) == 3
    assert all(caplog.text.count(line) == 1 for line in left_out if line), "each is said once"
    save(photos / "03.png", 16, 16)
    save(photos / "07.png", 16, 16)
    mended = [data.load(skip, split) for split in ("train", "test")]
    assert sum(len(part.x) for part in mended) == 12
    assert [data.duplicates(new, old) for new, old in zip(mended, parts, strict=True)] == [len(p.x) for p in parts]
    assert [Path(one.file).name for one in data.broken(skip)] == ["note.jpg"]


def test_mode_data_lists_every_broken_file_and_shows_the_rest(photos, tiny_config, tmp_path, capsys):
    tiny_config.data = folder.hp(path=str(photos), cache=False, fit="crop")
    data_mode.show(tiny_config, Workdir(tmp_path / "run"))
    out = capsys.readouterr().out
    assert "3 files cannot be read, and training refuses them" in out
    assert all(str(photos / name) in out for name in ("03.png", "07.png", "note.jpg"))
    assert "16x16x3" in out and (tmp_path / "run" / "data.png").exists()


@pytest.mark.parametrize("shape", [(32, 32, 3), (13, 21, 1), (3, 5, 4)])
def test_convolutional_nets_are_of_images_of_any_size(shape):
    spec = Spec(shape, {}, {}, KIND, np.dtype(np.uint8))
    for nets, code, end in ((conv_vae.build(conv_vae.hp(latent_dim=7), spec), "dec", "enc"),
                            (dcgan.build(dcgan.hp(latent_dim=7, gen_widths=(), disc_widths=()), spec), "gen", "disc")):
        vars = jax.eval_shape(lambda key, nets=nets: net.init(nets, key), jax.random.key(0))

        def answer(name, x, nets=nets, vars=vars):
            return jax.eval_shape(lambda v, x: net.apply(nets, name, v, x, given={}, train=False)[0], vars, x)
        x = answer(code, jax.ShapeDtypeStruct((2, 7), np.float32))
        assert x.shape == (2, *shape)
        assert [leaf.shape for leaf in jax.tree.leaves(answer(end, x))] == ([(2, 7)] * 2 if end == "enc" else [(2,)])


def test_a_distance_in_random_features_ranks_what_is_obviously_better():
    random = np.random.RandomState(0)
    base = random.uniform(0, 1, (400, 1, 1, 3)).astype(np.float32)
    x = np.clip(base + np.cumsum(random.normal(0, 0.1, (400, 16, 16, 3)), 1).astype(np.float32), 0, 1)
    train, test = x[:250], x[250:]
    space = random_features.space(train)
    np.testing.assert_allclose(np.cov(space.project(train), rowvar=False, ddof=0), np.eye(16), atol=1e-2)

    def distance(samples):
        return frechet.measure(Cloud(space.project(train)), Cloud(space.project(samples)))["FD"]
    blurred = (test + np.roll(test, 1, 1) + np.roll(test, 1, 2)) / 3
    noisy = np.clip(test + random.normal(0, 0.3, test.shape).astype(np.float32), 0, 1)
    worse = [distance(samples) for samples in (blurred, noisy, np.repeat(test[:5], 30, 0), np.full_like(test, 0.5))]
    assert min(worse) > 2 * distance(test) and distance(train) < 1e-6
    assert random_features.digest(3)[:12] == "1844672cb19c"


def values(found):
    """What an eval has found, without protocols."""
    return {name: getattr(value, "value", value) for name, value in found}


def test_the_distance_of_a_run_says_how_it_was_measured(tiny_config, tmp_path, monkeypatch):
    tiny_config.evals.feature_distance = feature_distance.hp()
    built = experiment.build(tiny_config)
    trained = trained_of(built, built.begin().state, Workdir(tmp_path / "none"), [])
    far = values(feature_distance.evaluate(trained))
    monkeypatch.setattr(Trained, "draw", lambda self, key, num: self.train_x[:num])
    near = values(feature_distance.evaluate(trained))
    assert near["features/distance"] < far["features/distance"]
    assert near["features/distance_real"] == far["features/distance_real"] > 0 < far["features/distance_std"]
    assert f"{random_features.digest(1)[:12]}" in near["features/protocol"]


def test_concepts_are_chosen_by_what_the_images_are():
    strokes, photos = (Source(np.zeros((2, 8, 8, channels), np.uint8)) for channels in (1, 3))
    grey = Source(np.full((2, 8, 8, 1), 99, np.uint8))
    assert concepts.chosen_pairs(strokes, KIND) == [("thin", "bold")]
    assert concepts.chosen_pairs(photos, KIND) == concepts.chosen_pairs(grey, KIND) == [("dark", "bright")]
    words = ("bus", "car->ship", "bright")
    cars = photos._replace(given={"label": np.array([1, 2], np.int32)}, names={"label": words})
    assert concepts.chosen_pairs(cars, KIND) == [("car->ship", "bright"), ("dark", "bright")], "no example is a bus"
    assert [*CodeStatistics(cars, KIND).sets["bright"]] == [False, True], "a class goes before an attribute of its name"
    for name in ("thin->bold", "bus->bright"):
        assert list(concepts.concept_faults("evals.concepts.pairs", (name,), cars, KIND))
