"""Every key of a config, with its type, unit and meaning. An experiment changes a few of them.

`model` and `objective` hold what the named module reads, so an experiment sets these two sections as a whole.
`optim` has one section for each player of the objective. A number that may be left unset is a placeholder.
"""
from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from gen_jax.errors import UserError

VAE_EVALS = ("losses", "elbo", "latent_usage", "log_likelihood", "reconstructions", "samples", "latent_scatter",
             "manifold", "traversals", "interpolation", "concepts", "arithmetic")

GAN_EVALS = ("gan_losses", "gan_health", "samples", "samples_over_time", "frechet")


def get_config() -> ConfigDict:
    """The base config: the embedded digits, an optimizer per player to be added, nothing drawn."""
    config = ConfigDict()
    config.seed = 0  # root of every random number of the run: init, data order, noise, evaluation
    config.data = ConfigDict({
        "name": "digits",  # a file of gen_jax/data: digits, tfds, folder, npz, made_up
        "dataset": "mnist",  # tfds: the data set's name
        "data_dir": placeholder(str),  # tfds: prepared data; unset: $TFDS_DATA_DIR, else TFDS's own default
        "path": placeholder(str),  # folder, npz: where the images are
        "size": (),  # (height, width) in pixels that images are brought to; (): as they are
        "fit": "refuse",  # what happens to images of another size: resize (stretch), crop (scale, then centre), refuse
        "channels": 0,  # 1 grey, 3 RGB, 4 RGBA: images are converted; 0: as they are
        "test_fraction": 0.2,  # share of the images held out where the source has no test split of its own
        "classes": "",  # names or indices, comma-separated: keep only these; "": all
        "num_train": placeholder(int),  # at most so many training images; unset: all
        "num_test": placeholder(int),  # at most so many test images; unset: all
        "binarize": False,  # draw every pixel once, 0 or 255 with its grey value's probability ("fixed binarisation")
        "shape": (8, 8, 1),  # made_up: (height, width, channels)
        "cache": True,  # keep decoded images as arrays on disk
        "cache_dir": placeholder(str),  # where; unset: $XDG_CACHE_HOME/gen_jax or ~/.cache/gen_jax
    })
    config.model = ConfigDict({"name": "mlp_vae"})
    config.objective = ConfigDict({"name": "elbo"})
    config.optim = ConfigDict()  # by player: optimizer(...)
    config.train = ConfigDict({
        "batch_size": 128,  # images per step
        "epochs": 50,  # passes over the training images; a step that would be ragged is left out of each
        "on_device_gb": 4.0,  # training images up to so many GB live on the device; more are fed from the host
        "ema_decay": 0.0,  # per step, of weights and running statistics, and less in the first steps; 0: no averages
        "ema_nets": "",  # nets that are averaged, comma-separated; "": all, if ema_decay is above 0
    })
    config.evals = ConfigDict({
        "end": ("losses",),  # files of gen_jax/evals, run after training and by --mode=eval
        "during": ("samples",),  # those run during training
        "every_epochs": 0,  # how often; 0: never
        "batch_size": 1000,  # images per device call when measuring
        "other": "",  # a second run's workdir, for the evals that compare two
        "samples": 64,  # samples: how many images, a square number
        "plane": (),  # two latents that scatter and manifold are drawn over; (): both of two, else principal directions
        "interpolate": (0, 1),  # interpolation: test images, in pairs
        "concepts": ("thin->bold",),  # concepts: "source->target", classes or words of evals/attributes.py
        "arithmetic": ("thin->bold", "left->right"),  # arithmetic: two concepts
        "importance_samples": 100,  # log_likelihood: weights for each image
        "importance_images": 2000,  # log_likelihood: test images
    })
    config.checkpoint = ConfigDict({
        "every_epochs": 5,  # how often the state is saved (and always at the end)
        "keep": 2,  # the latest so many are kept, and the best
        "best": "test/loss",  # the metric whose lowest value among the saved is kept; "": none
    })
    config.log = ConfigDict({
        "tensorboard": False,  # also write TensorBoard events (needs the extra: pip install gen_jax[tensorboard])
    })
    return config


def optimizer(**changes) -> ConfigDict:
    """One player's optimizer section; the defaults are Adam's own, as in its paper."""
    section = ConfigDict({
        "name": "adam",  # adam, adamw, rmsprop, sgd
        "lr": 1e-3,  # learning rate at its highest
        "b1": 0.9,  # adam, adamw: decay of the mean gradient
        "b2": 0.999,  # adam, adamw: decay of the mean squared gradient
        "decay": 0.9,  # rmsprop: decay of the mean squared gradient (Keras: rho)
        "eps": 1e-8,  # added to the denominator (rmsprop: under the root, as Keras does)
        "momentum": 0.0,  # rmsprop, sgd
        "weight_decay": 0.0,  # adamw: decoupled, times the learning rate
        "clip_norm": 0.0,  # gradients are scaled to at most this global norm; 0: never
        "schedule": "constant",  # constant, linear, cosine: how lr falls to lr * end over the run
        "warmup": 0.0,  # share of the run's steps in which lr rises from 0
        "end": 0.0,  # linear, cosine: last learning rate as a share of lr
    })
    section.update(changes)
    return section


def rmsprop_keras() -> ConfigDict:
    """RMSprop with the defaults of Keras."""
    return optimizer(name="rmsprop", lr=1e-3, decay=0.9, eps=1e-7)


def mlp(**changes) -> ConfigDict:
    """The model section of mlp_vae and mlp_autoencoder."""
    section = ConfigDict({
        "name": "mlp_vae",
        "widths": (256,),  # units of each hidden layer of the encoder; the decoder has them in reverse
        "latent_dim": 2,  # latents
        "latent_gain": 1.0,  # the decoder's first kernel starts this many times as large
        "latent_folds": 0.0,  # and its biases spread this many standard deviations of the prior to both sides of 0
        "activation": "relu",  # relu, tanh, leaky_relu, gelu, silu, elu
        "kernel_init": "glorot_uniform",  # glorot_uniform (Keras's default), he_normal, he_uniform, lecun_normal
    })
    section.update(changes)
    return section


def elbo(**changes) -> ConfigDict:
    """The objective section of a VAE."""
    section = autoencoder(name="elbo", beta=1.0)  # beta: weight of the KL term
    section.update(changes)
    return section


def autoencoder(**changes) -> ConfigDict:
    """The objective section of an autoencoder."""
    section = ConfigDict({
        "name": "autoencoder",
        "likelihood": "bernoulli",  # bernoulli, binarized, gaussian, gaussian_learned: see objectives/likelihood.py
        "scale": 0.1,  # gaussian: standard deviation of a pixel in [0,1]
    })
    section.update(changes)
    return section


def dcgan(**changes) -> ConfigDict:
    """The model section of dcgan; the defaults are the chapter's nets for 32x32 images."""
    section = ConfigDict({
        "name": "dcgan",
        "latent_dim": 100,  # latents
        "gen_widths": (192, 256, 128),  # channels before each of the generator's convolutions, which double a side
        "disc_widths": (64, 128, 256),  # channels after each of the discriminator's convolutions, which halve a side
        "kernel_size": 5,  # of all convolutions
        "slope": 0.2,  # of LeakyReLU below 0
        "dropout": 0.2,  # share of the features in front of the logit that are dropped
        "norm_momentum": 0.8,  # BatchNorm: share of the running statistics that stays at each step
        "norm_eps": 1e-3,  # BatchNorm: added to the variance
        "conv_std": 0.02,  # standard deviation of the convolutions' first weights
        "bias": True,  # biases in front of BatchNorm too, as Keras has them
    })
    section.update(changes)
    return section


def three_moves(**changes) -> ConfigDict:
    """The objective section of the chapter's GAN."""
    section = ConfigDict({
        "name": "dcgan",
        "label_smoothing": 0.1,  # the discriminator's target for real images is 1 less this
    })
    section.update(changes)
    return section


def gan(**changes) -> ConfigDict:
    """The objective section of a GAN of two moves."""
    section = ConfigDict({
        "name": "gan",
        "loss": "logistic",  # logistic, hinge: see objectives/gan.py
        "augment": "",  # what is done to real and fake images alike, comma-separated: color, flip, translation, cutout
        "disc_moves": 1,  # moves of the discriminator to one of the generator, on the same real images
        "r1": 0.0,  # weight of the penalty on the discriminator's slope at real images
    })
    section.update(changes)
    return section


def smoke(config: ConfigDict, variant: str, *others: str) -> ConfigDict:
    """The config itself, or for the variant "smoke" a tiny run of it on made-up images, in seconds.

    others: variants that the config makes itself, to be named to a user who asks for one that there is not.
    """
    if variant not in ("", "smoke", *others):
        there_is = ", ".join(f":{name}" for name in ("smoke", *others))
        raise UserError(f"--config: there is no variant {variant!r} of this config; there is {there_is}")
    if variant == "smoke":
        config.data.update({"name": "made_up", "num_train": 96, "num_test": 40, "size": (), "channels": 0,
                            "classes": ""})
        if config.model.name == "dcgan":
            config.model.update({"gen_widths": (16, 16), "disc_widths": (16, 16), "kernel_size": 3})
            config.evals.end = tuple(name for name in config.evals.end if name != "frechet")  # it trains a classifier
        config.train.update({"epochs": 2, "batch_size": 16})
        config.checkpoint.every_epochs = 1
        config.evals.update({"batch_size": 16, "every_epochs": min(config.evals.every_epochs, 1)})
    return config
