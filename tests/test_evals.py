"""Evals against closed forms, and the judge against images whose attributes are known."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gen_jax.evals.attributes import Judge, ink, slant, width
from gen_jax.images import grid
from gen_jax.objectives.objective import Batch

from configs import base
from gen_jax import experiment
from gen_jax.errors import UserError
from gen_jax.evals import ae_vs_vae, concepts, interpolation, log_likelihood
from gen_jax.evals import trained as evals
from gen_jax.objectives import terms


@pytest.fixture
def trained(tiny_config):
    """Digits and an untrained net."""
    tiny_config.data.update({"name": "digits", "num_train": 300, "num_test": 60})
    tiny = experiment.build(tiny_config)
    return evals.Trained(tiny.config, tiny.objective, *tiny.start().state.averaged(), tiny.train, tiny.test, [])


def test_log_px_is_exact_where_latents_do_not_matter_and_bounds_it_elsewhere(trained):
    x, objective = trained.test_x[:20], trained.objective
    keys = jax.random.split(jax.random.key(0), (400, 20))
    log_weight = jax.vmap(objective.predict["log_weight"], (None, None, None, 0))
    measure = jax.vmap(objective.measure, (None, None, None, 0))
    state = trained.params, trained.stats
    bound = -float(measure(*state, Batch(jnp.asarray(trained.test.images[:20]), None), keys)["loss"].mean())
    assert float(log_weight(*state, x, keys).mean()) == pytest.approx(bound, rel=0.02)
    assert log_likelihood.log_px(trained, x, 64).mean() > bound
    # A decoder that ignores z, and a posterior equal to the prior: every weight is p(x) itself.
    trained.params = jax.tree.map(jnp.zeros_like, trained.params)
    exact = -terms.bernoulli_nll(jnp.zeros_like(x), x)
    np.testing.assert_allclose(log_likelihood.log_px(trained, x, 3), exact, rtol=1e-5)


def test_log_px_of_binarised_images_is_of_one_binarisation_each(tiny_config):
    tiny_config.objective.likelihood = "binarized"
    tiny = experiment.build(tiny_config)
    params, stats = jax.tree.map(jnp.zeros_like, tiny.start().state.averaged())
    blind = evals.Trained(tiny.config, tiny.objective, params, stats, tiny.train, tiny.test, [])
    # Of a decoder that gives 1/2 for every pixel, log p is -64 log 2 for any binary image and any number of samples.
    np.testing.assert_allclose(log_likelihood.log_px(blind, blind.test_x, 20), -64 * np.log(2), rtol=1e-5)
    blind.params["dec"]["logits"]["bias"] += 1.0
    few, many = (log_likelihood.log_px(blind, blind.test_x, k).mean() for k in (1, 200))
    assert few == pytest.approx(many, abs=2.0)


def test_ae_vs_vae_compares_two_runs_on_the_same_data(tiny_config):
    runs = []
    for model, objective in ((base.mlp(), base.elbo()), (base.mlp(name="mlp_autoencoder"), base.autoencoder())):
        config = tiny_config.copy_and_resolve_references()
        config.model, config.objective = model, objective
        config.optim = {"vae" if objective.name == "elbo" else "ae": base.optimizer()}
        built = experiment.build(config)
        runs.append(evals.Trained(built.config, built.objective, *built.start().state.averaged(), built.train,
                                  built.test, []))
    runs[0].other = runs[1]
    numbers = dict(ae_vs_vae.evaluate(runs[0]))
    assert {"near_data/ae", "near_data/vae", "ae_vs_vae"} <= set(numbers)
    assert 0 <= numbers["near_data/vae"] <= 1
    runs[0].other = runs[0]
    with pytest.raises(UserError, match="name the workdir of the other kind"):
        dict(ae_vs_vae.evaluate(runs[0]))


def test_apply_does_not_depend_on_the_batch_size(trained):
    whole = trained.apply("encode", trained.test_x)
    np.testing.assert_allclose(np.concatenate([trained.apply("encode", trained.test_x[i:i + 5])
                                               for i in range(0, 60, 5)]), whole, rtol=2e-5, atol=1e-6)


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


def test_concept_vector_is_the_difference_of_means_and_controls_are_as_long(trained):
    vector = concepts.concept_vector(trained, Judge(trained), ("1", "0"))
    codes, labels = trained.train_codes, trained.train.labels
    np.testing.assert_allclose(vector, codes[labels == 0].mean(0) - codes[labels == 1].mean(0), rtol=1e-5)
    lengths = np.linalg.norm(concepts.random_directions(trained, "1->0", vector, 4), axis=1)
    np.testing.assert_allclose(lengths, np.linalg.norm(vector), rtol=1e-5)
    (line, *_) = concepts.concept_faults("evals.concepts", "1 to 0", trained.train)
    assert "must be written 'source->target'" in line


def test_grid_places_images_row_by_row():
    x = np.arange(1, 4, dtype=np.uint8).reshape(3, 1, 1, 1)
    np.testing.assert_array_equal(grid(x, 2)[..., 0], [[255, 255, 255, 255, 255], [255, 1, 255, 2, 255],
                                                       [255, 255, 255, 255, 255], [255, 3, 255, 255, 255],
                                                       [255, 255, 255, 255, 255]])
