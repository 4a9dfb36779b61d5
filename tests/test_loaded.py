"""A trained run used without its data: by gen_jax.load, by --mode=sample and --mode=eval."""
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from PIL import Image, ImageDraw

import gen_jax
from configs import vae_digits
from gen_jax import asking, data
from gen_jax.data import digits, npz
from gen_jax.errors import UserError
from gen_jax.loaded import LoadedRun
from gen_jax.modes import eval, sample, train
from gen_jax.report.workdir import Workdir

README = Path(__file__).parent.parent / "README.md"


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    """A finished run of three epochs on labelled digits, whose data are then moved away."""
    folder = tmp_path_factory.mktemp("loaded")
    source = data.load(digits.hp(num_train=400), "train")
    np.savez(folder / "digits.npz", x=source.x, y=source.labels, classes=np.array(source.classes))
    config = vae_digits.get_config("smoke")
    config.data = npz.hp(path=str(folder / "digits.npz"), num_train=200, num_test=50, cache=False)
    config.model.update({"widths": (32,), "latent_dim": 2})
    config.train.epochs = 3
    config.checkpoint.update({"best": "test/loss", "keep": 3})
    config.evals.end = ("elbo", "samples")
    run = Workdir(folder / "run")
    train.train(config, run)
    (folder / "digits.npz").rename(folder / "moved.npz")
    return run


@pytest.fixture(scope="module")
def run(workdir):
    return gen_jax.load(workdir.path)


def test_arrays_in_and_out_without_the_data(run, workdir):
    x = run.sample(6, seed=1)
    assert x.shape == (6, 8, 8, 1) and x.dtype == np.float32 and x.min() >= 0 and x.max() <= 1
    np.testing.assert_array_equal(x, run.sample(6, seed=1))
    assert np.abs(x - run.sample(6, seed=2)).max() > 0
    z = run.encode(x)
    assert z.shape == (6, 2)
    np.testing.assert_array_equal(z, run.encode(x[..., 0]))  # without the one channel
    stored = np.round(x * 255).astype(np.uint8)
    np.testing.assert_array_equal(run.encode(stored), run.encode(stored.astype(np.float32) * np.float32(1 / 255)))
    np.testing.assert_array_equal(run.reconstruct(x), run.decode(z))
    path = run.interpolate(z[0], z[1], num=5)
    np.testing.assert_allclose(path[[0, -1]], run.decode(z[:2]), atol=1e-5)
    np.testing.assert_allclose(run.concept("3->8"), -run.concept("8->3"))
    assert run.concept("thin->bold").shape == (2,) and run.classes == tuple("0123456789")
    result = json.loads(workdir.result.read_bytes())
    assert run.step == result["step"] and run.metrics == result["metrics"]
    assert run.params["dec"]["latents"]["kernel"].shape == (2, 32)


def test_truncation_scales_the_latents(run):
    np.testing.assert_allclose(run.sample(2, truncation=1e-6), run.decode(np.zeros((2, 2))), atol=1e-4)


def test_what_does_not_fit_is_the_user_s_error(run, workdir, tmp_path):
    for call, said in (
        (lambda: run.encode(np.zeros((3, 9, 9))), r"shape \(3, 9, 9\).*\(N, 8, 8, 1\)"),
        (lambda: run.encode(np.full((1, 8, 8, 1), 7.0)), "out of the range of image data"),
        (lambda: run.encode(str(tmp_path / "none.png")), "cannot be read as an image"),
        (lambda: run.decode(np.zeros((2, 3))), r"z: has shape \(2, 3\); codes of this model are \(N, 2\)"),
        (lambda: run.decode([np.nan, 0]), "finite"),
        (lambda: run.concept("3->thinn"), "there is no 'thinn'; did you mean 'thin'"),
        (lambda: run.concept("3"), "must be written"),
        (lambda: run.sample(0), "num=0: must be from 1 to 1,000,000"),
        (lambda: run.sample(2.0, seed=-1), "num=2.0: must be a whole number\nseed=-1: must be at least 0"),
        (lambda: run.interpolate([0, 0], [1, 1], num=-3), "num=-3: must be"),
        (lambda: run.interpolate([0, 0], np.zeros((3, 2))), "end: has 3 codes; give one"),
        (lambda: run.decode([[0, 0], [1]]), "z: cannot be an array; all its rows must be of one length"),
        (lambda: run.encode([[[0], [1, 2]]]), "x: cannot be an array"),
        (lambda: run.encode("~nobody_there/a.png"), "there is no such home folder"),
        (lambda: run.encode(np.zeros((1, 8, 8, 1)), given="3"), "given='3': must be values by name"),
        (lambda: run.sample(2, given={"label": "3"}), "does not condition on 'label'"),
        (lambda: gen_jax.load(workdir.path, checkpoint=7), "there are: latest, best, 12, 24, 36"),
        (lambda: gen_jax.load(tmp_path), "no run there"),
    ):
        with pytest.raises(UserError, match=said):
            call()


def test_what_is_given_is_one_value_or_one_for_each_and_in_turn_only_for_samples():
    label = {"label": jax.ShapeDtypeStruct((1,), np.int32)}
    trained = SimpleNamespace(objective=SimpleNamespace(conditions=("label",)),
                              spec=SimpleNamespace(given=label, names={"label": ("cat", "dog", "emu")}))

    def given(values, num, **how):
        return asking.given_of(trained, {"label": values}, num, **how)["label"].tolist()
    assert given("emu", 3) == given([2], 3) == [2, 2, 2] and given(["dog", 0], 2) == [1, 0]
    assert given(["dog", 0], 5, in_turn=True) == [1, 0, 1, 0, 1]
    for values, num, in_turn in (([1, 2], 5, False), ([1, 2, 0], 2, False), ([1, 2, 0], 2, True), ([], 2, True)):
        with pytest.raises(UserError, match=f"given.label: has {len(values)} values, and there are {num} examples"):
            given(values, num, in_turn=in_turn)
    with pytest.raises(UserError, match="given.label: cannot be an array"):
        given([[1], [1, 2]], 2)


def test_codes_of_any_form_are_decoded_and_their_form_is_checked(run):
    predict = run._trained.objective.predict
    objective = run._trained.objective._replace(predict={
        "encode": lambda *args: (predict["encode"](*args), {"scale": predict["encode"](*args)[:, :1] * 0 + 2}),
        "decode": lambda vars, code, given: predict["decode"](vars, code[0] * code[1]["scale"], given)})
    pair = LoadedRun(replace(run._trained, objective=objective, codes=None), run._workdir)
    x = np.linspace(0, 1, 128, dtype=np.float32).reshape(2, 8, 8, 1)
    np.testing.assert_array_equal(pair.reconstruct(x), run.decode(2 * run.encode(x)))
    np.testing.assert_array_equal(pair.decode(pair.encode(x)), pair.reconstruct(x))
    for call, said in (
        (lambda: pair.decode([1, 2, 3]), r"z: .*not one array; it must be \('\(N, 2\)', {'scale': '\(N, 1\)'}\)"),
        (lambda: pair.decode((np.zeros((2, 2)), {"scale": [3]})), "z: its arrays are of 1 and 2 codes"),
        (lambda: pair.decode((np.zeros((2, 3)), {"scale": [3]})), r"z\[0\]: has shape \(2, 3\)"),
        (lambda: pair.interpolate(*pair.encode(x)), "codes are no vectors"),
        (lambda: pair.concept("3->8"), "codes are no vectors"),
        (lambda: pair.sample(2), "no prior to sample from"),
        (lambda: LoadedRun(replace(run._trained, codes=None), run._workdir).concept("3->8"), "no mean codes: it was"),
        (lambda: LoadedRun(replace(run._trained, codes={"sets": {}}), run._workdir).concept("3->8"), "have no classes"),
    ):
        with pytest.raises(UserError, match=said):
            call()


def test_any_saved_state_can_be_asked_for(workdir):
    steps = sorted(int(path.name) for path in workdir.checkpoints.iterdir())
    losses = {record["step"]: record["test/loss"] for record in
              map(json.loads, workdir.metrics.read_text().splitlines())}
    first, best = gen_jax.load(workdir.path, checkpoint=steps[0]), gen_jax.load(workdir.path, checkpoint="best")
    assert first.step == steps[0] and first.metrics["test/loss"] == losses[steps[0]]
    assert best.step == min(losses, key=losses.get)


def test_sample_writes_where_it_is_told_and_decodes_given_latents(workdir, tmp_path):
    sample.sample(workdir, {}, {}, num=4, seed=5, out=str(tmp_path / "a"))
    drawn = np.load(tmp_path / "a" / "samples.npz")
    np.save(tmp_path / "z.npy", drawn["latents"])
    sample.sample(workdir, {}, {}, latents=str(tmp_path / "z.npy"), out=str(tmp_path / "b"))
    again = np.load(tmp_path / "b" / "samples.npz")
    np.testing.assert_array_equal(again["x"], drawn["x"])
    assert len(list((tmp_path / "b" / "sampled").glob("*.png"))) == 4
    (tmp_path / "b" / "sampled" / "mine.png").write_bytes(b"")
    sample.sample(workdir, {}, {}, num=2, out=str(tmp_path / "b"))
    assert len(list((tmp_path / "b" / "sampled").glob("*.png"))) == 3, "of four samples and mine"
    (tmp_path / "torn.npz").write_bytes((tmp_path / "b" / "samples.npz").read_bytes()[:-30])
    (tmp_path / "file").write_bytes(b"")
    for options, said in (
        ({"latents": str(tmp_path / "torn.npz")}, "--latents=.*torn.npz: cannot be read"),
        ({"latents": "~nobody_there/z.npy"}, "--latents=~nobody_there/z.npy: there is no such home folder"),
        ({"latents": "z.npy", "num": 3, "seed": 1}, "--num: is of latents that are drawn.*\n--seed: is of"),
        ({"out": "~nobody_there"}, "--out=~nobody_there: there is no such home folder"),
        ({"out": str(tmp_path / "file" / "a"), "num": 1}, "--out=.*/file/a: cannot write there"),
    ):
        with pytest.raises(UserError, match=said):
            sample.sample(workdir, {}, {}, **options)
    np.save(tmp_path / "z.npy", np.zeros((3, 5)))
    with pytest.raises(UserError, match=r"--latents=.*z.npy: has shape \(3, 5\)"):
        sample.sample(workdir, {}, {}, latents=str(tmp_path / "z.npy"))


def test_evals_that_need_no_data_run_without_them_and_the_others_say_so(workdir, capsys):
    first = min(int(path.name) for path in workdir.checkpoints.iterdir())
    before = workdir.result.read_bytes()
    eval.evaluate(workdir, {}, checkpoint=str(first), only="samples,elbo")
    said = capsys.readouterr().err
    assert "left out: elbo (needs the data that this run was trained on" in said and "moved" not in said
    at = workdir.path / f"step_{first}"
    assert (at / "figures" / "samples.png").exists() and json.loads((at / "result.json").read_bytes())["step"] == first
    assert workdir.result.read_bytes() == before


def test_a_drawing_is_prepared_as_the_digits_were(run, tmp_path):
    paper = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(paper).line((220, 40, 220, 160), fill="black", width=12)  # a "1", far from the middle
    paper.save(tmp_path / "one.png")
    one = data.picture(digits.hp(), (8, 8, 1), tmp_path / "one.png")[..., 0]
    assert (one > 0).any(1).all() and set(np.flatnonzero((one > 0).any(0))) <= {3, 4}
    assert run.encode(str(tmp_path / "one.png")).shape == (1, 2)
    np.testing.assert_array_equal(run.prepare(paper), run.prepare(tmp_path / "one.png"))
    assert "step 36: mlp_vae, npz>" in repr(run)


def test_the_readme_s_lines_run(workdir, monkeypatch, tmp_path):
    text = README.read_text()
    block = re.search(r"<!-- python -->\s*```python\n(.*?)```", text, re.DOTALL).group(1)
    monkeypatch.chdir(tmp_path)
    Image.new("L", (28, 28), 255).save("mine.png")
    drawing = Image.open("mine.png")
    ImageDraw.Draw(drawing).line((5, 5, 20, 20), fill=0, width=3)
    drawing.save("mine.png")
    made = {}
    exec(block.replace("runs/vae_mnist_z16", str(workdir.path)), made)
    assert len(made["x"]) == 16 and made["z"].shape == (1, 2) and len(made["between"]) == 9
