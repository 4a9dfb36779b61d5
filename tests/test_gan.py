"""The games of two players: who moves, what changes, what noise is shared, and the losses' constants."""
import json
import shutil
import sys
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from configs import dcgan_cars, dcgan_digits
from gen_jax import experiment
from gen_jax.data import spec
from gen_jax.data.kinds import image
from gen_jax.find import find, names
from gen_jax.keys import stream
from gen_jax.models.gan import dcgan as nets_of
from gen_jax.modes.train import train
from gen_jax.net import init
from gen_jax.objectives import dcgan
from gen_jax.objectives import gan as game
from gen_jax.objectives._adversarial import Game
from gen_jax.report.workdir import Workdir
from gen_jax.terms.penalties import gradient_penalty, r1
from gen_jax.training import loop
from gen_jax.training.feed import DeviceFeed
from gen_jax.training.state import digest, digests
from gen_jax.training.step import make_step
from gen_jax.types import Batch, MoveKeys, Net, Source, Vars

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
    config.objective.update({"augment": "flip", "disc_steps": 2})
    return tiny(config)


def first_batch(built):
    return Batch(jnp.asarray(built.train.x[:16]), {"label": jnp.asarray(built.train.labels[:16])})


def test_each_move_changes_its_player_alone(gan):
    state, batch = gan.begin().state.replace(ema=Vars({}, {})), first_batch(gan)
    for move in dict.fromkeys(gan.objective.moves):
        one = make_step(gan.objective._replace(moves=(move,)), gan.optimizers, 0.0, 12)
        before, now = digests(state), digests(jax.jit(one)(state, batch, KEY)[0])
        changed = {name.removeprefix("vars/").split("/")[0:2][-1] for name in now if now[name] != before[name]}
        assert changed == {"step", move.player}


def test_stops_change_no_bit_there_is_one_trace_and_every_move_is_made(gan):
    traces, feed, step = [], DeviceFeed(gan.train, 0, 16), gan.step()
    advance = loop.make_advance(lambda *args: traces.append(1) or step(*args), feed.batch_at)

    def run(stops):
        progress = gan.begin()
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


@pytest.mark.parametrize("gan", ["two moves"], indirect=True)
def test_a_killed_run_goes_on_to_the_same_bits(gan, tmp_path):
    gan.config.unlock()
    gan.config.evals.update({"end": (), "during": ("gan_signals",), "every_epochs": 2})
    gan.config.checkpoint.best = "samples/nearest"  # a metric that not every epoch has
    gan.config.train.epochs, gan.config.objective.disc_steps = 3, 1
    workdir = Workdir(tmp_path)

    def end():
        train(gan.config.copy_and_resolve_references(), workdir)
        return json.loads(workdir.result.read_bytes())["state_sha256"], workdir.metrics.read_bytes()
    straight = end()
    workdir.result.unlink()
    shutil.rmtree(tmp_path / "checkpoints" / "18")  # as a kill in the third epoch leaves it
    assert end() == straight


def test_the_chapter_s_fakes_are_made_in_inference_mode_and_its_generator_learns_from_the_same_latents(monkeypatch):
    gan, keys, modes, prior, generate = tiny(dcgan_cars.get_config("smoke")), [], [], Game.sample_prior, Game.generate
    monkeypatch.setattr(Game, "sample_prior", lambda self, key, num: keys.append(key) or prior(self, key, num))
    monkeypatch.setattr(Game, "generate", lambda *args, train: modes.append(train) or generate(*args, train=train))
    jax.eval_shape(make_step(gan.objective, gan.optimizers, 0.0, 12), gan.begin().state, first_batch(gan), KEY)
    keys, modes = keys[-2:], modes[-2:]  # begin() has traced the step too
    assert keys[0] is keys[1]
    assert modes == [False, True]


def test_losses_are_their_closed_forms():
    """A discriminator that always answers f, through the measures of both games."""
    f = 0.7
    log_d, log_not_d = -np.log1p(np.exp(-f)), -np.log1p(np.exp(f))
    chapter, modern = tiny(dcgan_cars.get_config("smoke")), tiny(dcgan_digits.get_config("smoke"))
    for built, smoothing, share in ((chapter, 0.1, 2), (modern, 0.0, 1)):
        vars = jax.tree.map(jnp.zeros_like, built.begin().state.vars)
        head = next(layer for name, layer in vars.params["disc"].items() if name.startswith("Dense"))
        head["bias"] += f
        keys = jax.random.split(KEY, 16)
        means = {name: float(value.mean()) for name, value in
                 jax.jit(built.objective.measure)(vars, first_batch(built), keys).items()}
        real, fake = -(1 - smoothing) * log_d - smoothing * log_not_d, -log_not_d
        assert means["disc_loss"] == pytest.approx((real + fake) / share, rel=1e-5)
        assert means["gen_loss"] == pytest.approx(-log_d, rel=1e-5)
        assert means["real"] == means["fake"] == pytest.approx(np.exp(log_d), rel=1e-5)
        assert means["accuracy"] == 0.5


class Plane(nn.Module):
    """A discriminator whose logit is 0.01 times the sum of an image's pixels."""

    @nn.compact
    def __call__(self, x, train):
        x = x.reshape(x.shape[0], -1)
        return x @ self.param("weights", nn.initializers.constant(0.01), (x.shape[-1],))


class Grey(nn.Module):
    """A generator whose 8x8 images are 0.5 everywhere."""

    @nn.compact
    def __call__(self, z, train):
        return jnp.broadcast_to(self.param("grey", nn.initializers.constant(0.5), ()), (len(z), 8, 8, 1))


def softplus(f):
    return np.log1p(np.exp(f))


@pytest.mark.parametrize("hp,disc,gen", [
    (dcgan.hp(label_smoothing=0.1), [0.9 * softplus(-0.64) + 0.1 * softplus(0.64), softplus(0.32)],
     softplus(-0.32)),
    (game.hp(), [softplus(-0.64) + softplus(0.32)], softplus(-0.32)),
    (game.hp(loss="hinge"), [1 - 0.64 + 1 + 0.32], -0.32),
    (game.hp(loss="relativistic"), [softplus(0.32 - 0.64)], softplus(0.64 - 0.32)),
    (game.hp(loss="wasserstein"), [0.32 - 0.64], -0.32),
    (game.hp(penalties={"r1": r1.hp(weight=10.0)}), [softplus(-0.64) + softplus(0.32) + 10 / 2 * 64 * 0.01**2],
     softplus(-0.32)),
    (game.hp(penalties={"gradient_penalty": gradient_penalty.hp(weight=10.0)}),
     [softplus(-0.64) + softplus(0.32) + 10 * (1 - 8 * 0.01) ** 2], softplus(-0.32)),
    (game.hp(augment="white", disc_steps=2), 2 * [softplus(-0.64) + softplus(0.64)], softplus(-0.64)),
], ids=["chapter", "logistic", "hinge", "relativistic", "wasserstein", "r1", "gradient_penalty", "augmented"])
def test_moves_answer_the_losses_that_are_written(hp, disc, gen, monkeypatch):
    """On white images: f(x) = 0.64 and f(G(z)) = 0.32; r1's slope is 0.01 at each pixel."""
    white = SimpleNamespace(augment=lambda x, key: jnp.ones_like(x))
    monkeypatch.setitem(sys.modules, "gen_jax.terms.augment.white", white)
    monkeypatch.setattr("gen_jax.terms.augment.find", lambda room, name: white)
    nets = {"gen": Net(Grey(), (jax.ShapeDtypeStruct((1, 4), jnp.float32),)),
            "disc": Net(Plane(), (jax.ShapeDtypeStruct((1, 8, 8, 1), jnp.float32),))}
    white_images = Source(np.full((3, 8, 8, 1), 255, np.uint8))
    objective = experiment.seen(find("objectives", hp.name).build(nets, hp, spec(white_images, image.KIND)),
                                spec(white_images, image.KIND))
    values = [move.loss(init(nets, KEY), Batch(jnp.asarray(white_images.x)), MoveKeys(KEY, KEY, jnp.float32(0)))
              for move in objective.moves]
    losses = [value for value, _ in values]
    assert all(value == aux.terms["loss"] for value, aux in values), "what is logged is what is differentiated"
    assert [move.player for move in objective.moves] == ["disc"] * len(disc) + ["gen"]
    np.testing.assert_allclose(losses, [*disc, gen], rtol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8, 1), (33, 20, 3), (128, 128, 3)], ids=str)
def test_nets_fit_any_image(shape):
    hp = dcgan_digits.get_config().model
    nets = nets_of.build(hp, spec(Source(np.zeros((1, *shape), np.uint8)), image.KIND))
    z, x = jnp.zeros((2, hp.latent_dim)), jnp.zeros((2, *shape))
    for name, inputs, outputs in (("gen", z, x.shape), ("disc", x, (2,))):
        module = nets[name].module
        made = jax.eval_shape(lambda x, m=module: m.init_with_output(jax.random.key(0), x, train=False)[0], inputs)
        assert made.shape == outputs


def test_augmentation_is_differentiable_keeps_shapes_and_changes_each_image_by_itself():
    x = jax.random.uniform(KEY, (16, 9, 8, 3), minval=-1)
    policies = {name: find("terms.augment", name).augment for name in names("terms.augment")}
    for name, policy in policies.items():
        y = jax.jit(policy)(x, KEY)
        assert y.shape == x.shape and not np.array_equal(y, x), name
        alone = jax.jit(jax.grad(lambda x, policy=policy: policy(x, KEY)[3].sum()))(x)
        assert {i for i in range(16) if float(jnp.abs(alone[i]).sum())} == {3}, name
    flipped = policies["flip"](x, KEY)
    assert {bool((a == b).all()) for a, b in zip(flipped, x, strict=True)} == {True, False}
    moved = policies["translation"](jnp.ones((64, 16, 16, 1)), KEY)
    assert set(np.unique(moved)) == {0, 1} and moved.sum((1, 2, 3)).min() >= 14 * 14
    cut = policies["cutout"](jnp.ones((64, 8, 8, 1)), KEY)
    assert (cut == 0).sum((1, 2, 3)).max() == 16


def test_ranges_of_images_are_each_other_s_inverse():
    unit = jnp.linspace(0, 1, 11)
    np.testing.assert_allclose(image.from_symmetric(image.to_symmetric(unit)), unit, atol=1e-7)
    assert image.to_symmetric(unit)[0] == -1 and image.to_symmetric(unit)[-1] == 1
