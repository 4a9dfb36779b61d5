"""Points in the plane, and points of a drawing."""

import jax
import numpy as np
import pytest
from _loading import config, refusal
from PIL import Image

from gen_jax import data
from gen_jax.data import points
from gen_jax.errors import UserError
from gen_jax.types import Batch


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
