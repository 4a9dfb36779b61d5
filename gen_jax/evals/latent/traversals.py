"""What each latent does on its own."""
from collections.abc import Iterator

import numpy as np

from gen_jax.evals import Result, Trained
from gen_jax.evals._draw import image_rows

NEEDS = ("encode", "decode", "vector", "tiles")
SPAN = np.linspace(-3, 3, 11)
MAX_ROWS = 16  # rows


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "traversals": a row a latent, moved from -3 to 3 standard deviations of its codes around their mean.

    The latents that vary most come first.
    """
    mean, std = trained.train_codes.mean(0), trained.train_codes.std(0)
    order = np.argsort(-std)[:MAX_ROWS]
    z = np.tile(mean, (len(order), len(SPAN), 1))
    for row, latent in enumerate(order):
        z[row, :, latent] += SPAN * std[latent]
    x = trained.spec.kind.tile(trained.decode(z.reshape(-1, z.shape[-1]).astype(np.float32)))
    which = "all latents" if len(order) == len(std) else f"the {len(order)} of {len(std)} latents that vary most"
    title = f"{which}, one at a time, the others at their mean"
    yield "traversals", image_rows(x.reshape(*z.shape[:2], *x.shape[1:]), title, [f"latent {i}" for i in order],
                                   [f"{step:+.1f}" for step in SPAN],
                                   xlabel="standard deviations of the latent's codes from their mean")
