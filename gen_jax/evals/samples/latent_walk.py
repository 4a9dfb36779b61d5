"""A walk through latent space: along arcs from one sampled latent to the next, and back to the first."""
from collections.abc import Iterator

import numpy as np

from gen_jax.evals import Animation, Result, Trained
from gen_jax.evals._draw import about, image_rows
from gen_jax.evals.latent._paths import spherical
from gen_jax.grids import enlarge
from gen_jax.settings import Setting, Settings, between

NEEDS = ("sample_prior", "decode", "vector", "tiles")
COLUMNS = 12  # images of each leg in the figure, at most
SMALLEST = 256  # pixels of the animation's longer side, at least

hp = Settings(__name__, {
    "latents": Setting(6, "latents that the walk visits", between(2, 64)),
    "steps": Setting(24, "images from each to the next", between(2, 64)),
}, smoke={"latents": 2, "steps": 3})


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "latent_walk", a row from each latent to the next, and the animation of that name, of every image.

    A model that conditions on something is given what the first test example is.
    """
    given = {name: trained.test.given[name][:1] for name in trained.objective.conditions}
    num = trained.hp.latent_walk.latents
    repeated = {name: np.repeat(values, num, 0) for name, values in given.items()}
    path = walk(trained.sample_prior(trained.key("latent_walk"), num, repeated), trained.hp.latent_walk.steps)
    x = trained.spec.kind.tile(trained.decode(path.reshape(-1, path.shape[-1])))
    x = x.reshape(*path.shape[:2], *x.shape[1:])
    legs = [f"{leg + 1} to {(leg + 1) % num + 1}" for leg in range(num)]
    shown = np.linspace(0, x.shape[1], min(x.shape[1], COLUMNS), endpoint=False).astype(int)
    yield "latent_walk", image_rows(x[:, shown], f"a walk from each of {num} sampled latents to the next, along arcs\n"
                                    f"{about(trained)}", legs, [f"{i / x.shape[1]:.2f}" for i in shown],
                                    xlabel="share of the way", ylabel="latents")
    frames = [enlarge(image, SMALLEST) for leg in x for image in leg]
    yield "latent_walk", Animation(frames, [f"latent {leg}" for leg in legs for _ in range(x.shape[1])])


def walk(latents: np.ndarray, steps: int) -> np.ndarray:
    """Latents [K,S,Z]: from each of latents [K,Z] to the next, the last one's next being the first, in S steps along
    an arc. Each leg begins at its latent and ends a step before the next."""
    shares = np.arange(steps) / steps
    ends = np.roll(latents, -1, 0)
    return np.stack([spherical(start, end, shares) for start, end in zip(latents, ends, strict=True)])
