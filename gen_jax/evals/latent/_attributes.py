"""What an image is, judged without the model: its class by nearest neighbours, its attributes by moments.

Grey images are taken for strokes, which have ink, slant and width; images of several channels for photos, which have
brightness and colour.
"""
from collections.abc import Callable
from functools import cached_property

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from gen_jax.data import stratified_rows
from gen_jax.evals import Trained
from gen_jax.types import Source

MAX_EXAMPLES = 20_000  # training images that the classifier compares with


def colour(x: np.ndarray) -> np.ndarray:
    """Mean standard deviation [N] over the three colours of a pixel, of images x [N,H,W,C] in [0,1]: 0 is grey."""
    return x[..., :3].std(-1).mean((1, 2))


def ink(x: np.ndarray) -> np.ndarray:
    """Mean brightness [N] of images x [N,H,W,C] in [0,1]: for white strokes on black, how bold they are."""
    return x.mean((1, 2, 3))


def slant(x: np.ndarray) -> np.ndarray:
    """How far [N] the brightness moves to the right, in pixels, for each pixel up: its shear, by second moments."""
    mass, rows, columns = _centred(x)
    variance = (mass * rows**2).sum((1, 2)) / mass.sum((1, 2))
    return -(mass * rows * columns).sum((1, 2)) / mass.sum((1, 2)) / np.maximum(variance, 1e-6)


def width(x: np.ndarray) -> np.ndarray:
    """Standard deviation [N] of the brightness along the rows, in pixels."""
    mass, _, columns = _centred(x)
    return np.sqrt((mass * columns**2).sum((1, 2)) / mass.sum((1, 2)))


# Each attribute by the words for its lowest and its highest quarter.
STROKES = {("thin", "bold"): ink, ("left", "right"): slant, ("narrow", "wide"): width}
PHOTOS = {("dark", "bright"): ink, ("pale", "colourful"): colour}


def attributes(x: np.ndarray) -> dict[tuple[str, str], Callable]:
    """Those that such images [N,H,W,C] have."""
    return STROKES if x.shape[-1] == 1 else PHOTOS


def known(train: Source) -> list[str]:
    """The names that Judge.shows understands: classes, and words for attributes."""
    return [*train.classes, *(word for words in attributes(train.x) for word in words)]


def concepts_of(train: Source) -> tuple[str, ...]:
    """"low->high" of each attribute, the most telling first."""
    return tuple("->".join(words) for words in attributes(train.x))


def shown(x: np.ndarray) -> dict[str, np.ndarray]:
    """bool [N] for each word: which of images x [N,H,W,C] are in their lowest or highest quarter of an attribute."""
    sets = {}
    for (low, high), measure in attributes(x).items():
        values = measure(x)
        first, third = np.quantile(values, (0.25, 0.75))
        sets |= {low: values <= first, high: values >= third}
    return sets


class Judge:
    """Says which images show what; it knows the training images and nothing of the model."""

    def __init__(self, trained: Trained):
        self.train, self.train_x = trained.train, trained.train_x
        self.attributes = attributes(self.train_x)
        measured = {measure: measure(self.train_x) for measure in self.attributes.values()}
        self.quartiles = {measure: np.quantile(values, (0.25, 0.75)) for measure, values in measured.items()}
        self.spread = {measure: max(values.std(), 1e-6) for measure, values in measured.items()}

    @cached_property
    def classifier(self) -> Pipeline:
        """A vote of the five nearest training images, in their 50 principal directions."""
        rows = stratified_rows(self.train, MAX_EXAMPLES)
        x = self.train_x[rows].reshape(len(rows), -1)
        pca = PCA(min(50, *x.shape), random_state=0)
        vote = KNeighborsClassifier(min(5, len(rows)), algorithm="brute")
        return make_pipeline(pca, vote).fit(x, self.train.labels[rows])

    def label(self, x: np.ndarray) -> np.ndarray:
        """Class labels [N] of images x [N,H,W,C]."""
        return self.classifier.predict(x.reshape(len(x), -1))

    def shows(self, name: str, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """bool [N]: whether images show `name`, a class or a word for an attribute. labels: theirs, where known.

        An attribute shows in an image that is in the training images' lowest or highest quarter.
        """
        if name in self.train.classes:
            return (self.label(x) if labels is None else labels) == self.train.classes.index(name)
        for (low, high), measure in self.attributes.items():
            if name == low:
                return measure(x) <= self.quartiles[measure][0]
            if name == high:
                return measure(x) >= self.quartiles[measure][1]
        raise ValueError(f"no class or attribute {name!r}")

    def rest_changed(self, names: tuple[str, str], before: np.ndarray, after: np.ndarray) -> float:
        """How much of what an edit from names[0] to names[1] should leave alone has changed between images.

        Between classes: the mean change of the attributes, in standard deviations of the training images. Between
        the ends of an attribute: the share of images whose class changed, or without classes the other attributes' mean
        change.
        """
        if self.train.labels is not None and names[0] not in self.train.classes:
            return float((self.label(before) != self.label(after)).mean())
        return float(np.mean([np.abs(measure(after) - measure(before)).mean() / self.spread[measure]
                              for measure in self._others(names)]))

    def rest_unit(self, names: tuple[str, str]) -> str:
        """What rest_changed counts."""
        if self.train.labels is not None and names[0] not in self.train.classes:
            return "share whose class changed"
        others = ", ".join(measure.__name__ for measure in self._others(names))
        return f"mean change of {others}, in std. deviations"

    def _others(self, names: tuple[str, str]) -> list[Callable]:
        """The attributes that an edit from names[0] should leave alone."""
        return [measure for words, measure in self.attributes.items() if names[0] not in words]


def _centred(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Brightness [N,H,W], never all 0, and row and column coordinates [N,H,W] from its centre."""
    mass = x.mean(-1) + 1e-8
    rows, columns = (np.arange(n, dtype=np.float32) for n in mass.shape[1:])
    total = mass.sum((1, 2), keepdims=True)
    row = rows[None, :, None] - (mass * rows[:, None]).sum((1, 2), keepdims=True) / total
    column = columns[None, None, :] - (mass * columns).sum((1, 2), keepdims=True) / total
    return mass, row, column
