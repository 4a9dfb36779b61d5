"""Shows what a config would train on."""
import numpy as np
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.command_line import Launch
from gen_jax.config import validate, with_evals
from gen_jax.modes._run import writing
from gen_jax.report import results
from gen_jax.report.workdir import Workdir
from gen_jax.style import styled
from gen_jax.types import Source

MOST_LISTED = 200  # classes with their number of examples


def run(launch: Launch) -> None:
    """The mode."""
    show(launch.config, Workdir(launch.workdir))


def show(config: ConfigDict, workdir: Workdir) -> None:
    """Prints what config would train on, and writes a picture, data.png say, of the first training examples."""
    config = with_evals(config)
    validate(config)
    data.choose(config.data)
    if broken := data.broken(config.data):
        _list_broken(broken, config.data)
    kind = data.kind(config.data)
    splits = {split: data.load(config.data, split) for split in ("train", "test")}
    for split, source in splits.items():
        _describe(split, source, kind.name)
    print(f"test examples that are also training examples: {data.duplicates(splits['train'], splits['test'])}")
    if data.stream(config.data):
        print("training draws new examples at each step; those here are for reference")
    x = np.asarray(kind.to_model(splits["train"].x))
    with writing(workdir):
        workdir.path.mkdir(parents=True, exist_ok=True)
        with styled():
            picture = results.save(workdir.path / "data", kind.draw(x[:100], 10, lambda: x), config.report)
    print(f"the first training examples: {picture}")


def _list_broken(broken: list[tuple], hp: ConfigDict) -> None:
    """Prints each file that cannot be read; the rest is then shown without them."""
    print(f"{len(broken)} files cannot be read, and training "
          + ("leaves them out:" if hp.broken == "skip" else "refuses them (data.broken=skip leaves them out):"))
    for file, why in broken:
        print(f"  {file}: {why}")
    hp.broken = "skip"


def _describe(split: str, source: Source, kind: str) -> None:
    x = source.x
    print(f"{split}: {len(x):,} examples of kind {kind}, {'x'.join(map(str, x.shape[1:]))} {x.dtype}, "
          f"range {x.min():.4g}..{x.max():.4g}, mean {x.mean():.4g}, fingerprint {data.fingerprint(source)[:16]}")
    for name, values in source.given.items():
        words = source.names.get(name)
        if words and values.ndim == 1:
            counts = np.bincount(values, minlength=len(words))
            print(f"  {name}: " + (
                ", ".join(f"{word} {n:,}" for word, n in zip(words, counts, strict=True)) if len(words) <= MOST_LISTED
                else f"{len(words):,} classes, {words[0]} to {words[-1]}, of {counts.min():,} to {counts.max():,}"))
        else:
            print(f"  {name}: {'x'.join(map(str, values.shape[1:])) or 'one number'} {values.dtype}, range "
                  f"{values.min():.4g}..{values.max():.4g}")
