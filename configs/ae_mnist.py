"""The autoencoder beside the chapter's VAE: the same nets and recipe, one point for each image.

python launch.py --config=configs/ae_mnist.py

0.5 minutes on two CPU cores, 21 s of it training. Test loss 142.6 +- 1.3 nats per image, all of it reconstruction;
+- is the standard deviation over 3 seeds.
"""
from configs import base


def get_config(variant: str = ""):
    """For the figure ae_vs_vae; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.data.update({"name": "tfds", "dataset": "mnist"})
    config.model = base.mlp(name="mlp_autoencoder", widths=(256,), latent_dim=2)
    config.objective = base.autoencoder()
    config.optim.ae = base.rmsprop_keras()
    config.train.update({"batch_size": 128, "epochs": 50})
    config.checkpoint.every_epochs = 10
    config.evals.update({"end": ("losses", "reconstructions", "latent_scatter", "traversals", "interpolation"),
                         "interpolate": (0, 1, 2, 3)})
    return base.smoke(config, variant)
