"""The step and the loop: one trace, bitwise stops, the mover alone moves, exact validation, loud failures."""
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn
from gen_jax.models.net import Net, apply
from gen_jax.objectives.objective import Aux, Batch, Move, Objective

from configs import base
from gen_jax.keys import stream
from gen_jax.training import loop, optim
from gen_jax.training.feed import DeviceFeed, HostFeed, epoch_order
from gen_jax.training.state import create, digest, digests
from gen_jax.training.step import make_step
from gen_jax.training.validate import make_validate

KEY = stream(0, "train")


def advance_through(experiment, stops, feed=None, step=None):
    """The progress after the last of stops, having stopped at each; and how often the step was traced."""
    traces = []

    def counted(*args):
        traces.append(1)
        return (step or experiment.step())(*args)
    size = experiment.config.train.batch_size
    feed = feed or DeviceFeed(experiment.train, 0, size)
    advance, progress, done = loop.make_advance(counted, size), experiment.start(), 0
    for stop in stops:
        while done < stop:
            block = feed.block(done)
            done = min(stop, block.end)
            progress = advance(progress, block, done, KEY)
    return progress, len(traces)


def test_stops_change_no_bit_and_there_is_one_trace(tiny):
    straight, traces = advance_through(tiny, [12])
    stopped, traces_stopped = advance_through(tiny, [1, 4, 5, 11, 12])
    assert digest(straight) == digest(stopped)
    assert (traces, traces_stopped) == (1, 1)


def test_it_ends_at_the_last_step_also_within_an_epoch(tiny, monkeypatch):
    monkeypatch.setattr(loop, "STRETCH_SECONDS", 1000.0)
    end = loop.run(tiny.start(), loop.make_advance(tiny.step(), 16), DeviceFeed(tiny.train, 0, 16), KEY, 5,
                   lambda *_: None, lambda progress, step: progress, lambda: False)
    assert int(end.state.step) == 5


def test_host_feed_gives_the_device_feed_s_bits(tiny):
    host, traces = advance_through(tiny, [12], HostFeed(tiny.train, 0, tiny.config.train.batch_size, steps_per_block=4))
    assert digest(host) == digest(advance_through(tiny, [12])[0])
    assert traces == 1


def test_epoch_order_is_a_permutation_and_a_pure_function():
    first = epoch_order(3, 0, 50)
    assert sorted(first) == list(range(50))
    np.testing.assert_array_equal(first, epoch_order(3, 0, 50))
    assert not np.array_equal(first, epoch_order(3, 1, 50))
    assert not np.array_equal(first, epoch_order(4, 0, 50))


def test_loss_falls_on_real_digits(tiny_config):
    from gen_jax import experiment
    tiny_config.data.update({"name": "digits", "num_train": None, "num_test": None})
    tiny_config.train.update({"epochs": 4, "batch_size": 64})
    built = experiment.build(tiny_config)
    validate = make_validate(built.objective, built.test, 100, 1.0)
    states = [advance_through(built, [steps])[0].state for steps in (1, 88)]
    loss = [validate(*state.averaged(), KEY)["loss"] for state in states]
    assert loss[1] < 0.8 * loss[0]


def two_players(ema_nets=()):
    """A game with two players and BatchNorm in both nets, b's move after a's."""
    class Normed(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            return nn.Dense(1)(nn.BatchNorm(use_running_average=not train)(x))
    nets = {name: Net(Normed(), (jax.ShapeDtypeStruct((1, 4), jnp.float32),)) for name in "ab"}

    def loss_of(name):
        def loss(params, stats, batch, keys):
            x = batch.pixels.reshape(len(batch.pixels), -1) + jax.random.normal(keys.step, ())
            ys = [apply(nets, net, params, stats, x, train=True) for net in "ab"]
            value = (ys[0][0] * ys[1][0]).mean()
            return value, Aux({"loss": value}, {net: after[net] for net, (_, after) in zip("ab", ys, strict=True)})
        return loss
    objective = Objective(nets, {"a": ("a",), "b": ("b",)}, (Move("a", loss_of("a")), Move("b", loss_of("b"))),
                          lambda *args: {}, {})
    optimizers = {"a": optax.adam(1e-2), "b": optax.sgd(1e-2, momentum=0.9)}
    return objective, optimizers, create(objective, optimizers, ema_nets, stream(0, "init"))


def test_only_the_mover_changes():
    objective, optimizers, state = two_players()
    batch = Batch(jax.random.normal(KEY, (8, 2, 2, 1)), None)
    one_move = objective._replace(moves=objective.moves[:1])
    after, metrics = jax.jit(make_step(one_move, optimizers, 0.0))(state, batch, KEY)
    changed = {name for name, sha in digests(after).items() if digests(state)[name] != sha}
    assert {name.split("/")[1] for name in changed if "/" in name} == {"a"}
    assert {name.split("/")[0] for name in changed} == {"step", "params", "stats", "opt"}
    assert set(metrics) == {"a/loss", "a/grad_norm", "a/update_norm"}


@pytest.mark.parametrize("start,decay", [(0, 0.1), (1000, 0.75)], ids=["first", "later"])
def test_a_step_is_one_pass_over_the_moves_and_ema_follows_weights_and_statistics(start, decay):
    objective, optimizers, state = two_players(ema_nets=("b",))
    state = state.replace(step=state.step + start)
    batch = Batch(jax.random.normal(KEY, (8, 2, 2, 1)), None)
    after, metrics = jax.jit(make_step(objective, optimizers, 0.75))(state, batch, KEY)
    assert int(after.step) == start + 1
    assert set(metrics) == {f"{player}/{term}" for player in "ab" for term in ("loss", "grad_norm", "update_norm")}
    for part in ("params", "stats"):
        expected = jax.tree.map(lambda old, new: decay * old + (1 - decay) * new, getattr(state, part)["b"],
                                getattr(after, part)["b"])
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), expected, after.ema["b"][part])
    params, stats = after.averaged()
    assert params["b"] is after.ema["b"]["params"] and params["a"] is after.params["a"]
    assert stats["b"] is after.ema["b"]["stats"]


def test_divergence_names_step_and_metric(tiny):
    def poisoned(state, batch, key):
        state, metrics = tiny.step()(state, batch, key)
        return state, metrics | {"vae/grad_norm": jnp.where(state.step == 4, jnp.nan, metrics["vae/grad_norm"])}
    progress, _ = advance_through(tiny, [4], step=poisoned)
    assert int(progress.state.step) == 4 and loop.not_finite(progress.last) == ["vae/grad_norm"]
    with pytest.raises(loop.Diverged, match="step 4: vae/grad_norm"):
        loop.run(tiny.start(), loop.make_advance(poisoned, 16), DeviceFeed(tiny.train, 0, 16), KEY, 12,
                 lambda *_: None, lambda progress, _: progress, lambda: False)


def test_validation_is_exact_whatever_the_batch(tiny):
    params, stats = tiny.start().state.averaged()
    means = [make_validate(tiny.objective, tiny.test, size, gb)(params, stats, KEY)
             for size, gb in ((40, 1.0), (16, 0.0), (7, 1.0))]
    keys = jax.vmap(jax.random.fold_in, (None, 0))(KEY, jnp.arange(40))
    per_image = tiny.objective.measure(params, stats, Batch(jnp.asarray(tiny.test.images), None), keys)
    assert per_image["loss"].shape == (40,)
    for mean in means:
        assert mean["loss"] == pytest.approx(float(per_image["loss"].mean()), rel=1e-6)
        assert mean["loss"] == pytest.approx(mean["recon"] + mean["kl"], rel=1e-6)


def test_beta_reaches_the_gradient(tiny_config):
    from gen_jax import experiment
    norms = []
    for beta in (0.0, 100.0):
        tiny_config.objective.beta = beta
        progress, _ = advance_through(experiment.build(tiny_config), [1])
        norms.append(float(progress.last["vae/grad_norm"]))
    assert norms[1] > 2 * norms[0]


def test_rmsprop_is_keras_s():
    hp = base.rmsprop_keras()
    optimizer = optim.optimizer(hp, 10)
    state, square, w = optimizer.init(jnp.float32(1.0)), 0.0, 1.0
    params = jnp.float32(1.0)
    for gradient in (0.5, -0.2, 0.1):
        updates, state = optimizer.update(jnp.float32(gradient), state, params)
        params = optax.apply_updates(params, updates)
        square = 0.9 * square + 0.1 * gradient**2
        w -= 1e-3 * gradient / np.sqrt(square + 1e-7)
    assert float(params) == pytest.approx(w, rel=1e-6)


@pytest.mark.parametrize("name,end", [("constant", 1.0), ("linear", 0.1), ("cosine", 0.1)])
def test_schedules_start_peak_and_end(name, end):
    rate = optim.schedule(base.optimizer(lr=1.0, schedule=name, warmup=0.2, end=0.1), 100)
    assert rate(0) == 0
    assert float(rate(20)) == pytest.approx(1.0)
    assert float(rate(100)) == pytest.approx(end)
