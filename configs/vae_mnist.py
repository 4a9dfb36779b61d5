"""The chapter's VAE on MNIST, as it stands: 784-256-2, ReLU, RMSprop with Keras's defaults, 50 epochs.

python launch.py --config=configs/vae_mnist.py

0.7 minutes on two CPU cores, 22 s of it training. Test loss 152.1 +- 0.5 nats per image, training 149.7 +- 0.4;
+- is the standard deviation over 5 seeds. The chapter printed 151.71 and 149.39, from one run.
"""
from configs import base


def get_config(variant: str = ""):
    """The chapter printed 149.39 training and 151.71 validation; :smoke is a few steps on made-up images."""
    config = base.get_config()
    config.data.update({"name": "tfds", "dataset": "mnist"})
    config.model = base.mlp(widths=(256,), latent_dim=2)
    config.objective = base.elbo()
    config.optim.vae = base.rmsprop_keras()
    config.train.update({"batch_size": 128, "epochs": 50})
    config.checkpoint.every_epochs = 10
    config.evals.update({"end": (*base.VAE_EVALS, "ae_vs_vae"), "every_epochs": 10, "interpolate": (0, 1, 2, 3),
                         "concepts": ("1->0", "thin->bold")})
    return base.smoke(config, variant)
