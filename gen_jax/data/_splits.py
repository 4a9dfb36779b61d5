"""Both splits of a data set, loaded when they are first asked for: a trained model can be used without them."""
import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property

from absl import logging

from gen_jax.data._source import fingerprint
from gen_jax.errors import NoData, UserError
from gen_jax.types import Source


class Splits:
    """The training and the test data of a run. What is given with one of them alone is left out, with a
    warning.

    load: of a split by its name. expected: the fingerprint that the data must have; "": any.
    """

    def __init__(self, load: Callable[[str], Source], expected: str = ""):
        self._load, self._expected = load, expected

    @property
    def train(self) -> Source:
        """The training data. Raises NoData."""
        return self._loaded[0]

    @property
    def test(self) -> Source:
        """The test data. Raises NoData."""
        return self._loaded[1]

    @property
    def fingerprint(self) -> str:
        """A digest of all examples of both. Raises NoData."""
        return self._loaded[2]

    @property
    def _loaded(self) -> tuple[Source, Source, str]:
        if isinstance(self._tried, NoData):
            raise NoData(*self._tried.faults)  # a new one: each raise adds to an exception's traceback
        return self._tried

    @cached_property
    def _tried(self) -> tuple[Source, Source, str] | NoData:
        """Both splits and their fingerprint, or why they cannot be had: they are looked for once."""
        try:
            train, test = self._load("train"), self._load("test")
        except UserError as error:
            return NoData(*error.faults)
        if faults := list(_unlike(train, test)):
            return NoData(*faults)
        found = hashlib.sha256((fingerprint(train) + fingerprint(test)).encode()).hexdigest()
        if self._expected and found != self._expected:
            return NoData(f"data: they are not those that this run was trained on (their fingerprint is {found[:16]}, "
                          f"and was {self._expected[:16]}); put those back")
        return _given_both(train, test), _given_both(test, train), found


def _unlike(train: Source, test: Source) -> Iterator[str]:
    """A line for what has other shapes, or other names, in the two splits."""
    if train.x.shape[1:] != test.x.shape[1:]:
        yield (f"data: training examples are {train.x.shape[1:]} and test examples {test.x.shape[1:]}; make them "
               "alike, pictures with data.size and data.channels")
    for key in sorted(train.given.keys() & test.given.keys()):
        here, there = (source.given[key].shape[1:] for source in (train, test))
        if here != there or train.names.get(key) != test.names.get(key):
            yield f"data: {key!r} has other shapes or names in the training data than in the test data; make them alike"


def _given_both(source: Source, other: Source) -> Source:
    """source with no more than what the other split is given too."""
    both = source.given.keys() & other.given.keys()
    if dropped := sorted(source.given.keys() - both):
        logging.warning("data: %s is given with one of the training and the test data alone, and is left out",
                        ", ".join(dropped))
    given, names = ({key: of[key] for key in of if key in both} for of in (source.given, source.names))
    return source._replace(given=given, names=names)
