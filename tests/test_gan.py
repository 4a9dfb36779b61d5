"""The games of two players: who moves, what changes, what noise is shared, and the losses' constants."""
import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from gen_jax.models.net import Net, init
from gen_jax.objectives.objective import Batch

from configs import base, dcgan_cars, dcgan_digits
from gen_jax import experiment, images, run
from gen_jax.find import find
from gen_jax.keys import MoveKeys, stream
from gen_jax.objectives import augment
from gen_jax.report.workdir import Workdir
from gen_jax.training import loop
from gen_jax.training.feed import DeviceFeed
from gen_jax.training.state import digest, digests
from gen_jax.training.step import make_step

KEY = stream(0, "train")


def tiny(config):
    """The experiment of a GAN's config, its nets as small as they get, on 8x8 images."""
    config.model.update({"latent_dim": 4, "gen_widths": (4,), "disc_widths": (4, 4), "kernel_size": 3})
    return experiment.build(config)


@pytest.fixture(params=["chapter", "two moves"])
def gan(request):
    """A tiny game of three moves, and one of two kinds of moves, with averages."""
    if request.param == "chapter":
        return tiny(dcgan_cars.get_config("smoke"))
    config = dcgan_digits.get_config("smoke")
    config.objective.update({"augment": "flip", "disc_moves": 2})
    return tiny(config)


def first_batch(built):
    return Batch(jnp.asarray(built.train.images[:16]), jnp.asarray(built.train.labels[:16]))


def test_each_move_changes_its_player_alone(gan):
    state, batch = gan.start().state.replace(ema={}), first_batch(gan)
    for move in dict.fromkeys(gan.objective.moves):
        one = make_step(gan.objective._replace(moves=(move,)), gan.optimizers, 0.0)
        before, now = digests(state), digests(jax.jit(one)(state, batch, KEY)[0])
        changed = {tuple(name.split("/")[:2]) for name in now if now[name] != before[name]}
        assert changed == {("step",), *((part, move.player) for part in ("params", "stats", "opt"))}


def test_stops_change_no_bit_there_is_one_trace_and_every_move_is_made(gan):
    traces, feed, step = [], DeviceFeed(gan.train, 0, 16), gan.step()
    advance = loop.make_advance(lambda *args: traces.append(1) or step(*args), 16)

    def run(stops):
        progress = gan.start()
        for stop in stops:
            progress = advance(progress, feed.block(0), stop, KEY)
        return progress
    straight = run([6])
    assert digest(straight) == digest(run([1, 2, 5, 6]))
    assert len(traces) == 1
    for player, opt in straight.state.opt.items():
        counts = {int(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(opt)
                  if "count" in jax.tree_util.keystr(path)}
        assert counts == {6 * sum(move.player == player for move in gan.objective.moves)}


def test_a_killed_run_goes_on_to_the_same_bits(gan, tmp_path):
    gan.config.unlock()
    gan.config.evals.update({"end": (), "during": ("gan_signals",), "every_epochs": 2})
    gan.config.checkpoint.best = "samples/nearest"  # a metric that not every epoch has
    gan.config.train.epochs = 3
    workdir = Workdir(tmp_path)

    def end():
        run.train(gan.config.copy_and_resolve_references(), workdir)
        return json.loads(workdir.result.read_bytes())["state_sha256"], workdir.metrics.read_bytes()
    straight = end()
    workdir.result.unlink()
    shutil.rmtree(tmp_path / "checkpoints" / "18")  # as a kill in the third epoch leaves it
    assert end() == straight


def test_the_chapter_s_fakes_are_made_in_inference_mode_and_its_generator_learns_from_the_same_latents(monkeypatch):
    gan, module, keys, modes = tiny(dcgan_cars.get_config("smoke")), find("objectives", "dcgan"), [], []
    prior, apply = module.adversarial.prior, module.apply
    monkeypatch.setattr(module.adversarial, "prior", lambda nets, key, num: keys.append(key) or prior(nets, key, num))
    monkeypatch.setattr(module, "apply", lambda *args, train: modes.append(train) or apply(*args, train=train))
    jax.eval_shape(make_step(gan.objective, gan.optimizers, 0.0), gan.start().state, first_batch(gan), KEY)
    keys, modes = keys[-2:], modes[-2:]  # start() has traced the step too
    assert keys[0] is keys[1]
    assert modes == [False, True]


def test_losses_are_their_closed_forms():
    """A discriminator that always answers f, through the measures of both games."""
    f = 0.7
    log_d, log_not_d = -np.log1p(np.exp(-f)), -np.log1p(np.exp(f))
    chapter, modern = tiny(dcgan_cars.get_config("smoke")), tiny(dcgan_digits.get_config("smoke"))
    for built, smoothing in ((chapter, 0.1), (modern, 0.0)):
        state = jax.tree.map(jnp.zeros_like, built.start().state)
        head = next(layer for name, layer in state.params["disc"].items() if name.startswith("Dense"))
        head["bias"] += f
        keys = jax.random.split(KEY, 16)
        means = {name: float(value.mean()) for name, value in
                 built.objective.measure(state.params, state.stats, first_batch(built), keys).items()}
        real, fake = -(1 - smoothing) * log_d - smoothing * log_not_d, -log_not_d
        assert means["disc_loss"] == pytest.approx((real + fake) / 2, rel=1e-5)
        assert means["gen_loss"] == pytest.approx(-log_d, rel=1e-5)
        assert means["real"] == means["fake"] == pytest.approx(np.exp(log_d), rel=1e-5)
        assert means["accuracy"] == 0.5


class Plane(nn.Module):
    """A discriminator whose logit is 0.01 times the sum of an image's pixels."""

    @nn.compact
    def __call__(self, x, train):
        x = x.reshape(len(x), -1)
        return x @ self.param("weights", nn.initializers.constant(0.01), (x.shape[-1],))


class Grey(nn.Module):
    """A generator whose 8x8 images are 0.5 everywhere."""

    @nn.compact
    def __call__(self, z, train):
        return jnp.broadcast_to(self.param("grey", nn.initializers.constant(0.5), ()), (len(z), 8, 8, 1))


def softplus(f):
    return np.log1p(np.exp(f))


@pytest.mark.parametrize("hp,disc,gen", [
    (base.three_moves(label_smoothing=0.1), [0.9 * softplus(-0.64) + 0.1 * softplus(0.64), softplus(0.32)],
     softplus(-0.32)),
    (base.gan(), [softplus(-0.64) + softplus(0.32)], softplus(-0.32)),
    (base.gan(loss="hinge"), [1 - 0.64 + 1 + 0.32], -0.32),
    (base.gan(r1=10.0), [softplus(-0.64) + softplus(0.32) + 10 / 2 * 64 * 0.01**2], softplus(-0.32)),
    (base.gan(augment="white", disc_moves=2), 2 * [softplus(-0.64) + softplus(0.64)], softplus(-0.64)),
], ids=["chapter", "logistic", "hinge", "r1", "augmented"])
def test_moves_answer_the_losses_that_are_written(hp, disc, gen, monkeypatch):
    """On white images: f(x) = 0.64 and f(G(z)) = 0.32; r1's slope is 0.01 at each pixel."""
    monkeypatch.setitem(augment.POLICIES, "white", lambda x, key: 0 * x + 1)
    nets = {"gen": Net(Grey(), (jax.ShapeDtypeStruct((1, 4), jnp.float32),)),
            "disc": Net(Plane(), (jax.ShapeDtypeStruct((1, 8, 8, 1), jnp.float32),))}
    objective, batch = find("objectives", hp.name).build(nets, hp), Batch(jnp.full((3, 8, 8, 1), 255, jnp.uint8), None)
    losses = [move.loss(*init(nets, KEY), batch, MoveKeys(KEY, KEY))[0] for move in objective.moves]
    assert [move.player for move in objective.moves] == ["disc"] * len(disc) + ["gen"]
    np.testing.assert_allclose(losses, [*disc, gen], rtol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8, 1), (33, 20, 3), (128, 128, 3)], ids=str)
def test_nets_fit_any_image(shape):
    hp = dcgan_digits.get_config().model
    nets = find("models", "dcgan").build(hp, shape)
    z, x = jnp.zeros((2, hp.latent_dim)), jnp.zeros((2, *shape))
    for name, inputs, outputs in (("gen", z, x.shape), ("disc", x, (2,))):
        module = nets[name].module
        made = jax.eval_shape(lambda x, m=module: m.init_with_output(jax.random.key(0), x, train=False)[0], inputs)
        assert made.shape == outputs


def test_augmentation_is_differentiable_keeps_shapes_and_changes_each_image_by_itself():
    x = jax.random.uniform(KEY, (16, 9, 8, 3), minval=-1)
    for name, policy in augment.POLICIES.items():
        y = policy(x, KEY)
        assert y.shape == x.shape and not np.array_equal(y, x), name
        alone = jax.grad(lambda x, policy=policy: policy(x, KEY)[3].sum())(x)
        assert {i for i in range(16) if float(jnp.abs(alone[i]).sum())} == {3}, name
    flipped = augment.flip(x, KEY)
    assert {bool((a == b).all()) for a, b in zip(flipped, x, strict=True)} == {True, False}
    moved = augment.translation(jnp.ones((64, 16, 16, 1)), KEY)
    assert set(np.unique(moved)) == {0, 1} and moved.sum((1, 2, 3)).min() >= 14 * 14
    cut = augment.cutout(jnp.ones((64, 8, 8, 1)), KEY)
    assert (cut == 0).sum((1, 2, 3)).max() == 16


def test_ranges_of_images_are_each_other_s_inverse():
    unit = jnp.linspace(0, 1, 11)
    np.testing.assert_allclose(images.from_symmetric(images.to_symmetric(unit)), unit, atol=1e-7)
    assert images.to_symmetric(unit)[0] == -1 and images.to_symmetric(unit)[-1] == 1
