"""The chapter's DCGAN, nets and recipe, on the 5,000 automobiles of CIFAR-10's training split.

python launch.py --config=configs/dcgan_cars.py

45 minutes on two CPU cores. Fréchet distance of a CIFAR-10 classifier's features 1.15 +- 0.08, of test images 0.14; it
takes 89 +- 2% of the samples for automobiles, and 90% of the test images; +- is the standard deviation over 2 seeds.
With RMSprop, which the chapter suggests too: --config=configs/dcgan_cars.py:rmsprop.
"""
from configs import base


def get_config(variant: str = ""):
    """The chapter's nets and recipe, 200 epochs; :rmsprop with its other optimizer; :smoke is a few steps."""
    config = base.get_config()
    config.data.update({"name": "tfds", "dataset": "cifar10", "classes": "automobile"})
    config.model = base.dcgan()
    config.objective = base.three_moves()
    config.optim.gen = base.optimizer(lr=1e-4, b1=0.5, eps=1e-7)
    config.optim.disc = base.optimizer(lr=1e-3, b1=0.5, eps=1e-7)
    config.train.update({"batch_size": 128, "epochs": 200})
    config.evals.update({"end": base.GAN_EVALS, "during": ("samples", "gan_signals"), "every_epochs": 1, "samples": 16,
                         "batch_size": 250})
    config.checkpoint.update({"every_epochs": 5, "best": ""})
    if variant == "rmsprop":
        config.optim.gen.name = config.optim.disc.name = variant
    return base.smoke(config, variant, "rmsprop")
