"""Augmentation: training images are changed at random. Each file here is a policy.

It defines augment(x, key) -> x, of images x [B,H,W,C] in [-1,1], differentiable. In a GAN what the discriminator sees
is changed, real and fake alike: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training", 2020
(arXiv:2006.10738). With few images a discriminator learns them by heart; if only real ones were changed, the generator
would learn the changes. A VAE does learn the changes: flip and shift leave an image what it is.
"""
from collections.abc import Callable

import jax

from gen_jax.config import name_list
from gen_jax.errors import UserError
from gen_jax.find import find, names
from gen_jax.settings import Must, Setting
from gen_jax.types import Spec

SETTING = Setting("", "how training images (a GAN's fakes too) are changed at random, comma-separated files of "
                  "gen_jax/terms/augment",
                  Must(lambda text: set(name_list(text)) <= set(names("terms.augment")),
                       "files of gen_jax/terms/augment, comma-separated: " + ", ".join(names("terms.augment"))))


def chain(policies: str, shape: tuple[int, ...]) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """augment(x, key) -> x after each of the comma-separated policies, in their order.

    shape: of one example. UserError where there are policies and it is no image.
    """
    if policies and len(shape) != 3:
        raise UserError(f"objective.augment={policies!r}: is of images [H,W,C], and one example is {shape}; leave it "
                        "empty")
    steps = [find("terms.augment", name).augment for name in name_list(policies)]

    def augment(x: jax.Array, key: jax.Array) -> jax.Array:
        for i, step in enumerate(steps):
            x = step(x, jax.random.fold_in(key, i))
        return x
    return augment


def chain_of_model(policies: str, spec: Spec) -> Callable[[jax.Array, jax.Array], jax.Array]:
    """The same of x in the range that models see, [0,1] of images."""
    kind, augment = spec.kind, chain(policies, spec.x)
    return lambda x, key: kind.clip(kind.from_generator(augment(kind.to_generator(x), key)))
