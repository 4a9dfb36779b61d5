"""The step and the loop: one trace, bitwise stops, the mover alone moves, exact validation, loud failures."""
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import linen as nn

from gen_jax import experiment
from gen_jax.data import digits, points
from gen_jax.data.kinds.image import to_unit
from gen_jax.keys import stream
from gen_jax.net import apply
from gen_jax.objectives import elbo
from gen_jax.optimizers import _shared, adam, rmsprop
from gen_jax.training import loop
from gen_jax.training.checkpoint import Checkpoints
from gen_jax.training.feed import DeviceFeed, HostFeed, StreamFeed, epoch_order
from gen_jax.training.state import average, create, digest, digests
from gen_jax.training.step import make_step, num_batches
from gen_jax.training.validate import make_validate
from gen_jax.types import Aux, Batch, Move, MoveKeys, Net, Objective, Source, Vars

KEY = stream(0, "train")


def advance_through(experiment, stops, feed=None, step=None):
    """The progress after the last of stops, having stopped at each; and how often the step was traced."""
    traces = []

    def counted(*args):
        traces.append(1)
        return (step or experiment.step())(*args)
    feed = feed or experiment.feed()
    advance, progress, done = loop.make_advance(counted, feed.batch_at), experiment.begin(), 0
    for stop in stops:
        while done < stop:
            block = feed.block(done)
            done = min(stop, block.end)
            progress = advance(progress, block, done, KEY)
    return progress, len(traces)


@pytest.fixture
def straight(tiny):
    """The digest of tiny's progress after 12 steps, and how often the step was traced."""
    progress, traces = advance_through(tiny, [12])
    return SimpleNamespace(digest=digest(progress), traces=traces)


def test_stops_change_no_bit_and_there_is_one_trace(tiny, straight):
    stopped, traces = advance_through(tiny, [1, 4, 5, 11, 12])
    assert digest(stopped) == straight.digest
    assert traces == straight.traces == 1


def test_it_ends_at_the_last_step_also_within_an_epoch(tiny, monkeypatch):
    monkeypatch.setattr(loop, "STRETCH_SECONDS", 1000.0)
    feed = tiny.feed()
    end = loop.run(tiny.begin(), loop.make_advance(tiny.step(), feed.batch_at), feed, KEY, 5,
                   6, lambda *_: None, lambda progress, step: progress, lambda: False)
    assert int(end.state.step) == 5


def test_host_feed_gives_the_device_feed_s_bits(tiny, straight):
    assert isinstance(tiny.feed(), DeviceFeed)
    host, traces = advance_through(tiny, [12], HostFeed(tiny.train, 0, tiny.step_size, steps_per_block=4))
    assert digest(host) == straight.digest
    assert traces == 1


def test_epoch_order_is_a_permutation_and_a_pure_function():
    first = epoch_order(3, 0, 50)
    assert sorted(first) == list(range(50))
    np.testing.assert_array_equal(first, epoch_order(3, 0, 50))
    assert not np.array_equal(first, epoch_order(3, 1, 50))
    assert not np.array_equal(first, epoch_order(4, 0, 50))


# Streams

@pytest.fixture
def streamed(tiny_config):
    """An experiment on points that are drawn anew at each step: 12 steps."""
    tiny_config.data = points.hp(shape="moons", stream=True, num_train=96, num_test=40)
    tiny_config.objective = elbo.hp(likelihood="gaussian_learned")
    tiny_config.train.steps = 12
    tiny_config.log.every_steps = tiny_config.checkpoint.every_steps = 6
    return experiment.build(tiny_config)


def test_a_stream_s_batch_is_a_pure_function_of_seed_and_step(streamed):
    def at(seed, step):
        feed = StreamFeed(streamed.draw, seed, 16)
        return digest(feed.batch_at(feed.block(step), jnp.int32(step)))
    assert at(3, 7) == at(3, 7)
    assert len({at(3, 7), at(3, 8), at(4, 7)}) == 3


def test_a_stream_stops_and_goes_on_to_the_same_bits_and_its_run_is_of_steps(streamed):
    derived, feed = streamed.config.derived, streamed.feed()
    assert (derived.steps_per_epoch, derived.total_steps, derived.record_steps) == (0, 12, 6)
    assert feed.steps_per_epoch == 0 and feed.block(0).end > 12 and feed.block(0) is feed.block(11)
    straight, traces = advance_through(streamed, [12])
    stopped, traces_stopped = advance_through(streamed, [1, 5, 12])
    assert digest(straight) == digest(stopped)
    assert (traces, traces_stopped) == (1, 1)


def test_a_stream_has_no_epochs(streamed):
    config = streamed.config.copy_and_resolve_references()
    config.unlock()
    del config.derived
    config.train.steps = config.log.every_steps = None
    with pytest.raises(experiment.UserError) as caught:
        experiment.build(config)
    assert [line.split(":")[0] for line in caught.value.faults] == ["train.steps is not set",
                                                                    "log.every_steps is not set"]


def test_augmentation_draws_from_a_key_of_its_own(tiny):
    half = np.random.RandomState(0).randint(0, 256, (4, 8, 4, 1), np.uint8)
    batch = Batch(to_unit(jnp.asarray(np.concatenate([half, half[:, :, ::-1]], 2))), {})  # a flip changes nothing
    key = jax.random.key(5)

    def loss(augment):
        hp = elbo.hp(likelihood="bernoulli", augment=augment)
        (move,) = elbo.build(tiny.objective.nets, hp, tiny.spec).moves
        return jax.jit(lambda key: move.loss(state.vars, batch, MoveKeys(key, key, jnp.float32(0)))[0])
    state, plain, flipped = tiny.begin().state, loss(""), loss("flip")
    noise_key, _ = jax.random.split(key)
    assert float(flipped(key)) == pytest.approx(float(plain(noise_key)), rel=1e-5)
    assert float(flipped(key)) != pytest.approx(float(plain(key)), rel=1e-5)


def test_loss_falls_on_real_digits(tiny_config):
    tiny_config.data = digits.hp()
    tiny_config.train.update({"epochs": 4, "batch_size": 64})
    built = experiment.build(tiny_config)
    validate = make_validate(built.objective, built.test, 100, 1.0)
    feed = built.feed()
    advance, progress, losses = loop.make_advance(built.step(), feed.batch_at), built.begin(), []
    for step in (0, 22, 44, 66):
        for until in (step + 1, step + 22):
            progress = advance(progress, feed.block(step), until, KEY)
            losses.append(validate(progress.state.averaged(), KEY)["loss"])
    assert losses[-1] < 0.8 * losses[0]


# Moves

class Normed(nn.Module):
    """A linear map after BatchNorm."""

    @nn.compact
    def __call__(self, x, train):
        return nn.Dense(1)(nn.BatchNorm(use_running_average=not train)(x))


def two_players(ema_nets=(), **second):
    """A game with two players and BatchNorm in both nets, b's move after a's; second: of b's Move."""
    nets = {name: Net(Normed(), (jax.ShapeDtypeStruct((1, 4), jnp.float32),)) for name in "ab"}

    def loss(vars, batch, keys):
        x = batch.x.reshape(batch.x.shape[0], -1) + jax.random.normal(keys.step, ())
        ys = [apply(nets, net, vars, x, given={}, train=True) for net in "ab"]
        value = (ys[0][0] * ys[1][0]).mean()
        return value, Aux({"loss": value}, {net: after[net] for net, (_, after) in zip("ab", ys, strict=True)})
    objective = Objective(nets, {"a": ("a",), "b": ("b",)}, (Move("a", loss), Move("b", loss, **second)),
                          lambda *args: {}, {})
    optimizers = {"a": optax.adam(1e-2), "b": optax.sgd(1e-2, momentum=0.9)}
    return objective, optimizers, create(objective, optimizers, ema_nets, stream(0, "init"))


def batch_of(num):
    return Batch(jax.random.normal(KEY, (num, 2, 2, 1)), {})


def test_only_the_mover_changes():
    objective, optimizers, state = two_players()
    one_move = objective._replace(moves=objective.moves[:1])
    after, metrics = jax.jit(make_step(one_move, optimizers, 0.0, 10))(state, batch_of(8), KEY)
    before = digests(state)
    changed = {tuple(name.split("/")) for name, sha in digests(after).items() if before[name] != sha}
    assert {path[:3] for path in changed if path[0] == "vars"} == {("vars", "params", "a"), ("vars", "state", "a")}
    assert {path[:2] for path in changed if path[0] != "vars"} == {("step",), ("opt", "a")}
    assert set(metrics) == {"a/loss", "a/grad_norm", "a/update_norm"}


def same(a, b):
    return all(np.allclose(x, y, rtol=1e-6, atol=1e-7) for x, y in zip(*map(jax.tree.leaves, (a, b)), strict=True))


def moved(objective, optimizers, state, batch):
    """The variables after one step."""
    return jax.jit(make_step(objective, optimizers, 0.0, 10))(state, batch, KEY)[0].vars


@pytest.mark.parametrize("together", [False, True])
def test_simultaneous_moves_answer_the_nets_as_they_were(together):
    objective, optimizers, state = two_players(together=together)
    answer = moved(objective, optimizers, state, batch_of(8))
    still = {**optimizers, "a": optax.set_to_zero()}  # a stays, so that b answers it as it was
    answer_to_still = moved(objective, still, state.replace(opt={**state.opt, "a": optax.EmptyState()}), batch_of(8))
    assert not same(answer.params["a"], state.vars.params["a"])
    assert same(answer.params["b"], answer_to_still.params["b"]) == together


def test_two_moves_may_each_see_a_fresh_batch():
    objective, optimizers, state = two_players(batch=1, together=True)
    assert num_batches(objective) == 2
    fresh = batch_of(16)
    one = objective._replace(moves=tuple(move._replace(batch=0) for move in objective.moves))
    vars = moved(objective, optimizers, state, fresh)
    halves = [moved(one, optimizers, state, jax.tree.map(lambda x, i=i: x[8 * i:8 * i + 8], fresh)) for i in (0, 1)]
    for player, seen, other in (("a", *halves), ("b", *halves[::-1])):
        assert same(vars.params[player], seen.params[player]) and not same(vars.params[player], other.params[player])


@pytest.mark.parametrize("start,decay", [(0, 0.1), (1000, 0.75)], ids=["first", "later"])
def test_a_step_is_one_pass_over_the_moves_and_ema_follows_weights_and_statistics(start, decay):
    objective, optimizers, state = two_players(ema_nets=("b",))
    state = state.replace(step=state.step + start)
    after, metrics = jax.jit(make_step(objective, optimizers, 0.75, 10))(state, batch_of(8), KEY)
    assert int(after.step) == start + 1
    assert set(metrics) == {f"{player}/{term}" for player in "ab" for term in ("loss", "grad_norm", "update_norm")}
    for part in ("params", "state"):
        old, new, ema = (getattr(vars, part)["b"] for vars in (state.vars, after.vars, after.ema))
        expected = jax.tree.map(lambda old, new: decay * old + (1 - decay) * new, old, new)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), expected, ema)
    averaged = after.averaged()
    assert averaged.params["b"] is after.ema.params["b"] and averaged.params["a"] is after.vars.params["a"]
    assert averaged.state["b"] is after.ema.state["b"] and averaged.state["a"] is after.vars.state["a"]


# Collections of any kind

def test_averages_leave_whole_numbers_and_flags_alone_and_copy_other_collections():
    def vars_of(value):
        return Vars({"net": {"w": jnp.float32(value)}},
                    {"net": {"batch_stats": {"mean": jnp.float32(value), "count": jnp.int32(value)},
                             "codebook": {"vectors": jnp.float32(value), "alive": jnp.array(value > 1)}}})
    mean = average(vars_of(0), vars_of(4), jnp.float32(0.75))
    assert mean.params == {"net": {"w": 1.0}}
    assert mean.state["net"] == {"batch_stats": {"mean": 1.0, "count": 4}, "codebook": {"vectors": 4.0, "alive": True}}
    assert mean.state["net"]["batch_stats"]["count"].dtype == jnp.int32
    assert mean.state["net"]["codebook"]["alive"].dtype == bool


class Counting(nn.Module):
    """Counts its batches, and the values it has seen, beside its one weight."""

    @nn.compact
    def __call__(self, x, train):
        count = self.variable("tally", "count", lambda: jnp.int32(2**24))  # what float32 cannot count on from
        seen = self.variable("tally", "seen", lambda: jnp.zeros(8, bool))
        if train:
            count.value += 1
            seen.value |= (jnp.arange(8)[None] == x.astype(jnp.int32)[:, :1]).any(0)
        return x * self.param("w", nn.initializers.ones, ())


def test_a_collection_of_counts_and_flags_survives_every_step_and_checkpoint_bit_for_bit(tmp_path):
    nets = {"net": Net(Counting(), (jax.ShapeDtypeStruct((1, 1), jnp.float32),))}

    def loss(vars, batch, keys):
        y, state = apply(nets, "net", vars, batch.x, given={}, train=True)
        return jnp.square(y).mean(), Aux({"loss": jnp.square(y).mean()}, state)
    objective = Objective(nets, {"one": ("net",)}, (Move("one", loss),), lambda *args: {}, {})
    optimizers, source = {"one": optax.adam(1e-2)}, Source(np.arange(6, dtype=np.float32)[:, None])
    step, feed = make_step(objective, optimizers, 0.9, 6), DeviceFeed(source, 0, 1)
    advance = loop.make_advance(step, feed.batch_at)

    def begin():
        return loop.begin(create(objective, optimizers, ("net",), stream(0, "init")), step,
                          Batch(jax.ShapeDtypeStruct((1, 1), jnp.float32)), KEY)

    straight = advance(begin(), feed.block(0), 6, KEY)
    tally = straight.state.vars.state["net"]["tally"]
    assert int(tally["count"]) == 2**24 + 6 and tally["count"].dtype == jnp.int32
    assert np.asarray(tally["seen"]).tolist() == 6 * [True] + 2 * [False]
    assert digest(straight.state.averaged().state) == digest(straight.state.vars.state)
    checkpoints = Checkpoints(tmp_path, keep=1, best="", run="a")
    half = advance(begin(), feed.block(0), 3, KEY)
    checkpoints.save(3, half, {}, {})
    restored, _ = checkpoints.restore(jax.eval_shape(begin), True)
    assert digest(restored) == digest(half)
    assert digest(advance(jax.tree.map(jnp.copy, restored), feed.block(3), 6, KEY)) == digest(straight)


def test_divergence_names_step_and_metric(tiny):
    def poisoned(state, batch, key):
        state, metrics = tiny.step()(state, batch, key)
        return state, metrics | {"vae/grad_norm": jnp.where(state.step == 4, jnp.nan, metrics["vae/grad_norm"])}
    feed = tiny.feed()
    advance = loop.make_advance(poisoned, feed.batch_at)
    progress = advance(tiny.begin(), feed.block(0), 6, KEY)
    assert int(progress.state.step) == 4 and loop.not_finite(progress.last) == ["vae/grad_norm"]
    with pytest.raises(loop.Diverged, match="step 4: vae/grad_norm"):
        loop.run(tiny.begin(), advance, feed, KEY, 12, 6, lambda *_: None, lambda progress, _: progress, lambda: False)


def test_validation_is_exact_whatever_the_batch(tiny):
    vars = tiny.begin().state.averaged()
    means = [make_validate(tiny.objective, tiny.test, size, gb)(vars, KEY)
             for size, gb in ((40, 1.0), (16, 0.0), (7, 1.0))]
    keys = jax.vmap(jax.random.fold_in, (None, 0))(KEY, jnp.arange(40))
    per_example = tiny.objective.measure(vars, Batch(jnp.asarray(tiny.test.x), {}), keys)
    assert per_example["loss"].shape == (40,)
    for mean in means:
        assert mean["loss"] == pytest.approx(float(per_example["loss"].mean()), rel=1e-6)
        assert mean["loss"] == pytest.approx(mean["recon"] + mean["kl"], rel=1e-6)


def test_what_is_measured_on_whole_batches_is_a_mean_over_whole_batches(tiny):
    objective = tiny.objective._replace(measure=lambda vars, batch, keys: {"one": jnp.ones(batch.x.shape[0])},
                                        measure_batch=lambda vars, batch, key: {"mean": batch.x.mean()})
    source = Source(np.arange(10, dtype=np.float32)[:, None])
    means = make_validate(objective, source, 4, 1.0)(tiny.begin().state.vars, KEY)
    assert means == {"one": 1.0, "mean": 3.5}  # of 0..3 and 4..7


def test_beta_reaches_the_gradient(tiny_config):
    norms = []
    for beta in (0.0, 100.0):
        tiny_config.objective.beta = beta
        progress, _ = advance_through(experiment.build(tiny_config), [1])
        norms.append(float(progress.last["vae/grad_norm"]))
    assert norms[1] > 2 * norms[0]


# Optimizers

def test_rmsprop_is_keras_s():
    optimizer = rmsprop.build(rmsprop.hp(), 10)
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
    rate = _shared.schedule(adam.hp(lr=1.0, schedule=name, warmup=0.2, end=0.1), 100)
    assert rate(0) == 0
    assert float(rate(20)) == pytest.approx(1.0)
    assert float(rate(100)) == pytest.approx(end)
