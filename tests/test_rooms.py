"""The house: imports go one way, and one more is one file."""
import ast
import textwrap
from pathlib import Path

import numpy as np
import pytest

import gen_jax
from configs import base
from gen_jax import find, run
from gen_jax.errors import UserError
from gen_jax.report.workdir import Workdir

ROOMS = ("data", "models", "objectives", "training", "evals", "report")
ANYWHERE = ("config", "errors", "find", "folders", "images", "keys")
ROOT = Path(gen_jax.__file__).parent


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_from_rooms_before_it(room):
    allowed = {*ANYWHERE, *ROOMS[:ROOMS.index(room) + 1]}
    for file in (ROOT / room).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gen_jax"):
                parts = node.module.split(".")
                imported = {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
                assert imported <= allowed, f"{file.name} imports {imported - allowed}"


def test_launch_is_small_and_knows_no_science():
    text = (ROOT.parent / "launch.py").read_text()
    assert text.count("\n") <= 70
    assert not any(f"gen_jax.{room}" in text for room in ("data", "models", "objectives", "evals"))


NEW_FILES = {
    "data": '''
        """Stripes."""
        import numpy as np
        from gen_jax.data.source import Source


        def load(hp, split):
            """32 images of 6x6 with a bright row or a bright column."""
            images, labels = np.zeros((32, 6, 6, 1), np.uint8), np.arange(32, dtype=np.int32) % 2
            images[labels == 0, 2], images[labels == 1, :, 2] = 255, 255
            return Source(images, labels, ("row", "column"))
        ''',
    "models": '''
        """A linear VAE."""
        import jax
        import jax.numpy as jnp
        from flax import linen as nn
        from gen_jax.models.net import Net


        def build(hp, image_shape):
            """Nets enc and dec without hidden layers."""
            image = jax.ShapeDtypeStruct((1, *image_shape), jnp.float32)
            latent = jax.ShapeDtypeStruct((1, hp.latent_dim), jnp.float32)
            return {"enc": Net(Encoder(hp.latent_dim), (image,)), "dec": Net(Decoder(image_shape), (latent,))}


        class Encoder(nn.Module):
            latent_dim: int

            @nn.compact
            def __call__(self, x, train):
                x = x.reshape(len(x), -1)
                return nn.Dense(self.latent_dim)(x), nn.Dense(self.latent_dim)(x)


        class Decoder(nn.Module):
            image_shape: tuple

            @nn.compact
            def __call__(self, z, train):
                h, w, c = self.image_shape
                return nn.Dense(h * w * c)(z).reshape(-1, h, w, c)
        ''',
    "objectives": '''
        """The ELBO with a cost for long codes."""
        from gen_jax.objectives import elbo
        from gen_jax.objectives.objective import Aux, Move


        def build(nets, hp):
            """elbo's objective with hp.weight times the mean square of the posterior's mean added."""
            plain = elbo.build(nets, hp)

            def loss(params, stats, batch, keys):
                value, aux = plain.moves[0].loss(params, stats, batch, keys)
                length = (plain.predict["encode"](params, stats, batch.pixels / 255.0) ** 2).mean()
                return value + hp.weight * length, Aux({**aux.terms, "length": length}, aux.stats)
            return plain._replace(moves=(Move("vae", loss),))
        ''',
    "evals": '''
        """How bright the samples are."""
        NEEDS = ("prior", "decode")


        def evaluate(trained):
            """brightness: the mean grey value of 16 samples."""
            z = trained.prior(trained.key("brightness"), 16)
            yield "brightness", float(trained.apply("decode", z).mean())
        ''',
}


def test_one_more_is_one_file(tmp_path, monkeypatch):
    for room, text in NEW_FILES.items():
        (tmp_path / room).mkdir()
        (tmp_path / room / f"my_{room}.py").write_text(textwrap.dedent(text))
        package = __import__(f"gen_jax.{room}", fromlist=["__path__"])
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / room)])
        assert f"my_{room}" in find.names(room)
    config = base.get_config()
    config.data.name, config.model, config.objective = "my_data", base.mlp(name="my_models"), base.elbo(
        name="my_objectives", weight=0.1)
    config.optim.vae = base.optimizer()
    config.train.update({"batch_size": 8, "epochs": 2})
    config.evals.end = ("my_evals", "samples")
    workdir = Workdir(tmp_path / "run")
    run.train(config, workdir)
    result = __import__("json").loads(workdir.result.read_bytes())
    assert 0 < result["metrics"]["brightness"] < 1
    assert np.isfinite(result["metrics"]["train/length"])
    assert (workdir.figures / "samples.png").exists()


def test_unknown_names_are_listed_with_the_nearest():
    with pytest.raises(UserError, match="there is no 'mlp_vea'; did you mean 'mlp_vae'.*mlp_autoencoder"):
        find.find("models", "mlp_vea")
    with pytest.raises(UserError, match="There are: autoencoder, dcgan, elbo, gan"):
        find.find("objectives", "terms")  # a helper, not an objective
