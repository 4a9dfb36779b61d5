"""The latent space to play with: where codes lie, and the decoder, which the page runs."""
from dataclasses import replace

import jax
import numpy as np

from gen_jax.data import stratified_rows, take
from gen_jax.embed import as_base64
from gen_jax.errors import NoData
from gen_jax.evals import Trained, in_words, lacks
from gen_jax.evals.latent._codes import CodeStatistics
from gen_jax.pages.decoder import Program, Unknown, program
from gen_jax.types import Source, Vars

NEEDS = ("decode", "vector")
MAX_SIZE = 3_000_000  # characters of the decoder in the page
MAX_CODES = 2000  # in the scatter
DRAWS = 64  # codes from the prior: as many as the eval samples draws by default, for what is compiled already
GREY = 1 / 255
CLOSE = GREY / 2  # float16 weights may change a pixel by so much
LARGE = 4096  # numbers of an array that float16 is worth it for


def content(trained: Trained) -> dict:
    """What the page shows of latent space; "why" says what it lacks where it can show nothing."""
    return {"encodes": "encode" in trained.objective.predict, **_content(trained)}


def _content(trained: Trained) -> dict:
    if lacking := lacks(NEEDS, trained):
        return {"why": in_words(lacking)}
    if trained.spec.kind.name != "image" and trained.spec.x != (2,):
        return {"why": f"the page draws images and points in the plane, not {trained.spec.kind.name} {trained.spec.x}"}
    if trained.objective.conditions:
        return {"why": f"its decoder must be told {', '.join(trained.objective.conditions)}, which the page cannot do"}
    draws = _draws(trained)
    try:
        decoder = _program(trained, draws)
    except Unknown as error:
        return {"why": f"its decoder uses {error}, which the page does not know"}
    if decoder.size > MAX_SIZE:
        return {"why": f"its decoder takes {decoder.size / 1e6:.1f} MB, and the page carries up to "
                       f"{MAX_SIZE / 1e6:.0f} MB"}
    return {"decoder": decoder.content(), "shape": trained.spec.x, "dim": trained.latent_dim,
            "draws": _floats(draws), "has_prior": "sample_prior" in trained.objective.predict,
            **_spread(trained, draws), **_codes(trained), **_points(trained, draws)}


def _program(trained: Trained, codes: np.ndarray) -> Program:
    """The decoder, with its large weights in float16 where no pixel of these codes is CLOSE to telling."""
    short = replace(trained, vars=_rounded(trained.vars))
    chosen = short if np.abs(short.decode(codes) - trained.decode(codes)).max() <= CLOSE else trained
    return program(lambda z: chosen.objective.predict["decode"](chosen.vars, z, {}), trained.latent_dim)


def _rounded(vars: Vars) -> Vars:
    """vars with large matrices and kernels to float16's precision."""
    def short(array):
        is_large = array.size >= LARGE and array.dtype == np.float32
        with np.errstate(over="ignore"):  # of what is infinite then, pixels tell
            return np.asarray(array).astype(np.float16).astype(np.float32) if is_large else array
    return vars.replace(params=jax.tree.map(short, vars.params))


def _draws(trained: Trained) -> np.ndarray:
    """Codes [DRAWS,Z] from the prior; where there is none, from a normal fitted to the codes."""
    if "sample_prior" in trained.objective.predict:
        return trained.sample_prior(trained.key("report"), DRAWS, {})
    statistics = _statistics(trained) or {"mean": np.zeros(trained.latent_dim), "cov": np.eye(trained.latent_dim)}
    rng = np.random.default_rng(trained.config.seed)
    return rng.multivariate_normal(statistics["mean"], statistics["cov"], DRAWS).astype(np.float32)


def _statistics(trained: Trained) -> dict | None:
    """What the checkpoint says of the training data's codes, or would say; None without codes, or without both."""
    try:
        return trained.codes or CodeStatistics(trained.train, trained.spec.kind).of(trained)
    except NoData:
        return None


def _spread(trained: Trained, draws: np.ndarray) -> dict:
    """Where codes lie: their mean and deviations, the latents by how much they vary, a plane, and sets' mean codes."""
    known, dim = _statistics(trained), trained.latent_dim
    if known is None:
        return {"mean": [0] * dim, "std": [float(draws.std())] * dim, "order": list(range(dim)),
                "plane": _plane(np.zeros(2), np.eye(2)) if dim == 2 else None, "sets": []}
    mean, cov = np.array(known["mean"]), np.array(known["cov"])
    std = np.sqrt(np.diag(cov))
    return {"mean": mean.tolist(), "std": std.tolist(), "order": np.argsort(-std, kind="stable").tolist(),
            "plane": _plane(mean, cov), "sets": _sets(known["sets"], trained.spec.classes)}


def _sets(sets: dict[str, list], classes: tuple[str, ...]) -> list[dict]:
    """{"name", "code": mean code, "is_class"} of each set, the classes first."""
    found = [{"name": name, "code": code, "is_class": name in classes} for name, code in sets.items()]
    return sorted(found, key=lambda of: not of["is_class"])


def _plane(mean: np.ndarray, cov: np.ndarray) -> dict | None:
    """The plane that the scatter is in: both latents of two, else the two directions in which codes vary most."""
    dim = len(mean)
    if dim < 2:
        return None
    if dim == 2:
        return {"origin": [0, 0], "axes": np.eye(2).tolist(), "names": ["latent 0", "latent 1"]}
    _, vectors = np.linalg.eigh(cov)
    axes = vectors[:, [-1, -2]].T
    axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]
    return {"origin": mean.tolist(), "axes": axes.tolist(),
            "names": ["first principal direction of the codes", "second principal direction"]}


def _codes(trained: Trained) -> dict:
    """Codes of test examples and their classes; {} where the data cannot be had, or nothing encodes them."""
    try:
        if lacks(("encode",), trained):
            return {}
        some = take(trained.test, stratified_rows(trained.test, MAX_CODES))
    except NoData:
        return {}
    codes = trained.encode(np.asarray(trained.spec.kind.to_model(some.x)), some.given)
    return {"codes": _floats(codes), **_labels(some)}


def _points(trained: Trained, draws: np.ndarray) -> dict:
    """Of points, what a decoded one is seen among: training data, or samples where these cannot be had."""
    if trained.spec.x != (2,):
        return {}
    try:
        return {"among": _floats(trained.train_x[stratified_rows(trained.train, MAX_CODES)]), "among_what": "the data"}
    except NoData:
        return {"among": _floats(trained.decode(draws)), "among_what": "samples"}


def _labels(source: Source) -> dict:
    return {} if source.labels is None else {"labels": source.labels.tolist(), "classes": source.classes}


def _floats(array: np.ndarray) -> str:
    return as_base64(array, "<f4")
