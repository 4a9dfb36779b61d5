"""Where pixels come from: each file here that defines load(hp, split) -> Source is a data set.

A data set may also define state(hp, split) -> str, a text that changes whenever what load returns would change; its
decoded arrays are then kept in a cache. Class choice, caps and checks act on any of them, here.
"""
from ml_collections import ConfigDict

from gen_jax.data import cache
from gen_jax.data.source import Source, binarized, checked, duplicates, fingerprint, first, of_classes
from gen_jax.errors import UserError
from gen_jax.find import find

__all__ = ["Source", "duplicates", "fingerprint", "load"]


def load(hp: ConfigDict, split: str) -> Source:
    """The images of one split, as config.data asks for them: uint8 [N,H,W,C], N >= 1, int32 labels [N] or None.

    hp: config.data. split: "train" or "test". hp.classes keeps some classes only; hp.num_train and hp.num_test are
    the most images there may be, a fixed choice with the classes in their proportions; hp.binarize makes every pixel 0
    or 255. UserError for what the user can mend: nothing found, nothing left, images of another size than asked for.
    """
    source = _all(hp, split)
    if hp.classes:
        source = of_classes(source, hp.classes)
    most = {"train": hp.num_train, "test": hp.num_test}[split]
    if most is not None:
        source = first(source, most)
    if not len(source.images):
        raise UserError(f"data: no {split} images are left in {hp.name}; look at data.test_fraction, data.classes and "
                        f"data.num_{split}")
    return binarized(source) if hp.binarize else source


def _all(hp: ConfigDict, split: str) -> Source:
    """What the data set named in hp gives, from the cache where it is there, and as promised."""
    module = find("data", hp.name)
    if hp.cache and hasattr(module, "state"):
        path = cache.path(hp, split, module.state(hp, split))
        source = cache.cached(path, lambda: module.load(hp, split))
    else:
        source = module.load(hp, split)
    height, width, channels = checked(source, f"gen_jax.data.{hp.name}").images.shape[1:]
    if (hp.size and hp.size != (height, width)) or hp.channels not in (0, channels):
        raise UserError(f"data: {hp.name} has images of {height}x{width}x{channels} and does not convert them; "
                        "set data.size=() and data.channels=0")
    return source
