"""Whether our metrics and our Inception agree with torch-fidelity's and prdc's, to 1e-3 of each number.

    python tests/agreement/torch_fidelity.py

It makes a virtual environment of its own, outside of the repository, in which PyTorch, torch-fidelity and prdc are
installed (about 1 GB, once; --venv names its folder). No weights are downloaded: Inception has random ones. It prints a
table, and exits with 1 where one number disagrees. It takes some minutes, of which the installation is most.
"""
import argparse
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _inputs import crops, images, random_weights
from ml_collections import ConfigDict

from gen_jax.find import find
from gen_jax.folders import user_cache
from gen_jax.judges.features import Features, _inception_net, inception
from gen_jax.judges.metrics import Cloud

PACKAGES = ("torch==2.13.0", "numpy", "scipy", "tqdm", "pillow", "scikit-learn", "prdc==0.2")
ALONE = ("--no-deps", "torch-fidelity==0.4.0")  # it asks for torchvision, which nothing here needs
TOLERANCE = 1e-3
THEIRS = {"FD": "torch-fidelity, FID", "KID": "torch-fidelity, KID", "score": "torch-fidelity, ISC in one part",
          "precision": "torch-fidelity, PRC with k=3", "recall": "torch-fidelity, PRC with k=3",
          "density": "prdc with k=5", "coverage": "prdc with k=5"}
METRICS = ("frechet", "kid", "inception_score", "precision_recall", "density_coverage")


class Row(NamedTuple):
    """One comparison."""

    case: str
    number: str
    ours: str
    theirs: str
    difference: float  # relative
    other: str  # what ours is compared with

    @property
    def agrees(self) -> bool:
        return self.difference <= TOLERANCE


def main() -> int:
    """The exit code."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--venv", type=Path, default=user_cache() / "agreement", help="folder of the environment")
    python = _environment(arguments.parse_args().venv)
    with tempfile.TemporaryDirectory() as folder:
        rows = list(_rows(Path(folder), python))
    _print(rows)
    return 0 if all(row.agrees for row in rows) else 1


def _environment(folder: Path) -> Path:
    """The Python of the virtual environment in folder, made where these packages are not in it."""
    python, note, packages = folder / "bin" / "python", folder / "installed.txt", repr((PACKAGES, ALONE))
    if not note.exists() or note.read_text() != packages:
        venv.create(folder, with_pip=True, clear=True)
        for those in (PACKAGES, ALONE):
            subprocess.run([python, "-m", "pip", "install", "-q", *those], check=True)
        note.write_text(packages)
    return python


def _rows(folder: Path, python: Path) -> Iterator[Row]:
    cases, pictures, sets = _clouds(), images(), crops()
    np.savez(folder / "clouds.npz", **{f"{case}/{part}": x for case in cases for part, x in cases[case].items()})
    np.savez(folder / "images.npz", **pictures, **sets)
    np.savez(folder / "weights.npz", **random_weights(0))
    subprocess.run([python, "-P", Path(__file__).with_name("_theirs.py"), folder], check=True)
    theirs = np.load(folder / "answers.npz")
    for case, parts in cases.items():
        yield from _metric_rows(case, parts, theirs)
    yield from _enlarged_rows(pictures, theirs)
    for file in ("zip.pth", "stream.pth", "weights.npz"):  # what torch saves in its two formats, and ours
        ours = _inception(folder / file)
        yield from _network_rows(ours, file, pictures, theirs)
    yield from _metric_rows("crops against noisy crops", _in_features(ours, *sets.values()), theirs)


def _clouds() -> dict[str, dict[str, np.ndarray]]:
    """Features real [N,D], fake [M,D] and logits [M,K] of fakes, by what they are."""
    random = np.random.RandomState(0)

    def case(real, fake, dimensions, moved, spread, fewer):
        mixing = random.normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
        fakes = moved + spread * random.normal(size=(fake, dimensions))
        fakes[:, dimensions - fewer:] = 0
        return {"real": random.normal(size=(real, dimensions)) @ mixing, "fake": fakes @ mixing,
                "logits": 3 * random.normal(size=(fake, 10)) + random.normal(size=10)}
    return {"1,000 against 1,000 in 16": case(1000, 1000, 16, 0.3, 1.0, 0),
            "700 against 1,300 in 64": case(700, 1300, 64, 0.1, 0.8, 0),
            "1,000 against 1,000 in 64, of lower rank": case(1000, 1000, 64, 0.0, 1.2, 8),
            "200 against 200 in 512": case(200, 200, 512, 0.1, 1.0, 0)}


def _metric_rows(case: str, parts: dict[str, np.ndarray], theirs) -> Iterator[Row]:
    real, fake = Cloud(parts["real"]), Cloud(parts["fake"], parts["logits"])
    ours = {}
    for name in METRICS:
        ours |= find("judges.metrics", name).measure(real, fake)
    for number, other in THEIRS.items():
        value = float(theirs[f"{case}/{number}"])
        yield Row(case, number, f"{ours[number]:.7g}", f"{value:.7g}", abs(ours[number] - value) / abs(value), other)


def _enlarged_rows(pictures: dict[str, np.ndarray], theirs) -> Iterator[Row]:
    for name, pixels in pictures.items():
        ours = np.asarray(_inception_net.enlarged(pixels.astype(np.float32)))
        yield _array_row(name, "enlarged", ours, theirs, "interpolation")


def _inception(path: Path) -> Features:
    return inception.features(ConfigDict(), None, ConfigDict({"inception": str(path)}))


def _network_rows(ours: Features, file: str, pictures: dict[str, np.ndarray], theirs) -> Iterator[Row]:
    for name, pixels in pictures.items():
        for part, found in zip(("features", "logits"), ours.answers(pixels), strict=True):
            yield _array_row(name, part, found, theirs, f"Inception, {file}")


def _in_features(ours: Features, real: np.ndarray, fake: np.ndarray) -> dict[str, np.ndarray]:
    """What _metric_rows compares, of images: a number from pixels to its last digit."""
    features, logits = ours.answers(fake)
    return {"real": ours.of(real), "fake": features, "logits": logits}


def _array_row(name: str, part: str, ours: np.ndarray, theirs, what: str) -> Row:
    """Of arrays: the root mean squares, and the largest difference over theirs."""
    expected = theirs[f"{name}/{part}"]
    size, expected_size = (float(np.sqrt(np.square(x).mean())) for x in (ours, expected))
    return Row(name, part, f"{size:.7g}", f"{expected_size:.7g}", float(np.abs(ours - expected).max() / expected_size),
               f"torch-fidelity, {what}")


def _print(rows: list[Row]) -> None:
    table = [("case", "number", "ours", "theirs", "difference", "", "compared with")]
    table += [(*row[:4], f"{row.difference:.1e}", "" if row.agrees else "DISAGREES", row.other)
              for row in rows]
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print("features, logits, enlarged: root mean squares, and the largest difference of any element over theirs")


if __name__ == "__main__":
    sys.exit(main())
