"""Evals against closed forms, and the judge against images whose attributes are known."""
import importlib
import json
import re

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import pytest
from ml_collections import ConfigDict
from PIL import Image
from scipy import stats

from gen_jax import experiment, style
from gen_jax.config import RUN, validate
from gen_jax.data import Splits, digits, made_up, points, take
from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.evals._draw import curve, fit_to_later, image_rows, scatter, titled
from gen_jax.evals.health import losses
from gen_jax.evals.lab import exact_density
from gen_jax.evals.latent import ae_vs_vae, concepts, interpolation
from gen_jax.evals.latent._attributes import Judge, ink, slant, width
from gen_jax.evals.likelihood import log_likelihood
from gen_jax.evals.samples import modes
from gen_jax.find import find
from gen_jax.grids import grid
from gen_jax.identity import differences
from gen_jax.models.vae import mlp_autoencoder, mlp_vae
from gen_jax.modes._run import run_eval
from gen_jax.objectives import autoencoder, elbo
from gen_jax.optimizers import adam
from gen_jax.report import results
from gen_jax.report.files import write_json
from gen_jax.style import WIDTH, figure
from gen_jax.terms.densities import bernoulli_nll
from gen_jax.types import Batch, Vars


def seen(built, vars=None):
    """What evals see of an experiment that has not been trained."""
    return Trained(built.config, built.objective, built.spec, vars or built.begin().state.averaged(), built.data, [])


@pytest.fixture
def trained(tiny_config):
    """Digits and an untrained net."""
    tiny_config.data = digits.hp(num_train=300, num_test=60)
    return seen(experiment.build(tiny_config))


def test_log_px_is_exact_where_latents_do_not_matter_and_bounds_it_elsewhere(trained):
    x, objective, vars = trained.test_x[:20], trained.objective, trained.vars
    keys = jax.random.split(jax.random.key(0), (400, 20))
    log_weight = jax.jit(jax.vmap(objective.predict["log_weight"], (None, None, None, 0)))
    measure = jax.jit(jax.vmap(objective.measure, (None, None, 0)))
    bound = -float(measure(vars, Batch(jnp.asarray(trained.test.x[:20]), {}), keys)["loss"].mean())
    assert float(log_weight(vars, x, {}, keys).mean()) == pytest.approx(bound, rel=0.02)
    assert log_likelihood.log_px(trained, x, {}, 64).mean() > bound
    # A decoder that ignores z, and a posterior equal to the prior: every weight is p(x) itself.
    trained.vars = jax.tree.map(jnp.zeros_like, vars)
    exact = -bernoulli_nll(jnp.zeros_like(x), x)
    np.testing.assert_allclose(log_likelihood.log_px(trained, x, {}, 3), exact, rtol=1e-5)


def test_log_px_of_binarised_images_is_of_one_binarisation_each(tiny_config):
    tiny_config.objective.likelihood = "binarized"
    tiny = experiment.build(tiny_config)
    blind = seen(tiny, jax.tree.map(jnp.zeros_like, tiny.begin().state.vars))
    # Of a decoder that gives 1/2 for every pixel, log p is -64 log 2 for any binary image and any number of samples.
    np.testing.assert_allclose(log_likelihood.log_px(blind, blind.test_x, {}, 20), -64 * np.log(2), rtol=1e-5)
    blind.vars.params["dec"]["logits"]["bias"] += 1.0
    few, many = (log_likelihood.log_px(blind, blind.test_x, {}, k).mean() for k in (1, 200))
    assert few == pytest.approx(many, abs=2.0)


class Linear:
    """A linear-Gaussian model: z ~ N(0, I), x ~ N(W z + b, s^2 I), whose density is a normal's."""

    def __init__(self, tiny_config):
        tiny_config.data = points.hp(shape="moons", num_train=96, num_test=40)
        tiny_config.objective = elbo.hp(likelihood="gaussian", scale=0.5)
        self.weights = np.array([[1.0, 0.5], [-0.3, 0.8]], np.float32)  # [Z,D]
        self.bias = np.array([0.2, -0.1], np.float32)
        built = experiment.build(tiny_config)
        self.trained = seen(built, Vars({"enc": {}, "dec": {}}, {"enc": {}, "dec": {}}))
        predict = dict(built.objective.predict)
        predict["output"] = lambda vars, z, given: z @ self.weights + self.bias[None]
        self.trained.objective = built.objective._replace(predict=predict)

    def log_px(self, x):
        return stats.multivariate_normal(self.bias, self.weights.T @ self.weights + 0.25 * np.eye(2)).logpdf(x)


def test_the_exact_density_is_that_of_a_linear_gaussian_model(tiny_config):
    linear = Linear(tiny_config)
    x = linear.trained.test_x[:8]
    np.testing.assert_allclose(exact_density.log_density(linear.trained, x, 120), linear.log_px(x), atol=1e-3)


def test_the_exact_density_lies_above_the_bound(tiny_config):
    tiny_config.data = points.hp(shape="moons", num_train=96, num_test=40)
    tiny_config.objective = elbo.hp(likelihood="gaussian_learned")
    tiny_config.evals.exact_density = exact_density.hp(side=150, examples=20)
    numbers = {name: number.value for name, number in exact_density.evaluate(seen(experiment.build(tiny_config)))
               if name.startswith("exact/")}
    assert numbers["exact/gap"] == pytest.approx(numbers["exact/log_px"] - numbers["exact/elbo"], abs=1e-5)
    assert numbers["exact/gap"] > 0 and numbers["exact/error"] < 0.05


def test_modes_are_counted_and_weighed():
    ring = points.modes(points.hp(shape="ring"))
    noise = 0.01 * np.random.default_rng(0).standard_normal((800, 2)).clip(-2, 2).astype(np.float32)
    every = modes.judge(np.tile(ring.centres, (100, 1)) + noise, ring)
    assert every == {"modes/covered": 8, "modes/high_quality": 1.0, "modes/reverse_kl": pytest.approx(0, abs=1e-12)}
    one = modes.judge(ring.centres[3] + noise, ring)
    assert one == {"modes/covered": 1, "modes/high_quality": 1.0, "modes/reverse_kl": pytest.approx(np.log(8))}
    far = modes.judge(1.5 * np.tile(ring.centres, (100, 1)), ring)
    assert far["modes/covered"] == far["modes/high_quality"] == 0


def test_ae_vs_vae_compares_two_runs_on_the_same_data(tiny_config):
    runs = []
    for model, objective, player in ((mlp_vae, elbo, "vae"), (mlp_autoencoder, autoencoder, "ae")):
        config = tiny_config.copy_and_resolve_references()
        config.model, config.objective = model.hp(), objective.hp()
        config.optim = {player: adam.hp()}
        config.evals.ae_vs_vae = ae_vs_vae.hp()
        runs.append(seen(experiment.build(config)))
    runs[0].other = runs[1]
    numbers = dict(ae_vs_vae.evaluate(runs[0]))
    assert {"near_data/ae", "near_data/vae", "ae_vs_vae"} <= set(numbers)
    assert 0 <= numbers["near_data/vae"].value <= 1
    runs[0].other = runs[0]
    with pytest.raises(UserError, match="name the workdir of the other kind"):
        dict(ae_vs_vae.evaluate(runs[0]))


def test_apply_does_not_depend_on_the_batch_size(trained):
    whole = trained.encode(trained.test_x, trained.test.given)
    parts = [trained.apply("encode", trained.test_x[i:i + 5], {}) for i in range(0, 60, 5)]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=2e-5, atol=1e-6)


def test_interpolations_meet_their_ends_and_the_arc_keeps_its_length():
    start, end = np.array([3.0, 0.0], np.float32), np.array([0.0, 3.0], np.float32)
    for path in (interpolation.linear, interpolation.spherical):
        np.testing.assert_allclose(path(start, end, np.array([0.0, 1.0])), [start, end], atol=1e-6)
    middle = interpolation.spherical(start, end, np.array([0.5]))[0]
    np.testing.assert_allclose(middle, 3 * np.array([1, 1]) / np.sqrt(2), rtol=1e-5)
    np.testing.assert_allclose(interpolation.linear(start, end, np.array([0.5]))[0], [1.5, 1.5])


def test_attributes_measure_what_they_are_named_for():
    x = np.zeros((3, 9, 9, 1), np.float32)
    x[0, :, 4] = 1  # upright
    x[1, np.arange(9), 8 - np.arange(9)] = 1  # leaning right: one column for each row up
    x[2, np.arange(9), np.arange(9)] = 1  # leaning left
    np.testing.assert_allclose(slant(x), [0, 1, -1], atol=1e-4)
    np.testing.assert_allclose(ink(x), 9 / 81)
    assert width(x)[0] == pytest.approx(0, abs=1e-3) and width(x)[1] == pytest.approx(np.std(np.arange(9)), rel=1e-4)


def test_the_judge_recognises_unseen_digits_and_quarters(trained):
    judge = Judge(trained)
    assert (judge.label(trained.test_x) == trained.test.labels).mean() > 0.85
    assert judge.shows("bold", trained.train_x).mean() == pytest.approx(0.25, abs=0.02)
    assert judge.rest_changed(("1", "0"), trained.test_x, trained.test_x) == 0
    assert judge.rest_unit(("thin", "bold")) == "share whose class changed"


def test_one_class_is_none_to_be_changed(trained):
    fours = take(trained.train, trained.train.labels == 4)
    trained.data = Splits({"train": fours, "test": trained.test}.get)
    judge = Judge(trained)
    assert "slant, width" in judge.rest_unit(("thin", "bold"))
    assert judge.rest_changed(("thin", "bold"), trained.test_x, trained.test_x[::-1]) > 0
    assert concepts.chosen_pairs(fours, trained.spec.kind) == [("thin", "bold")]


def test_figures_have_the_style_and_matplotlib_keeps_the_users(monkeypatch):
    def evaluate(trained):
        fig, [[axes]] = figure(2)
        axes.set_title("x")
        yield "fig", fig
    monkeypatch.setattr(losses, "evaluate", evaluate)
    with matplotlib.rc_context({"axes.titlesize": 30}):
        importlib.reload(style)
        drawn = {}
        run_eval("losses", None, drawn.__setitem__)
        assert matplotlib.rcParams["axes.titlesize"] == 30 and drawn["fig"].axes[0].title.get_fontsize() == 11


def test_concept_vector_is_the_difference_of_means_and_controls_are_as_long(trained):
    vector = concepts.concept_vector(trained, Judge(trained), ("1", "0"))
    codes, labels = trained.train_codes, trained.train.labels
    np.testing.assert_allclose(vector, codes[labels == 0].mean(0) - codes[labels == 1].mean(0), rtol=1e-5)
    lengths = np.linalg.norm(concepts.random_directions(trained, "1->0", vector, 4), axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(vector), rtol=1e-5)
    (line, *_) = concepts.concept_faults("evals.concepts.pairs", ("1 to 0",), trained.train, trained.spec.kind)
    assert "must be written 'source->target'" in line


def test_what_data_cannot_have_is_left_out_and_what_they_lack_names_the_way_out(tiny_config):
    tiny_config.evals.update({"end": ("concepts", "interpolation", "modes")})
    tiny_config.evals.concepts.pairs = ("1->0", "thin->bold")
    tiny_config.objective.likelihood = "gaussian_learned"
    tiny_config.data = points.hp(shape="moons", num_train=96, num_test=40)
    with pytest.raises(UserError, match="evals: modes counts"):  # of points, which have neither tiles nor thin ones
        experiment.build(tiny_config)
    tiny_config.data = made_up.hp(shape=(8, 8, 3), num_train=96, num_test=1)
    tiny_config.evals.interpolation.pairs = ()
    with pytest.raises(UserError) as caught:
        experiment.build(tiny_config)
    thin, bold = caught.value.faults
    assert "no class or attribute 'thin'" in thin and "--config.evals.concepts.pairs=() chooses by the data" in thin
    tiny_config.evals.concepts.pairs = ()
    assert not list(interpolation.evaluate(seen(experiment.build(tiny_config)))), "a single test image has no partner"


def test_a_figure_is_a_pdf_in_the_asked_size_and_pixels_stay_pixels(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    report = ConfigDict(RUN["report"].values(format="pdf", scale=2.0))
    for name in ("a", "b"):
        picture = titled(pixels, "four pixels")
        width, height = picture.get_size_inches()
        assert results.save(tmp_path / name, picture, report) == tmp_path / f"{name}.pdf"
        assert tuple(picture.get_size_inches()) == (width, height), "who draws it next finds it as it was"
    content = (tmp_path / "a.pdf").read_bytes()
    assert content.startswith(b"%PDF") and content == (tmp_path / "b.pdf").read_bytes()
    box = [float(side) for side in re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", content).groups()]
    assert box == pytest.approx([2 * 72 * width, 2 * 72 * height])
    assert b"/Interpolate true" not in content
    results.save(tmp_path / "b", picture)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "b.pdf", "b.png"]
    results.remove_figures(tmp_path, "png")
    assert [path.name for path in tmp_path.iterdir()] == ["b.png"], "those of an earlier state are not kept"
    results.save(tmp_path / "c", pixels, report)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "c.png"))[::256, ::256], pixels)


def test_how_figures_look_is_free_to_change_and_older_runs_get_it(tiny, workdir):
    old = json.loads(tiny.config.to_json())
    del old["report"]
    write_json(workdir.config, old)
    config = workdir.stored_config()
    assert config.report.format == "png"
    config.report.update({"format": "svg", "dpi": 300})
    assert not differences(old, config.to_dict())
    config.report.format = "jpg"
    with pytest.raises(UserError, match="report.format='jpg'"):
        validate(config)


def test_long_curves_are_drawn_by_means_and_the_first_epoch_does_not_set_the_scale():
    history = [{"epoch": i, "loss": 1000.0 if i == 1 else 100.0 + 5 * (-1)**i} for i in range(1, 1001)]
    _, [[axes]] = figure(3)
    curve(axes, history, "loss", "loss")
    fit_to_later(axes)
    drawn = axes.lines[0].get_ydata()
    assert len(drawn) <= 100 and np.ptp(drawn[1:]) < 2
    assert axes.get_ylim()[1] < 120 and "from" in axes.texts[0].get_text()


def test_classes_are_painted_in_random_order_and_more_than_ten_by_marker():
    points, labels = np.random.default_rng(0).standard_normal((120, 2)), np.repeat(np.arange(12), 10)
    _, [[axes]] = figure(3)
    scatter(axes, points, labels, [str(i) for i in range(12)])
    dots, = axes.collections
    painted = dots.get_offsets()
    order = [int(np.flatnonzero((points == place).all(1))[0]) for place in painted]
    assert sorted(order) == list(range(120)) and np.abs(np.diff(labels[order])).mean() > 2
    looks = {(tuple(color), len(path.vertices)) for color, path in
             zip(dots.get_facecolors(), dots.get_paths(), strict=True)}
    assert len(looks) == 12


def test_long_names_are_wrapped_and_figures_are_no_wider_than_they_may_be():
    long = "an animal of a very long name indeed → " * 3 + "\nlinear"
    fig = image_rows(np.zeros((2, 11, 8, 8, 1), np.uint8), "title " * 40, [long, long], list("abcdefghijk"))
    width, height = fig.get_size_inches()
    assert width <= WIDTH and height > 0.5
    assert max(len(line) for label in fig.axes[0].get_yticklabels() for line in label.get_text().split("\n")) < 30
    _, [[axes]] = figure(3)
    scatter(axes, np.zeros((100, 2)), np.arange(100), list(map(str, range(100))))
    assert not axes.get_legend() and axes.texts[-1].get_text() == "coloured by class"


def test_samples_that_are_no_numbers_are_drawn_all_the_same():
    for kind, shape in (("points", (5, 2)), ("sequence", (64, 6, 1))):
        fig = find("data.kinds", kind).KIND.draw(np.full(shape, np.nan, np.float32), 8, lambda: None)
        assert fig.get_size_inches()[0] <= WIDTH
    below = find("data.kinds", "sequence").KIND.draw(np.zeros((2, 3, 1)), 2, lambda: np.array([[[-1.0], [0.0]]]))
    assert below.axes[0].get_ylim() == (-1, 0)


def test_grid_places_images_row_by_row():
    x = np.arange(1, 4, dtype=np.uint8).reshape(3, 1, 1, 1)
    np.testing.assert_array_equal(grid(x, 2)[..., 0], [[255, 255, 255, 255, 255], [255, 1, 255, 2, 255],
                                                       [255, 255, 255, 255, 255], [255, 3, 255, 255, 255],
                                                       [255, 255, 255, 255, 255]])
