"""Pictures in a page, as data: what was drawn during training, the figures, some of the training data."""
import base64
import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict
from PIL import Image

from gen_jax.data import stratified_rows, take
from gen_jax.errors import NoData, UserError
from gen_jax.evals import Trained
from gen_jax.find import find
from gen_jax.report.results import content
from gen_jax.report.workdir import Workdir
from gen_jax.style import styled
from gen_jax.types import Source

TYPES = {"png": "image/png", "svg": "image/svg+xml", "gif": "image/gif"}
EXAMPLES = 60


def over_time(folder: Workdir, room: int) -> list[dict]:
    """For each name under which pictures were drawn during training: {"name", "of", "frames": [{"at", "src"}]}.

    Of so many pictures, "of", those are shown that have room, in characters of the page.
    """
    names = sorted({path.stem.rpartition("_")[0] for path in folder.samples.glob("*_*.png")})
    files = {name: [path for path in folder.saved(name) if path.suffix == ".png"] for name in names}
    return [{"name": name, "of": len(paths), "frames": _thinned(paths, room // len(files))}
            for name, paths in files.items() if paths]


def last(folder: Workdir, name: str) -> dict | None:
    """{"at", "src"} of the last picture that was drawn during training under a name; None where there is none."""
    paths = [path for path in folder.saved(name) if path.suffix == ".png"]
    return _frame(paths[-1]) if paths else None


def _frame(path: Path) -> dict:
    return {"at": int(path.stem.rpartition("_")[2]), "src": source("png", _small(path))}


def _thinned(paths: list[Path], room: int) -> list[dict]:
    """As many of the files, in even distances, as have room; at least the first and the last."""
    size = _characters(len(_small(paths[-1])))
    count = min(len(paths), max(2, room // size))
    chosen = np.unique(np.linspace(0, len(paths) - 1, count).round().astype(int))
    return [_frame(paths[i]) for i in chosen]


def _small(path: Path) -> bytes:
    """A PNG file without the repeated pixels that enlarge() has made."""
    with Image.open(path) as opened:
        return png(_shrunk(np.asarray(opened)))


def _shrunk(image: np.ndarray) -> np.ndarray:
    """image [H,W] or [H,W,C] with one pixel for each square of the same pixels."""
    for times in range(32, 1, -1):
        if image.shape[0] % times or image.shape[1] % times:
            continue
        small = image[::times, ::times]
        if np.array_equal(small.repeat(times, 0).repeat(times, 1), image):
            return small
    return image


def figures(folder: Workdir, config: ConfigDict, room: int) -> list[dict]:
    """{"name", "caption", "src"} of each figure, in the order of the evals; "file" in place of "src" where a page
    cannot show it, or has no room, in characters."""
    order = [*config.evals.end]
    paths = sorted((path for path in folder.figures.glob("*.*") if path.suffix[1:] in (*TYPES, "pdf")),
                   key=lambda path: (_position(_eval_of(path.stem, order), order), path.name))
    shown = {path.stem for path in paths if path.suffix in (".png", ".svg")}
    paths = [path for path in paths if path.suffix in (".png", ".svg") or path.stem not in shown]
    made = []
    for path in sorted(paths, key=lambda path: path.stat().st_size):
        size = _characters(path.stat().st_size)
        fits = path.suffix != ".pdf" and size <= room
        room -= size * fits
        made.append((path, {"src": source(path.suffix[1:], path.read_bytes())} if fits else {
            "file": f"{folder.figures.name}/{path.name}"}))
    made.sort(key=lambda item: paths.index(item[0]))
    return [{"name": path.stem, "caption": _caption(_eval_of(path.stem, order)), **what} for path, what in made]


def _eval_of(figure: str, evals: Iterable[str]) -> str:
    """The eval that has drawn a figure: that of its name, or the one whose name begins alike; "" if none does."""
    if figure in evals:
        return figure
    alike = {name: _common(name, figure) for name in evals}
    best = max(alike, key=alike.get, default="")
    return best if alike.get(best, 0) >= 5 else ""


def _common(a: str, b: str) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _position(name: str, order: list[str]) -> int:
    return order.index(name) if name in order else len(order)


def _caption(name: str) -> str:
    """What an eval draws, in the first sentence of its file."""
    try:
        words = find("evals", name).__doc__ or ""
    except UserError:
        words = ""
    return " ".join(words.strip().split("\n\n")[0].split())


def examples(trained: Trained) -> dict | None:
    """Some training examples as their kind draws them: {"src", "num"}. None where the data cannot be had."""
    try:
        some = take(trained.train, stratified_rows(trained.train, EXAMPLES))
    except NoData:
        return None
    drawn = trained.picture(np.asarray(trained.spec.kind.to_model(_by_class(some).x)), 12)
    with styled():
        ending, data = ("png", png(drawn)) if isinstance(drawn, np.ndarray) else content(drawn)
    return {"src": source(ending, data), "num": len(some.x)}


def _by_class(some: Source) -> Source:
    """The examples in the order of their classes."""
    return some if some.labels is None else take(some, np.argsort(some.labels, kind="stable"))


def png(pixels: np.ndarray) -> bytes:
    """A PNG file of uint8 pixels [H,W], or [H,W,C]."""
    buffer = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _characters(size: int) -> int:
    """How many characters of base64 so many bytes are."""
    return -(-size // 3) * 4


def source(ending: str, data: bytes) -> str:
    """A file as what an image's src takes."""
    return f"data:{TYPES[ending]};base64,{base64.b64encode(data).decode()}"
