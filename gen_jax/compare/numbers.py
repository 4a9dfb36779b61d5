"""Which numbers of runs are compared."""
import fnmatch
from collections.abc import Sequence
from typing import NamedTuple

from gen_jax.compare.groups import Group
from gen_jax.compare.run import Run
from gen_jax.errors import UserError
from gen_jax.find import nearest
from gen_jax.report.summary import rows
from gen_jax.types import Metric

MOST = 6  # headline numbers


class Quantity(NamedTuple):
    """One number by its name, "test/kl" say, and what is declared of it."""

    number: str
    name: str  # without the split: "kl"
    metric: Metric
    of: str  # what it is measured on: "train", "test" or "samples"

    @property
    def is_main(self) -> bool:
        """Whether it is measured on what the quantity is about: no training split of it, nor the same of real data."""
        return self.of == self.metric.of and self.number != self.metric.real


def chosen(groups: Sequence[Group], asked: Sequence[str]) -> list[Quantity]:
    """The quantities that are asked for by --metrics; where none are, the headlines.

    asked: numbers by name, patterns of names, or quantities without their split. One that no run has is a UserError.
    """
    every = _every([run for group in groups for run in group.runs])
    return _asked(every, asked) if asked else _headlines(every, groups)


def shared_headlines(groups: Sequence[Group]) -> list[Quantity]:
    """The headline numbers that two groups have, or the only one, the foremost first."""
    return _one_each(_ranked(_shared(_every([run for group in groups for run in group.runs]), groups)))


def not_chosen(groups: Sequence[Group], quantities: Sequence[Quantity]) -> list[str]:
    """The lines that name headline numbers beside those that are compared."""
    compared = {(quantity.name, quantity.of) for quantity in quantities}
    others = [quantity for quantity in _one_each(_ranked(_every([run for group in groups for run in group.runs])))
              if (quantity.name, quantity.of) not in compared]
    alone = [f"{quantity.number} ({having[0]})" for quantity in others
             if len(having := _having(quantity, groups)) == 1 < len(groups)]
    more = [quantity.number for quantity in others if len(_having(quantity, groups)) > 1 or len(groups) == 1]
    lines = [f"headlines of one group alone, not compared: {', '.join(alone)}"] if alone else []
    return lines + ([f"more headlines, by --metrics: {', '.join(more)}"] if more else [])


def recorded(number: str, runs: Sequence[Run]) -> bool:
    """Whether a number was recorded during training, by each of runs that has it."""
    return all(any(record.get(number) is not None for record in run.history) for run in runs if number in run.numbers)


def _every(runs: Sequence[Run]) -> list[Quantity]:
    """Every number that a run has. Where two are of one quantity on one split, what is recorded comes first."""
    found = {}
    for run in runs:
        for number, value in run.numbers.items():
            if number not in found and not isinstance(value, str):
                [row] = rows({number: 1.0}, run.metrics)
                found[number] = Quantity(number, row.name, row.metric, *row.values)
    return sorted(found.values(), key=lambda quantity: not recorded(quantity.number, runs))


def _headlines(every: Sequence[Quantity], groups: Sequence[Group]) -> list[Quantity]:
    """Those of a rank that two groups have, or the only one; at most MOST."""
    if not (ranked := shared_headlines(groups)):
        shared = _shared(every, groups)
        raise UserError("--metrics: no two groups share a headline number; name what to compare of those that they "
                        f"share: {', '.join(quantity.number for quantity in shared) or 'none'}")
    return ranked[:MOST]


def _shared(every: Sequence[Quantity], groups: Sequence[Group]) -> list[Quantity]:
    return [quantity for quantity in every if len(_having(quantity, groups)) >= min(2, len(groups))]


def _ranked(every: Sequence[Quantity]) -> list[Quantity]:
    """The headline numbers, the foremost first."""
    ranked = [quantity for quantity in every if quantity.metric.rank and quantity.is_main]
    return sorted(ranked, key=lambda quantity: quantity.metric.rank)


def _having(quantity: Quantity, groups: Sequence[Group]) -> list[str]:
    """The names of the groups that have a number."""
    return [group.name for group in groups if any(run.numbers.get(quantity.number) is not None for run in group.runs)]


def _asked(every: Sequence[Quantity], asked: Sequence[str]) -> list[Quantity]:
    found = {text: _matching(every, text) for text in asked}
    if missing := [text for text, matching in found.items() if not matching]:
        known = sorted(quantity.number for quantity in every)
        raise UserError(f"--metrics={','.join(missing)}: no run has such a number{nearest(missing[0], known)}")
    return list(dict.fromkeys(quantity for matching in found.values() for quantity in matching))


def _matching(every: Sequence[Quantity], text: str) -> list[Quantity]:
    """The numbers that text means: of this name; else of this quantity, in any features; else a glob's."""
    return ([quantity for quantity in every if quantity.number == text]
            or _one_each([quantity for quantity in every
                          if text in (quantity.name, quantity.name.partition("[")[0]) and quantity.is_main])
            or [quantity for quantity in every if fnmatch.fnmatchcase(quantity.number, text)])


def _one_each(quantities: Sequence[Quantity]) -> list[Quantity]:
    """The first of each quantity and split."""
    first = {}
    for quantity in quantities:
        first.setdefault((quantity.name, quantity.of), quantity)
    return list(first.values())
