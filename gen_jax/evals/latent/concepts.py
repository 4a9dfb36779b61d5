"""Concept vectors: from the mean code of one set of training images to another's, added to codes of unseen images.

A set is a class, or the lowest or highest quarter of an attribute; a pair is two of them, (source, target). Every edit
has a score beside a random direction of the same length (White, "Sampling Generative Networks", arXiv:1609.04468).
"""
import re
from collections.abc import Iterator
from functools import partial
from textwrap import fill

import jax
import numpy as np
from matplotlib.figure import Figure
from ml_collections import ConfigDict

from gen_jax import data
from gen_jax.evals import Number, Result, Trained
from gen_jax.evals._draw import legend_below, show_rows
from gen_jax.evals.latent._attributes import Judge, attributes_of, present
from gen_jax.find import nearest
from gen_jax.settings import Setting, Settings
from gen_jax.style import figure
from gen_jax.types import Given, Kind, Metric, Source

NEEDS = ("encode", "decode", "vector", "tiles")
REST = "share whose class changed, or std. deviations"  # of attributes: Judge.rest_changed
METRICS = {"concept/*/random_target": Metric("share"), "concept/*/random_rest_changed": Metric(REST),
           "concept/*/target": Metric("share", "higher"), "concept/*/rest_changed": Metric(REST, "lower")}
STEPS = np.linspace(0, 1.5, 7)
EXAMPLES = 8
MAX_IMAGES = 200  # images that an edit is scored on
CONTROLS = 4  # random directions
TITLE = 40  # characters in a line of a panel's title

hp = Settings(__name__, {
    "pairs": Setting((), "\"source->target\", classes or words of evals/latent/_attributes.py; (): chosen by the data",
                     item=str),
})


def evaluate(trained: Trained) -> Iterator[Result]:
    """For each "source->target" of evals.concepts.pairs, the figure "concept_<source>_to_<target>" and, at a full step,

    concept/<name>/target: share of edited test images that show the target, by a judge that knows only pixels,
    concept/<name>/rest_changed: how much of the rest changed (Judge.rest_changed),
    and the same two under concept/<name>/random_...: the mean over random directions of the same length. Where there
    is no rest to be measured, its numbers are left out.
    """
    judge = Judge(trained)
    for names in wanted_pairs(trained.hp.concepts.pairs, chosen_pairs(trained.train, trained.spec.kind)):
        vector = concept_vector(trained, judge, names)
        source = judge.shows(names[0], trained.test_x, trained.test.labels)
        codes = trained.test_codes[source][:MAX_IMAGES]
        given = {key: values[source][:MAX_IMAGES] for key, values in trained.test.given.items()}
        if not len(codes):  # of a small test set, no image may lie in the training images' quarter
            continue
        controls = random_directions(trained, "->".join(names), vector, CONTROLS)
        score = partial(_scores, trained, judge, names, codes, given)
        edited, random = score(vector), np.mean([score(control) for control in controls], 0)
        name, at = re.sub(r"[^\w.-]+", "_", "_to_".join(names)), list(STEPS).index(1.0)
        for i, what in enumerate(("target", "rest_changed")[:2 if np.isfinite(edited).all() else 1]):
            about = {"real": len(codes), "real_split": "test"}
            yield f"concept/{name}/{what}", Number(float(edited[i, at]), about)
            yield f"concept/{name}/random_{what}", Number(float(random[i, at]), about)
        yield f"concept_{name}", _figure(trained, judge, names, codes, given, (vector, controls[0]),
                                         (edited, random))


def data_faults(config: ConfigDict, train: Source, test: Source) -> Iterator[str]:
    """A line for each of evals.concepts.pairs that is not two names that there are."""
    yield from concept_faults("evals.concepts.pairs", config.evals.concepts.pairs, train, data.kind(config.data))


def chosen_pairs(train: Source, kind: Kind) -> list[tuple[str, str]]:
    """The pairs that suit the data: two classes of which there are training examples, and the ends of an attribute."""
    return [*class_pair(train), next(iter(attributes_of(train, kind)))]


def class_pair(train: Source) -> list[tuple[str, str]]:
    """The first two classes of which there are training examples, as a list of one pair; [] where there are not two."""
    names = present(train)
    return [names[:2]] if len(names) > 1 else []


def wanted_pairs(asked: tuple[str, ...], chosen: list[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The pairs that a setting asks for; those that are chosen where it is ()."""
    return [parse(concept) for concept in asked] or chosen


def concept_faults(key: str, asked: tuple[str, ...], train: Source, kind: Kind) -> Iterator[str]:
    """A line for each fault of the concepts that the setting key asks for."""
    known = [*train.classes, *(word for words in attributes_of(train, kind) for word in words)] if asked else []
    for concept in asked:
        names = parse(concept)
        if len(names) != 2:
            yield f"{key}: {concept!r} must be written 'source->target', as in '1->0' or 'thin->bold'"
        for name in names:
            if name not in known:
                yield (f"{key}: there is no class or attribute {name!r}{nearest(name, known)}; --config.{key}=() "
                       "chooses by the data")
            elif name in train.classes and name not in present(train):
                yield (f"{key}: no training example is of the class {name!r}; --config.{key}=() chooses among those "
                       "that have some")


def parse(concept: str) -> tuple[str, ...]:
    """(source, target) of "source->target"."""
    return tuple(part.strip() for part in concept.split("->"))


def concept_vector(trained: Trained, judge: Judge, names: tuple[str, str]) -> np.ndarray:
    """[Z]: mean code of the training images that show names[1], less that of those that show names[0]."""
    source, target = (trained.train_codes[judge.shows(name, trained.train_x, trained.train.labels)].mean(0)
                      for name in names)
    return target - source


def random_directions(trained: Trained, concept: str, vector: np.ndarray, num: int) -> np.ndarray:
    """[num,Z]: directions drawn evenly, as long as vector [Z], others for each concept."""
    normal = np.asarray(jax.random.normal(trained.key(concept), (num, len(vector))))
    return normal * np.linalg.norm(vector) / np.linalg.norm(normal, axis=1, keepdims=True)


def _scores(trained: Trained, judge: Judge, names: tuple[str, str], codes: np.ndarray, given: Given,
            vector: np.ndarray) -> np.ndarray:
    """[2,S]: share that shows the target, and change of the rest, at every step along vector."""
    before = trained.decode(codes, given)
    steps = [trained.decode(codes + np.float32(step) * vector, given) for step in STEPS]
    return np.array([[judge.shows(names[1], x).mean() for x in steps],
                     [judge.rest_changed(names, before, x) for x in steps]])


def _figure(trained: Trained, judge: Judge, names: tuple[str, str], codes: np.ndarray, given: Given,
            vectors: tuple[np.ndarray, np.ndarray], scores: tuple[np.ndarray, np.ndarray]) -> Figure:
    """Examples in steps along the concept and along one random direction; below, both scores of each.

    vectors: the concept's and the random one; scores: [2,S] of each, as _scores gives them.
    """
    fig, panels = figure(6.8, rows=2, columns=2, height_ratios=(1.8, 1))
    directions = (f"{names[0]} → {names[1]}", "a random direction as long")
    for panel, vector, title in zip(panels[0], vectors, directions, strict=True):
        z = codes[:EXAMPLES, None] + STEPS[:, None].astype(np.float32) * vector
        along = {key: np.repeat(values[:EXAMPLES], len(STEPS), 0) for key, values in given.items()}
        x = trained.spec.kind.tile(trained.decode(z.reshape(-1, z.shape[-1]), along))
        show_rows(panel, x.reshape(*z.shape[:2], *x.shape[1:]), fill(title, TITLE), (), [f"{step:g}" for step in STEPS],
                  xlabel="lengths of the vector added")
    what = (f"share that shows {names[1]}", judge.rest_unit(names))
    titles = (f"the target, of {len(codes)} unseen images", "the rest, which should stay")
    for i, (panel, title, ylabel) in enumerate(zip(panels[1], titles, what, strict=True)):
        if not np.isfinite(scores[0][i]).all():
            panel.remove()
            continue
        for values, label in zip(scores, ("this concept", "random direction"), strict=True):
            panel.plot(STEPS, values[i], label=label)
        panel.set(xlabel="lengths of the vector added", ylabel=fill(ylabel, 25), ylim=(0, None), title=title)
        legend_below(panel)
    return fig
