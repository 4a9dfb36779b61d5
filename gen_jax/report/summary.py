"""What a run has measured, in a few lines for the terminal."""
import shutil
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ml_collections import ConfigDict

from gen_jax import parts
from gen_jax.parts import metric_of, quantity_and_split
from gen_jax.types import Metric

HEADLINES = 5  # rows at most
COLUMNS = ("train", "test", "samples")  # what a number can be of

Numbers = Mapping[str, float | str | None]


class Row(NamedTuple):
    """One quantity."""

    name: str  # "kl", of "test/kl" and "kl/train"
    metric: Metric
    values: dict[str, float]  # by COLUMNS


def is_higher_better(config: ConfigDict, name: str) -> bool:
    """Whether more of a number is better: the objective of config, or an eval that it names, declares so."""
    return metric_of(quantity_and_split(name)[0], parts.metrics(config)).better == "higher"


def rows(numbers: Numbers, metrics: Mapping[str, Metric]) -> list[Row]:
    """The quantities among numbers, in their order; of two numbers for one place the later counts.

    numbers: by name, as in result.json; sentences and what is not finite are left out.
    """
    of_real = {metric.real: name for name, metric in metrics.items() if metric.real}
    found: dict[str, Row] = {}
    for name, value in numbers.items():
        if value is None or isinstance(value, str):
            continue
        quantity, split = quantity_and_split(name)
        if name in of_real:
            quantity, split = of_real[name], "test"
        metric = metric_of(quantity, metrics)
        found.setdefault(quantity, Row(quantity, metric, {})).values[split or metric.of] = value
    return list(found.values())


def headlines(numbers: Numbers, metrics: Mapping[str, Metric]) -> list[Row]:
    """The rows that a run is known by, at most HEADLINES: by rank, or where none has one those of a split."""
    every = rows(numbers, metrics)
    ranked = sorted((row for row in every if row.metric.rank), key=lambda row: row.metric.rank)
    names = (quantity_and_split(name) for name in numbers if not name.endswith("_norm"))
    of_a_split = {quantity for quantity, split in names if split}
    return (ranked or [row for row in every if row.name in of_a_split])[:HEADLINES]


def summary(config: ConfigDict, history: list[dict], numbers: Numbers, kept: int | None = None) -> list[str]:
    """The lines at the end of a run: headlines, sentences, and the best record. kept: the step of the best checkpoint.
    """
    metrics = parts.metrics(config)
    return [*table(headlines(numbers, metrics)), *sentences(numbers), *best(config, history, metrics, kept)]


def report(config: ConfigDict, numbers: Numbers, evals: Iterable[str] = ()) -> list[str]:
    """The lines of all that was just measured. evals: names of those that measured it."""
    return [*table(rows(numbers, parts.metrics(config, evals))), *sentences(numbers)]


def table(rows: list[Row]) -> list[str]:
    """The rows in aligned columns; a column that no row has is left out."""
    columns = [column for column in COLUMNS if any(column in row.values for row in rows)]
    lines = [["metric", *columns, "unit", "better"]]
    lines += [[row.name, *(_text(row.values.get(column)) for column in columns), row.metric.unit, row.metric.better]
              for row in rows]
    return aligned(lines, f"<{'>' * len(columns)}<<") if rows else []


def aligned(lines: Sequence[Sequence[str]], sides: str) -> list[str]:
    """lines of texts in columns. sides: "<" or ">" for each column."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(f"{text:{side}{width}}" for text, side, width in zip(line, sides, widths, strict=True)).rstrip()
            for line in lines]


def sentences(numbers: Numbers) -> Iterator[str]:
    """What was measured in words, as wide as the terminal."""
    for name, words in numbers.items():
        if isinstance(words, str):
            yield from textwrap.wrap(f"{name}: {words}", shutil.get_terminal_size((120, 24)).columns,
                                     subsequent_indent="  ")


def best(config: ConfigDict, history: list[dict], metrics: Mapping[str, Metric], kept: int | None = None
         ) -> Iterator[str]:
    """A line: in which record the main test metric was best. None where no record has it.

    The metric is config.checkpoint.best, else the first test metric of rank 1. kept: the step of the best checkpoint;
    the line names it where it is of another record, for not every record's state is saved.
    """
    main = [f"test/{name}" for name, metric in metrics.items() if metric.rank == 1]
    name = next((name for name in (config.checkpoint.best, *main) if any(name in record for record in history)), "")
    known = [record for record in history if record.get(name) is not None]
    if not known:
        return
    choose = max if metric_of(quantity_and_split(name)[0], metrics).better == "higher" else min
    record = choose(known, key=lambda record: record[name])
    saved = next((other for other in known if kept not in (None, record["step"]) and other["step"] == kept), None)
    unit = "epoch" if "epoch" in record else "step"
    instead = f" (not saved; the best that is saved: {unit} {saved[unit]:,}, {_text(saved[name])})" if saved else ""
    yield f"best {unit} {record[unit]:,} of {history[-1][unit]:,}: {name} {_text(record[name])}{instead}"


def _text(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
