"""What a checkpoint keeps of the training data's codes, so that a model can be used without the data."""
from functools import cached_property

import numpy as np

from gen_jax.data import stratified_rows, take
from gen_jax.evals import Trained, lacks
from gen_jax.evals.latent._attributes import attributes_of, shown, tiles
from gen_jax.types import Kind, Source

NEEDS = ("encode", "vector")
MAX_EXAMPLES = 2000  # that are encoded at each save


class CodeStatistics:
    """Moments of the codes of some training examples, and their means over classes and over attributes of tiles."""

    def __init__(self, train: Source, kind: Kind):
        self.train, self.kind = train, kind
        self.some = take(train, stratified_rows(train, MAX_EXAMPLES))

    @cached_property
    def x(self) -> np.ndarray:
        """The examples, as models see them."""
        return np.asarray(self.kind.to_model(self.some.x))

    @cached_property
    def sets(self) -> dict[str, np.ndarray]:
        """bool [N] by name: the examples of each class, and of each word for an attribute that is no class's name."""
        classes = {name: self.some.labels == label for label, name in enumerate(self.some.classes)}
        if not self.kind.tile:
            return classes
        return shown(tiles(self.kind, self.x), attributes_of(self.train, self.kind)) | classes

    def of(self, trained: Trained) -> dict | None:
        """{"examples", "mean" [Z], "cov" [Z,Z], "sets": {name: mean code [Z]}} as lists; None without vector codes."""
        if lacks(NEEDS, trained):
            return None
        codes = trained.encode(self.x, self.some.given).astype(np.float64)
        return {"examples": len(codes), "mean": codes.mean(0).tolist(),
                "cov": np.atleast_2d(np.cov(codes, rowvar=False)).tolist(),
                "sets": {name: codes[mask].mean(0).tolist() for name, mask in self.sets.items() if mask.any()}}
