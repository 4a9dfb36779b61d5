"""How near samples are to real examples: every metric of gen_jax/judges/metrics, in features.

A number is named by its features, FD[mnist-cnn:1a2b3c]. FID, KID and IS, without, are those of the original Inception
alone, and only these compare with published ones. Beside what samples reach (.../samples) stands what real examples
reach in their place (.../test): no model is expected to be better than that.
"""
from collections.abc import Iterable, Iterator
from itertools import islice
from types import ModuleType

import numpy as np
from absl import logging
from ml_collections import ConfigDict

from gen_jax import data, memory
from gen_jax.data import stratified_rows, take
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals.samples._features import feature_faults, lacking
from gen_jax.evals.samples._like import how_many, stored_like
from gen_jax.find import find, names
from gen_jax.judges.features import Features
from gen_jax.judges.metrics import Cloud
from gen_jax.settings import Setting, Settings, at_least, one_of, placeholder
from gen_jax.types import Metric, Source

NEEDS = ("sample_prior", "decode")
USUAL = ("classifier", "random", "values")  # features; the first that the data have is taken where none is named
OTHER = {"train": "test", "test": "train"}
SAMPLES = 3000  # at most, where the settings do not say how many
PUBLISHED = 10_000  # of the samples, and of the real examples, of published figures, at least
CHOOSES = ("features", "inception", "allow_few", "per_class")

hp = Settings(__name__, {
    "features": Setting((), "files of gen_jax/judges/features; (): the first of classifier, random and values that the "
                        "data have what it needs for", item=str),
    "inception": Setting("", "weights of the original FID's Inception, a file; its features are then taken as well"),
    "samples": Setting(placeholder(int), "samples, whatever the number of real examples beside them; unset: as many as "
                       f"these, {SAMPLES:,} at most", at_least(2)),
    "reference": Setting(5000, "real examples that both are compared with, at most", at_least(2)),
    "reference_split": Setting("train", "the split of these; those beside the samples are of the other one",
                               one_of("train", "test")),
    "allow_few": Setting(False, "a Fréchet distance also of fewer examples than features"),
    "per_class": Setting(False, "for each class too, where the model is given the class"),
}, smoke={"features": ("values",), "samples": 20, "reference": 20})


def _pattern(quantity: str) -> str:
    """What names fit: of any features, not of one class."""
    return f"{quantity}[[]*]"


def _declared() -> Iterator[tuple[str, Metric]]:
    """What each metric says of its numbers, in any features and in Inception's, and of those of one class."""
    for module in (find("judges.metrics", name) for name in names("judges.metrics")):
        for quantity, metric in module.METRICS.items():
            for pattern in (_pattern(quantity), getattr(module, "OFFICIAL", {}).get(quantity, _pattern(quantity))):
                yield from ((pattern, metric), (f"{pattern}{{*}}", metric._replace(rank=0)))


METRICS = {
    _pattern("recognised"): Metric("share", "higher", rank=2, of="samples"),
    _pattern("accuracy"): Metric("share", "higher"),
} | dict(_declared())


def evaluate(trained: Trained) -> Iterator[Result]:
    """Numbers of samples and, in their place, of as many real examples, or of all there are; none of a single one.

    FD, KID and its standard error KID_std, score, precision, recall, density, coverage, SWD, of gen_jax/judges/metrics;
    one that would mislead, or that these data cannot give, is left out, and a line says why. recognised: the share that
    a classifier of the whole data set takes for the classes of this run's data, if they are not all. accuracy: of the
    classifier, on test images of all classes.

    Samples are rounded and clipped as if they were saved. A model that is given the class is given those of the
    examples in whose place its samples are, so that the shares are the same. Numbers of one class have it in braces.
    """
    own, left_out = trained.hp.quality, []
    real = _some(trained, own.reference_split, own.reference)
    others = _some(trained, OTHER[own.reference_split], own.samples or SAMPLES)
    if min(len(real.x), len(others.x)) < 2:
        logging.warning("quality: left out, it takes two examples or more of each split")
        return
    sets = {"samples": _samples(trained, others, own.samples or len(others.x)), OTHER[own.reference_split]: others}
    _warn(trained)
    for features in _features(trained):
        reference = Cloud(*features.answers(real.x))
        _check(features, reference, [len(examples.x) for examples in sets.values()])
        for split, examples in sets.items():
            fake = Cloud(*features.answers(examples.x))
            about = {"real_split": own.reference_split, "features": features.name}
            found = [("", reference, fake)]
            if own.per_class and "label" in trained.objective.conditions:
                found += _by_class(trained.spec.classes, reference, real, fake, examples)
            for which, one, other in found:
                sizes = {"real": len(one)} | how_many(split, len(other))
                for name, value, more in _measured(features, which, one, other, own.allow_few, left_out):
                    yield f"{name}/{split}", Number(value, sizes | about | more)
            yield from _recognised(features, trained.train.classes, fake, split)
        if features.accuracy is not None:
            yield f"accuracy[{features.name}]/test", Number(features.accuracy, {"real": "all", "real_split": "test",
                                                                               "features": features.name})
    for line in dict.fromkeys(left_out):
        logging.warning("quality: %s", line)


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line for each kind of features that there is not, that these data do not have, or that cannot be made."""
    own, spec = config.evals.quality, data.spec(train, data.kind(config.data))
    for name in _named(own):
        yield from feature_faults(name, spec, own, "leave it out")


def _named(own: ConfigDict) -> tuple[str, ...]:
    """The features that the settings name."""
    return (*own.features, *(["inception"] if own.inception and "inception" not in own.features else []))


def _features(trained: Trained) -> list[Features]:
    """Those that the settings ask for."""
    own = trained.hp.quality

    def ask(names: Iterable[str]) -> Iterator[Features]:
        made = (find("judges.features", name).features(trained.config, trained.spec, own) for name in names
                if not lacking(name, trained.spec))
        return (features for features in made if features is not None)
    usual = [] if own.features else [*islice(ask(USUAL), 1)]
    return usual + [*ask(_named(own))]


def _some(trained: Trained, split: str, most: int) -> Source:
    """At most `most` examples of a split, as they are stored."""
    source = getattr(trained, split)
    return take(source, stratified_rows(source, most))


def _samples(trained: Trained, like: Source, num: int) -> Source:
    """num samples as they would be stored, each given what one of `like` is given: all of these in turn, and the rest
    in their proportions."""
    times, rest = divmod(num, len(like.x))
    rows = np.concatenate([np.tile(np.arange(len(like.x)), times), stratified_rows(like, rest)])
    x = stored_like(trained, trained.key("quality"), like, rows)
    return Source(x, {name: values[rows] for name, values in like.given.items()})


def _warn(trained: Trained) -> None:
    """Says what the numbers do not tell, or what of the settings has no effect."""
    if trained.hp.quality.per_class and "label" not in trained.objective.conditions:
        logging.warning("quality: per_class has no effect, this run's model is not given the class")
    if "nll" in trained.objective.predict and "binarize" in trained.config.data and trained.config.data.binarize:
        logging.warning("quality: samples are a decoder's means, grey where it is unsure, and are compared with pixels "
                        "that are black or white")


def _check(features: Features, reference: Cloud, sizes: list[int]) -> None:
    """UserError where metrics would not fit into memory; a warning where a FID of so few compares with no other's.

    sizes: of what is compared with the reference.
    """
    (real, dims), most = reference.x.shape, max(sizes)
    memory.check(8 * dims * (2 * real + 3 * most + 3 * min(dims, max(real, most))),
                 f"quality of {most:,} examples in {features.name} ({dims:,} numbers each)",
                 "set evals.quality.samples and evals.quality.reference lower, or name other evals.quality.features")
    if features.official and min(real, sizes[0]) < PUBLISHED:
        logging.warning("quality: FID and IS of %s samples and %s real examples compare with no published figure, "
                        "which takes %s or more of both: see docs/inception.md", f"{sizes[0]:,}", f"{real:,}",
                        f"{PUBLISHED:,}")


def _by_class(classes: tuple[str, ...], reference: Cloud, real: Source, fake: Cloud, examples: Source
              ) -> Iterator[tuple[str, Cloud, Cloud]]:
    """("{<class>}", real examples, fake ones) of each class, without logits: a score is of all classes."""
    for label, name in enumerate(classes):
        one, other = reference.rows(real.labels == label), fake.rows(examples.labels == label)
        yield f"{{{name}}}", Cloud(one.x), Cloud(other.x)


def _measured(features: Features, which: str, real: Cloud, fake: Cloud, allow_few: bool, left_out: list[str]
              ) -> Iterator[tuple[str, float, dict]]:
    """(name, number, what else it depends on) of every metric. left_out gets a line for each that is not measured.

    which: of the class that examples are of, at the end of the name.
    """
    for metric in (find("judges.metrics", name) for name in names("judges.metrics")):
        if getattr(metric, "NEEDS_LOGITS", False) and fake.logits is None:
            continue
        if why := _refused(metric, real, fake, allow_few):
            without = ", ".join(_name(metric, quantity, features) + which for quantity in metric.METRICS)
            left_out.append(f"{without} left out, {why}")
            continue
        for quantity, value in metric.measure(real, fake).items():
            yield _name(metric, quantity, features) + which, value, getattr(metric, "PROTOCOL", {})


def _refused(metric: ModuleType, real: Cloud, fake: Cloud, allow_few: bool) -> str:
    """Why a metric is not measured, or ""."""
    least = getattr(metric, "LEAST", 2)
    if min(len(real), len(fake)) < least:
        return f"it takes {least} examples or more"
    refuses = getattr(metric, "refuses", None)
    why = refuses(real, fake) if refuses and not allow_few else ""
    return why and f"{why}; measure it all the same with --config.evals.quality.allow_few"


def _name(metric: ModuleType, quantity: str, features: Features) -> str:
    """FD[mnist-cnn:1a2b3c]; FID in the features of the original."""
    known = getattr(metric, "OFFICIAL", {}) if features.official else {}
    return known.get(quantity, f"{quantity}[{features.name}]")


def _recognised(features: Features, classes: tuple[str, ...], fake: Cloud, split: str) -> Iterator[Result]:
    """The share of examples taken for the run's classes, where the features' classifier knows others too."""
    wanted = [features.classes.index(name) for name in classes if name in features.classes]
    if fake.logits is not None and 0 < len(wanted) < len(features.classes):
        share = float(np.isin(fake.logits.argmax(-1), wanted).mean())
        about = how_many(split, len(fake)) | {"features": features.name}
        yield f"recognised[{features.name}]/{split}", Number(share, about)
