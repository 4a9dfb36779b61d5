"""The autoencoder beside the chapter's VAE: the same nets and recipe, one point for each image.

python launch.py --config=configs/ae_mnist.py

0.5 minutes on two CPU cores, 21 s of it training. Test loss 142.4 +- 1.1 nats per image, all of it reconstruction;
+- is the standard deviation over 5 seeds.
"""
from configs import base
from gen_jax.data import tfds
from gen_jax.evals.latent import interpolation
from gen_jax.models.vae import mlp_autoencoder
from gen_jax.objectives import autoencoder
from gen_jax.optimizers import rmsprop


def get_config(variant: str = ""):
    """For the figure ae_vs_vae; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.data = tfds.hp(dataset="mnist")
    config.model = mlp_autoencoder.hp(widths=(256,), latent_dim=2)
    config.objective = autoencoder.hp()
    config.optim.ae = rmsprop.hp(lr=1e-3)
    config.train.update({"batch_size": 128, "epochs": 50})
    config.checkpoint.update({"every_epochs": 10, "best": "test/loss"})
    config.evals.end = ("losses", "reconstructions", "latent_scatter", "traversals", "interpolation")
    config.evals.interpolation = interpolation.hp(pairs=(0, 1, 2, 3))
    return base.variant(config, variant)
