"""Pictures in a page, as data: what was drawn during training, the figures, some of the training data."""
import base64
import contextlib
import io
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict
from PIL import Image

from gen_jax.data import stratified_rows, take
from gen_jax.errors import NoData, UserError
from gen_jax.evals import Trained
from gen_jax.find import find
from gen_jax.grids import evenly
from gen_jax.pages.files import link
from gen_jax.report.results import content
from gen_jax.report.terminal import say
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
    files = {name: paths for name in names if (paths := _drawn(folder, name))}
    found = [{"name": name, "of": len(paths), "frames": _thinned(paths, room // len(files))}
             for name, paths in files.items()]
    return [drawn for drawn in found if drawn["frames"]]


def last(folder: Workdir, name: str) -> dict | None:
    """{"at", "src"} of the last picture that was drawn during training under a name; None where there is none."""
    return next(filter(None, map(_frame, reversed(_drawn(folder, name)))), None)


def _drawn(folder: Workdir, name: str) -> list[Path]:
    return [path for path in folder.saved(name) if path.suffix == ".png"]


def _frame(path: Path) -> dict | None:
    """{"at", "src"} of a picture; None of one that cannot be read."""
    with if_readable(path):
        return {"at": int(path.stem.rpartition("_")[2]), "src": source("png", _small(path))}
    return None


@contextlib.contextmanager
def if_readable(path: Path) -> Iterator[None]:
    """A context: it is left where the file turns out to be damaged, or no more there, and a line says so."""
    try:
        yield
    except (OSError, SyntaxError, ValueError) as error:  # as PIL says it
        say(f"{path}: is not in the page ({error})")


def _thinned(paths: list[Path], room: int) -> list[dict]:
    """As many of the files, in even distances and with the last, as have room."""
    frame = cache(_frame)  # each file is read once
    last = next(filter(None, map(frame, reversed(paths))), None)
    count = min(len(paths), room // len(last["src"])) if last else 0
    while count > 0:
        frames = [*filter(None, (frame(paths[i]) for i in evenly(len(paths), count)))]
        size = sum(len(frame["src"]) for frame in frames)
        if size <= room:
            return frames
        count = count * room // size
    return []


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
    """{"name", "caption", "src"} of each figure, in the order of the evals.

    Of one that a page cannot show, or has no room for, in characters, "file" and "href" are there in place of "src".
    """
    order = [*config.evals.end]
    paths = sorted((path for path in folder.figures.glob("*.*") if path.suffix[1:] in (*TYPES, "pdf")),
                   key=lambda path: (_position(_eval_of(path.stem, order), order), path.name))
    shown = {path.stem for path in paths if path.suffix in (".png", ".svg")}
    paths = [path for path in paths if path.suffix in (".png", ".svg") or path.stem not in shown]
    made = []
    for path in sorted(paths, key=_size):
        size = _characters(_size(path))
        fits = path.suffix != ".pdf" and size <= room
        with if_readable(path):
            made.append((path, {"src": source(path.suffix[1:], path.read_bytes())} if fits else _elsewhere(path)))
            room -= size * fits
    made.sort(key=lambda item: paths.index(item[0]))
    return [{"name": path.stem, "caption": _caption(_eval_of(path.stem, order)), **what} for path, what in made]


def _size(path: Path) -> int:
    """Its bytes; 0 of a file that is no more there."""
    return path.stat().st_size if path.exists() else 0


def _elsewhere(path: Path) -> dict:
    """What a page says of a figure that it does not carry."""
    there = path.relative_to(path.parents[1])
    return {"file": str(there), "href": link(there)}


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
