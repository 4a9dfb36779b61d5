"""What a person asks of a trained model, as the arrays that the model takes. What does not fit is a UserError."""
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from PIL import Image

from gen_jax import data
from gen_jax.config import SEED
from gen_jax.errors import UserError
from gen_jax.evals import Trained
from gen_jax.find import nearest
from gen_jax.folders import expanded
from gen_jax.settings import POSITIVE, Must, Setting, shown
from gen_jax.types import PyTree

PICTURES = (str, Path, Image.Image)
NUMBERS = {  # that a person gives with a question
    "num": Setting(64, "how many samples", Must(lambda num: 1 <= num <= 1_000_000, "from 1 to 1,000,000")),
    "seed": SEED,
    "truncation": Setting(1.0, "a factor of drawn latents; below 1, samples are more typical and less diverse",
                          POSITIVE),
}


def checked(**numbers: Any) -> list:
    """The numbers, which NUMBERS names, as Python has them. UserError with a line for each that does not fit."""
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in numbers.items()}
    if faults := [f"{name}={shown(value)}: {fault}" for name, value in plain.items()
                  if (fault := NUMBERS[name].fault(value))]:
        raise UserError(*faults)
    return list(plain.values())


def drawn(trained: Trained, num: int, given: Mapping[str, np.ndarray], seed: int | None, truncation: float) -> PyTree:
    """num codes from the prior, multiplied by truncation. seed: of the noise; None: config.seed."""
    if "sample_prior" not in trained.objective.predict:
        raise UserError(f"the objective {trained.config.objective.name} has no prior to sample from; give it latents")
    code = trained.sample_prior(trained.key("sample", seed), num, given)
    if truncation == 1:
        return code
    if any(leaf.dtype.kind != "f" for leaf in jax.tree.leaves(code)):
        raise UserError(f"truncation={truncation}: the codes of {trained.config.objective.name} are no real numbers")
    return jax.tree.map(lambda leaf: (truncation * leaf).astype(leaf.dtype), code)


def codes_of(trained: Trained, z: Any, name: str) -> PyTree:
    """Codes of the model's form and types, arrays [N,...]; one code alone, [...], is [1,...].

    name: how the user calls them.
    """
    shape = trained.code_shape
    if isinstance(shape, jax.ShapeDtypeStruct):
        return _code(z, shape, name)
    shapes, form = jax.tree_util.tree_flatten_with_path(shape)
    try:
        arrays = form.flatten_up_to(z)
    except ValueError:
        raise UserError(f"{name}: a code of this model is not one array; it must be {jax.tree.map(_form, shape)}"
                        ) from None
    codes = [_code(array, like, name + jax.tree_util.keystr(path))
             for array, (path, like) in zip(arrays, shapes, strict=True)]
    if len(lengths := {len(array) for array in codes}) > 1:
        raise UserError(f"{name}: its arrays are of {' and '.join(map(str, sorted(lengths)))} codes")
    return form.unflatten(codes)


def _code(z: Any, shape: jax.ShapeDtypeStruct, name: str) -> np.ndarray:
    """One array of codes. shape: of the code of one example, [1,...]."""
    array = _array(z, name)
    array = array[None] if array.shape == shape.shape[1:] else array
    if array.shape[1:] != shape.shape[1:] or not len(array):
        raise UserError(f"{name}: has shape {array.shape}; codes of this model are {_form(shape)}")
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise UserError(f"{name}: must be finite numbers")
    return array.astype(shape.dtype)


def _form(shape: jax.ShapeDtypeStruct) -> str:
    """The shape of N codes, in words."""
    return f"({', '.join(['N', *map(str, shape.shape[1:])])})"


def _array(values: Any, name: str) -> np.ndarray:
    """values as an array. name: how the user calls them."""
    try:
        return np.asarray(values)
    except ValueError:
        raise UserError(f"{name}: cannot be an array; all its rows must be of one length") from None


def given_of(trained: Trained, asked: Mapping[str, Any], num: int, in_turn: bool = False) -> dict[str, np.ndarray]:
    """What each of num examples is given, [num,...] by name.

    asked: by name, one value for all, or one for each; a value is a word or a number. in_turn: whether fewer values
    than examples are taken in turn.
    """
    if not isinstance(asked, Mapping):
        raise UserError(f"given={shown(asked)}: must be values by name, as in given={{'label': 3}}")
    conditions = trained.objective.conditions
    for name in asked:
        if name not in conditions:
            known = "; it can be asked for: " + ", ".join(conditions) if conditions else ", nor on anything else"
            raise UserError(f"given.{name}: this run's model does not condition on {name!r}{known}")
    return {name: _values(trained, name, values, num, in_turn) for name, values in asked.items()}


def examples_of(trained: Trained, x: Any) -> np.ndarray:
    """Examples [N,...] as the model sees them.

    x: a picture or several, files or Pillow's, which are prepared as the training data were; or an array, of one
    example or of some: as they are stored (uint8 images), or as models see them (float images in [0,1]).
    """
    if isinstance(x, PICTURES):
        x = [x]
    if isinstance(x, Sequence) and x and all(isinstance(one, PICTURES) for one in x):
        return np.asarray(trained.spec.kind.to_model(np.stack([_picture(trained, one) for one in x])))
    spec, array = trained.spec, _array(x, "x")
    for missing in ((), (0,), (array.ndim,), (0, array.ndim + 1)):  # a batch of one, one channel, both
        padded = np.expand_dims(array, missing)
        if padded.shape[1:] == spec.x and len(padded):
            return _as_model(trained, padded)
    wanted = ", ".join(map(str, ("N", *spec.x)))
    raise UserError(f"an array of shape {array.shape} was given; this model sees ({wanted})")


def _as_model(trained: Trained, array: np.ndarray) -> np.ndarray:
    kind, stored = trained.spec.kind, trained.spec.dtype
    if array.dtype == stored:
        return np.asarray(kind.to_model(array))
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise UserError(f"an array of {array.dtype} was given; this model sees {stored}, or floats that are finite")
    array = array.astype(np.float32)
    if not np.allclose(array, kind.clip(array), atol=1e-3):
        raise UserError(f"floats from {array.min():.4g} to {array.max():.4g} were given, which is out of the range of "
                        f"{kind.name} data")
    return array


def _picture(trained: Trained, picture: str | Path | Image.Image) -> np.ndarray:
    if trained.spec.kind.name != "image":
        raise UserError(f"{picture}: this model's data are {trained.spec.kind.name}, not pictures; give it an array")
    file = picture if isinstance(picture, Image.Image) else expanded(Path(picture), "x")
    return data.picture(trained.config.data, trained.spec.x, file)


def _values(trained: Trained, name: str, values: Any, num: int, in_turn: bool) -> np.ndarray:
    """What each of num examples is given of one name, [num,...]."""
    example, words, at = trained.spec.given[name], trained.spec.names.get(name, ()), f"given.{name}"
    if isinstance(values, str) or _array(values, at).ndim < len(example.shape):
        values = [values]
    if not 0 < len(values) <= num or not in_turn and len(values) not in (1, num):
        raise UserError(f"{at}: has {len(values)} values, and there are {num} examples; give one value for all, or one "
                        "for each")
    values = [_number(name, value, words) if isinstance(value, str) else value for value in values]
    array = _array([values[i % len(values)] for i in range(num)], at)
    if array.shape[1:] != example.shape[1:] or array.dtype.kind not in "iuf":
        raise UserError(f"given.{name}: must be numbers of shape {example.shape[1:]} for each example")
    if words and not ((array >= 0) & (array < len(words)) & (array == array.astype(int))).all():
        raise UserError(f"given.{name}: must be whole numbers from 0 to {len(words) - 1}")
    return array.astype(example.dtype)


def _number(name: str, word: str, words: tuple[str, ...]) -> float:
    if word in words:
        return words.index(word)
    if words and not (word.isdecimal() and int(word) < len(words)):
        raise UserError(f"given.{name}={word}: there is no such {name}{nearest(word, list(words))}")
    try:
        return float(word)
    except ValueError:
        raise UserError(f"given.{name}={word}: must be a number") from None
