"""The chapter's DCGAN, nets and recipe, on the 5,000 automobiles of CIFAR-10's training split.

python launch.py --config=configs/dcgan_cars.py

45 minutes on two CPU cores. Fréchet distance of a CIFAR-10 classifier's features 1.99, of test images 0.14; it takes
82% of the samples for automobiles, and 89% of the test images; of one seed. Two others reached 1.15 +- 0.08 by an
earlier measure.
With RMSprop, which the chapter suggests too: --config=configs/dcgan_cars.py:rmsprop.
"""
from configs import base
from configs.dcgan_digits import EVALS
from gen_jax.data import tfds
from gen_jax.evals.samples import feature_distance, samples
from gen_jax.models.gan import dcgan as nets
from gen_jax.objectives import dcgan as game
from gen_jax.optimizers import adam, rmsprop


def get_config(variant: str = ""):
    """The chapter's nets and recipe, 200 epochs; :rmsprop with its other optimizer; :smoke is a few steps."""
    config = base.get_config()
    config.data = tfds.hp(dataset="cifar10", classes="automobile")
    config.model = nets.hp()
    config.objective = game.hp()
    config.optim.gen, config.optim.disc = (
        rmsprop.hp(lr=lr) if variant == "rmsprop" else adam.hp(lr=lr, b1=0.5, eps=1e-7) for lr in (1e-4, 1e-3))
    config.train.update({"batch_size": 128, "epochs": 200})
    config.evals.update({"end": EVALS, "during": ("samples", "gan_signals", "feature_distance"), "every_epochs": 1,
                         "batch_size": 250})
    config.evals.samples = samples.hp(num=16)
    config.evals.feature_distance = feature_distance.hp(samples=250)
    return base.variant(config, variant, "rmsprop")
