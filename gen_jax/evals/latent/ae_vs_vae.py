"""An autoencoder's latent space beside a VAE's, as the book's chapter shows them, with a number for what one sees."""
from collections.abc import Iterator

import numpy as np
from ml_collections import ConfigDict
from sklearn.neighbors import NearestNeighbors

from gen_jax.data import stratified_rows
from gen_jax.errors import UserError
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals._draw import prior_circles, scatter, show
from gen_jax.evals.latent._plane import PLANE, data_faults_of, latent_plane
from gen_jax.grids import grid
from gen_jax.settings import Settings
from gen_jax.style import figure
from gen_jax.types import Metric, Source

NEEDS = ("encode", "decode", "other", "vector", "tiles")
COMPARES = True
METRICS = {"near_data/*_prior": Metric("share of latents", "higher", of="samples"),
           "near_data/*": Metric("share of latents", "higher", rank=2, of="samples")}
NUM = 500  # latents drawn for the number
MAX_EXAMPLES = 20_000  # training images that are compared with


hp = Settings(__name__, PLANE)


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "ae_vs_vae", and near_data/<ae|vae>: the share of latents drawn from a normal with the mean and
    covariance of the training codes whose image is as near to a training image as test images are.

    "As near": its distance in pixels to the nearest training image is at most the 95% quantile of that of the test
    images' reconstructions. A normal of the codes' own moments asks the same of both; near_data/<...>_prior is the
    share for N(0, I), the VAE's prior. The other run, config.evals.other, must be of the same data.
    """
    runs = {"vae" if "sample_prior" in run.objective.predict else "ae": run for run in (trained.other, trained)}
    fingerprints = {run.config.derived.data_fingerprint for run in (trained.other, trained)}
    if len(runs) != 2 or len(fingerprints) != 1:
        raise UserError("evals.other: ae_vs_vae compares an autoencoder's run with a VAE's on the same data; name the "
                        "workdir of the other kind")
    rows = stratified_rows(trained.train, MAX_EXAMPLES)
    neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(
        trained.train_x[rows].reshape(len(rows), -1))
    fig, axes = figure(6.6, rows=2, columns=2, height_ratios=(1.5, 1))
    for column, (name, title) in enumerate((("ae", "autoencoder"), ("vae", "variational autoencoder"))):
        run = runs[name]
        normal = np.random.default_rng([trained.config.seed, NUM]).standard_normal((NUM, run.latent_dim))
        factor = np.linalg.cholesky(np.atleast_2d(np.cov(run.train_codes.T)) + 1e-9 * np.eye(run.latent_dim))
        fitted = run.train_codes.mean(0) + normal @ factor.T
        share = {kind: _near_share(run, neighbours, z.astype(np.float32))
                 for kind, z in (("", fitted), ("_prior", normal))}
        for kind, value in share.items():
            yield f"near_data/{name}{kind}", Number(value, {"real": len(rows), "real_split": "train", "fake": NUM})
        plane = latent_plane(run, trained.hp.ae_vs_vae.plane)
        above, below = axes[:, column]
        scatter(above, plane.project(run.test_codes), run.test.labels, run.test.classes,
                legend=name == "vae")
        above.set(title=f"{title}:\ncodes of test images", xlabel=plane.names[0], ylabel=plane.names[1], aspect="equal",
                  adjustable="datalim")
        if name == "vae":
            prior_circles(above, plane.project(np.zeros((1, run.latent_dim)))[0])
        show(below, grid(run.spec.kind.tile(run.decode(fitted[:150].astype(np.float32))), 15),
             f"decoded from a normal fitted to\nthe codes: {share['']:.0%} near the data")
    yield "ae_vs_vae", fig


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line if evals.ae_vs_vae.plane is not two of the latents."""
    yield from data_faults_of("ae_vs_vae", config)


def _near_share(run: Trained, neighbours: NearestNeighbors, z: np.ndarray) -> float:
    """The share of latents z [N,Z] whose image is as near to a training image as test images' reconstructions are."""
    def distance(codes):
        x = run.decode(codes)
        return neighbours.kneighbors(x.reshape(len(x), -1))[0][:, 0]
    return float((distance(z) <= np.quantile(distance(run.test_codes[stratified_rows(run.test, NUM)]), 0.95)).mean())
