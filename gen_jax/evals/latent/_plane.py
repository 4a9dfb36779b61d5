"""A plane through latent space for pictures of it: the latents themselves where there are two, else principal axes."""
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict
from sklearn.decomposition import PCA

from gen_jax.evals import Trained
from gen_jax.settings import Setting

PLANE = {"plane": Setting((), "two latents; (): both of two, else principal directions", item=int)}


class Plane(NamedTuple):
    """Two axes of latent space; points elsewhere are projected onto them."""

    origin: np.ndarray  # [Z]
    axes: np.ndarray  # [2,Z], of unit length
    scale: np.ndarray  # [2], the standard deviation along each that pictures span: the prior's, or the codes'
    names: tuple[str, str]  # of the axes
    title: str  # what the axes are

    def project(self, codes: np.ndarray) -> np.ndarray:
        """Coordinates [N,2] of codes [N,Z]."""
        return (codes - self.origin) @ self.axes.T

    def embed(self, points: np.ndarray) -> np.ndarray:
        """Latents [N,Z] at points [N,2] of the plane."""
        return (self.origin + points @ self.axes).astype(np.float32)


def latent_plane(trained: Trained, chosen: tuple[int, ...]) -> Plane:
    """The plane of two chosen latents, or of the two principal directions of the training codes if none are chosen.

    With two latents it is always those two; of a single code, the first two.
    """
    codes = trained.train_codes
    chosen = chosen or ((0, 1) if trained.latent_dim == 2 or len(codes) < 2 else ())
    if trained.latent_dim == 1:
        return Plane(np.zeros(1), np.array([[1.0], [0.0]]), np.ones(2), ("latent 0", "no second latent"),
                     "latent 0 along x")
    if chosen:
        axes = np.eye(trained.latent_dim)[list(chosen)]
        rest = ", the others at 0" if trained.latent_dim > 2 else ""
        return Plane(np.zeros(trained.latent_dim), axes, np.ones(2), tuple(f"latent {i}" for i in chosen),
                     f"latents {chosen[0]} and {chosen[1]}{rest}")
    pca = PCA(2, random_state=0).fit(codes)
    shares = pca.explained_variance_ratio_
    return Plane(pca.mean_, pca.components_, np.sqrt(pca.explained_variance_),
                 tuple(f"principal direction {i} ({share:.0%} of the variance)" for i, share in enumerate(shares, 1)),
                 f"two principal directions of {trained.latent_dim} latents, {shares.sum():.0%} of the codes' variance")


def data_faults_of(name: str, config: ConfigDict) -> Iterator[str]:
    """A line if evals.<name>.plane is not two of the latents."""
    plane, latent_dim = config.evals[name].plane, config.model.get("latent_dim")
    if plane and (len(plane) != 2 or plane[0] == plane[1] or not all(0 <= i < (latent_dim or i + 1) for i in plane)):
        yield f"evals.{name}.plane={plane}: must be () or two latents, each index from 0 to {(latent_dim or 2) - 1}"
