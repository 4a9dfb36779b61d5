"""What an example is, judged without the model: its class by nearest neighbours, its attributes by its tile's moments.

A tile is the picture that a kind of data makes of one example. Attributes are measured on tiles [N,H,W,C] in [0,1].
Tiles of one channel that are mostly dark are strokes: they have ink, slant and width. All others are photos: they have
brightness, and colour where they have several channels.
"""
from collections.abc import Callable
from functools import cached_property

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from gen_jax.data import stratified_rows
from gen_jax.evals import Trained
from gen_jax.types import Kind, Source

MAX_EXAMPLES = 20_000  # training examples that the classifier compares with
MAX_SEEN = 1000  # training examples by which strokes are told from photos
DARK, DARK_SHARE = 0.1, 0.3  # strokes: pixels below DARK are at least so many of all (digits 0.5, MNIST 0.8)


def colour(x: np.ndarray) -> np.ndarray:
    """Mean standard deviation [N] over the three colours of a pixel, of tiles x [N,H,W,C] in [0,1]: 0 is grey."""
    return x[..., :3].std(-1).mean((1, 2))


def ink(x: np.ndarray) -> np.ndarray:
    """Mean brightness [N] of tiles x [N,H,W,C] in [0,1]: for white strokes on black, how bold they are."""
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


# Attributes: each by the words for its lowest and its highest quarter, the most telling first.
Attributes = dict[tuple[str, str], Callable]
STROKES: Attributes = {("thin", "bold"): ink, ("left", "right"): slant, ("narrow", "wide"): width}
GREY_PHOTOS: Attributes = {("dark", "bright"): ink}
PHOTOS: Attributes = GREY_PHOTOS | {("pale", "colourful"): colour}


def tiles(kind: Kind, x: np.ndarray) -> np.ndarray:
    """Tiles float32 [N,H,W,C] in [0,1] of examples x [N,...] as models see them."""
    return kind.tile(x).astype(np.float32) / 255


def attributes_of(train: Source, kind: Kind) -> Attributes:
    """The attributes that the training examples have."""
    some = train.x[stratified_rows(train, MAX_SEEN)]
    seen = tiles(kind, np.asarray(kind.to_model(some)))
    if seen.shape[-1] > 1:
        return PHOTOS
    return STROKES if (seen < DARK).mean() >= DARK_SHARE else GREY_PHOTOS


def present(train: Source) -> tuple[str, ...]:
    """The classes of which there are training examples, by label."""
    if train.labels is None:
        return ()
    return tuple(train.classes[label] for label in np.unique(train.labels))


def shown(seen: np.ndarray, attributes: Attributes) -> dict[str, np.ndarray]:
    """bool [N] for each word: which of the tiles [N,H,W,C] are in their lowest or highest quarter of an attribute."""
    sets = {}
    for (low, high), measure in attributes.items():
        values = measure(seen)
        first, third = np.quantile(values, (0.25, 0.75))
        sets |= {low: values <= first, high: values >= third}
    return sets


class Judge:
    """Says which examples show what; it knows the training examples and nothing of the model."""

    def __init__(self, trained: Trained):
        self.train, self.train_x, self.kind = trained.train, trained.train_x, trained.spec.kind
        self.attributes = attributes_of(self.train, self.kind)
        seen = tiles(self.kind, self.train_x)
        measured = {measure: measure(seen) for measure in self.attributes.values()}
        self.quartiles = {measure: np.quantile(values, (0.25, 0.75)) for measure, values in measured.items()}
        self.spread = {measure: max(values.std(), 1e-6) for measure, values in measured.items()}

    @cached_property
    def classifier(self) -> Pipeline:
        """A vote of the five nearest training examples, in their 50 principal directions."""
        rows = stratified_rows(self.train, MAX_EXAMPLES)
        x = self.train_x[rows].reshape(len(rows), -1)
        pca = PCA(min(50, *x.shape), random_state=0)
        vote = KNeighborsClassifier(min(5, len(rows)), algorithm="brute")
        return make_pipeline(pca, vote).fit(x, self.train.labels[rows])

    def label(self, x: np.ndarray) -> np.ndarray:
        """Class labels [N] of examples x [N,...]."""
        return self.classifier.predict(x.reshape(len(x), -1))

    def shows(self, name: str, x: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """bool [N]: whether examples show `name`, a class or a word for an attribute. labels: theirs, where known.

        An attribute shows in an example that is in the training examples' lowest or highest quarter.
        """
        if name in self.train.classes:
            return (self.label(x) if labels is None else labels) == self.train.classes.index(name)
        for (low, high), measure in self.attributes.items():
            if name == low:
                return measure(tiles(self.kind, x)) <= self.quartiles[measure][0]
            if name == high:
                return measure(tiles(self.kind, x)) >= self.quartiles[measure][1]
        raise ValueError(f"no class or attribute {name!r}")

    def rest_changed(self, names: tuple[str, str], before: np.ndarray, after: np.ndarray) -> float:
        """How much of what an edit from names[0] to names[1] should leave alone has changed between examples.

        Between classes: the mean change of the attributes, in standard deviations of the training examples. Between
        the ends of an attribute: the share of examples whose class changed, or of fewer than two classes the other
        attributes' mean change; NaN where there is no other attribute.
        """
        if self._by_class(names):
            return float((self.label(before) != self.label(after)).mean())
        changes = [np.abs(measure(tiles(self.kind, after)) - measure(tiles(self.kind, before))).mean()
                   / self.spread[measure] for measure in self._others(names)]
        return float(np.mean(changes)) if changes else np.nan

    def rest_unit(self, names: tuple[str, str]) -> str:
        """What rest_changed counts."""
        if self._by_class(names):
            return "share whose class changed"
        others = ", ".join(measure.__name__ for measure in self._others(names))
        return f"mean change of {others}, in std. deviations"

    def _by_class(self, names: tuple[str, str]) -> bool:
        """Whether an edit from names[0] should leave the class alone, and there are classes to tell apart."""
        return names[0] not in self.train.classes and len(present(self.train)) > 1

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
