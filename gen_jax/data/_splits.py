"""Both splits of a data set, loaded when they are first asked for: a trained model can be used without them."""
import hashlib
from collections.abc import Callable
from functools import cached_property

from gen_jax.data._source import fingerprint
from gen_jax.errors import NoData, UserError
from gen_jax.types import Source


class Splits:
    """The training and the test data of a run.

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
            raise self._tried
        return self._tried

    @cached_property
    def _tried(self) -> tuple[Source, Source, str] | NoData:
        """Both splits and their fingerprint, or why they cannot be had: they are looked for once."""
        try:
            train, test = self._load("train"), self._load("test")
        except UserError as error:
            return NoData(*error.faults)
        if train.x.shape[1:] != test.x.shape[1:]:
            return NoData(f"data: training examples are {train.x.shape[1:]} and test examples {test.x.shape[1:]}; make "
                          "them alike, pictures with data.size and data.channels")
        found = hashlib.sha256((fingerprint(train) + fingerprint(test)).encode()).hexdigest()
        if self._expected and found != self._expected:
            return NoData(f"data: they are not those that this run was trained on (their fingerprint is {found[:16]}, "
                          f"and was {self._expected[:16]}); put those back")
        return train, test, found
