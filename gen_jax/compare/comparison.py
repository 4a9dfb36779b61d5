"""Groups of runs compared: what each number is over the seeds, and which groups differ in it."""
import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gen_jax.compare import statistics
from gen_jax.compare.groups import Group, differences, grouped
from gen_jax.compare.numbers import Quantity, chosen, not_chosen, shared_headlines
from gen_jax.compare.protocols import data_refusal, launch_notes, notes, recorded_alike, refusal
from gen_jax.compare.run import Lost, Run, read
from gen_jax.compare.workdirs import is_workdir
from gen_jax.errors import UserError

APART, TOO_FEW, NOT_SEEN = "told apart", "not enough seeds to tell", "no difference seen"  # verdicts
SIGN_FLIPS, PERMUTATION = "sign flips", "permutation"  # tests
MOST_SHOWN = 6  # pairs in a text: those of four groups
SHARED = 0.75  # of the seeds of each of two groups, from which on they are paired
WORSE = 0.05  # of the best value: a final one that is worse by more has fallen,
SMALL = 0.01  # if that is more than so much of the curve's range, for of a best value near to 0 anything is much
EARLY = 0.1  # of a curve's records, the first ones, which its range is taken without


class Value(NamedTuple):
    """One number of one run."""

    run: Run
    final: float
    curve: tuple[tuple[int, float], ...]  # (step, value) of the records that have it
    best: float | None  # of the curve and the final value; None without a curve, or where no value is better
    best_step: int | None

    @property
    def has_fallen(self) -> bool:
        """Whether the final value is worse than the best by more than WORSE of it, and SMALL of the curve's range."""
        if self.best is None:
            return False
        later = [self.best, self.final, *(value for _, value in self.curve[int(EARLY * len(self.curve)):])]
        return abs(self.final - self.best) > max(WORSE * abs(self.best), SMALL * (max(later) - min(later)))

    @property
    def times_best(self) -> float | None:
        """The final value in multiples of the best; None where that says nothing, since one is not above 0."""
        return self.final / self.best if self.best is not None and min(self.best, self.final) > 0 else None


class Cell(NamedTuple):
    """One number of one group."""

    group: Group
    values: tuple[Value, ...]  # by seed; not empty
    lost: tuple[int, ...]  # the group's other seeds: their runs have not ended, or no finite number was measured

    @property
    def finals(self) -> np.ndarray:
        return np.array([value.final for value in self.values])

    @property
    def bests(self) -> np.ndarray | None:
        """The best values; None where they are not known of all."""
        bests = [value.best for value in self.values]
        return None if None in bests else np.array(bests)

    @property
    def best_mean(self) -> float | None:
        return None if self.bests is None else float(self.bests.mean())

    @property
    def best_std(self) -> float | None:
        return None if self.bests is None or len(self.bests) < 2 else float(self.bests.std(ddof=1))

    @property
    def mean(self) -> float:
        return float(self.finals.mean())

    @property
    def std(self) -> float | None:
        """The standard deviation over the seeds (n - 1); None of one."""
        return float(self.finals.std(ddof=1)) if len(self.values) > 1 else None

    @property
    def interval(self) -> statistics.Interval | None:
        return statistics.mean_interval(self.finals)

    @property
    def seeds(self) -> list[int]:
        return [value.run.seed for value in self.values]


class Pair(NamedTuple):
    """Two groups' difference in one number."""

    a: str  # names of the groups
    b: str
    difference: float  # mean of a - mean of b, over the seeds that count
    interval: statistics.Interval | None
    seeds: tuple[int, int]  # in each, of those that count
    is_paired: bool  # only the seeds of both count
    left_over: int  # seeds of one group alone, which do not count for paired ones
    test: str
    p: float
    least: float  # the smallest p that these seeds could give
    adjusted: float  # p after Holm's correction for all pairs of groups
    verdict: str

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval of the difference does not hold 0."""
        return self.interval is not None and self.interval[0] * self.interval[1] > 0

    @property
    def is_doubted(self) -> bool:
        """Whether p alone would tell the groups apart, and the interval does not, which holds 0."""
        return self.verdict == NOT_SEEN and self.adjusted <= statistics.ALPHA

    @property
    def lacks_pairs(self) -> bool:
        """Whether the differences of pairs exclude 0, and are too few for a test of their signs."""
        return self.is_paired and self.excludes_zero and self.test == PERMUTATION


class Row(NamedTuple):
    """One number over all groups."""

    quantity: Quantity
    cells: dict[str, Cell]  # by the group's name; groups without it are left out
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]

    @property
    def sign(self) -> int:
        """1 where higher is better, -1 where lower is, 0 where neither."""
        return {"higher": 1, "lower": -1}.get(self.quantity.metric.better, 0)

    @property
    def first(self) -> str:
        """The group with the best mean; without a direction, the first one."""
        return max(self.cells.values(), key=lambda cell: self.sign * cell.mean).group.name

    @property
    def firsts(self) -> dict[str, Pair]:
        """The pairs of the first group, by the name of the other."""
        return {pair.b if pair.a == self.first else pair.a: pair for pair in self.pairs if self.first in pair[:2]}

    @property
    def winner(self) -> str | None:
        """The best group, where it is told apart from every other, and has lost no seed."""
        apart = self.firsts and all(map(self.is_ahead, self.firsts.values()))
        return self.first if apart and not self.cells[self.first].lost else None

    def is_ahead(self, pair: Pair) -> bool:
        """Whether the first group is told apart as the better one of a pair, whose seeds may be fewer."""
        better = pair.difference * self.sign * (1 if pair.a == self.first else -1)
        return pair.verdict == APART and better > 0

    @property
    def shown_pairs(self) -> list[Pair]:
        """The pairs that a text has: all, if they are at most MOST_SHOWN, else those with the best or the first group.
        """
        return [pair for pair in self.pairs if len(self.pairs) <= MOST_SHOWN or self.first in (pair.a, pair.b)]


class Comparison(NamedTuple):
    """All that is compared."""

    groups: tuple[Group, ...]
    lost: tuple[Group, ...]  # those of which no run has ended
    rows: tuple[Row, ...]
    refused: tuple[str, ...]  # a line for each number whose protocols differ
    left_out: tuple[str, ...]  # a line for each run that is, and one for those that have not begun
    beside: tuple[str, ...]  # lines on what else there is: seeds that are lost, settings, code and numbers that differ

    @property
    def notes(self) -> list[str]:
        """What a reader must know of numbers, with the names of these where it is not of all."""
        numbers: dict[str, list[str]] = {}
        for row in self.rows:
            for note in row.notes:
                numbers.setdefault(note, []).append(row.quantity.number)
        return [note if len(of) == len(self.rows) else f"{', '.join(of)}: {note}" for note, of in numbers.items()]

    @property
    def remarks(self) -> list[str]:
        """What stands beside all tables: refusals, runs that are left out, notes."""
        return [*self.refused, *self.left_out, *self.beside, *(f"note: {note}" for note in self.notes)]


def compared(folders: Sequence[Path], asked: Sequence[str] = ()) -> Comparison:
    """The comparison of the runs in folders.

    asked: names of numbers; of none, the headlines that the runs share. Where nothing is left to compare, it is a
    UserError with the reasons.
    """
    runs, left_out = _read(folders)
    if not any(isinstance(run, Run) for run in runs):
        raise UserError("--workdirs: none of the runs there has ended", *left_out)
    every, twice = grouped(runs)
    groups = [group for group in every if group.runs]
    quantities = chosen(groups, asked)
    refused = {quantity: line for quantity in quantities if (line := refusal(quantity.number, groups))}
    rows = [_row(quantity, groups) for quantity in quantities if quantity not in refused]
    rows = [row for row in rows if row.cells]
    if not rows:
        nothing = ["--metrics: no run has a finite value of what is to be compared"]
        of_data = [line] if (line := data_refusal(groups)) else []
        raise UserError(*(of_data or refused.values() or nothing), *_instead(groups, quantities))
    beside = [*map(_survivors, every), differences(groups), *launch_notes(groups),
              *(not_chosen(groups, quantities) if not asked else [])]
    return Comparison(tuple(groups), tuple(group for group in every if not group.runs), tuple(rows),
                      tuple(refused.values()), (*left_out, *twice), tuple(filter(None, beside)))


def _instead(groups: Sequence[Group], quantities: Sequence[Quantity]) -> list[str]:
    """The line that names the headlines which can be compared, other than those that could not."""
    others = [quantity.number for quantity in shared_headlines(groups)
              if quantity not in quantities and not refusal(quantity.number, groups)]
    return [f"these can be compared: --metrics={','.join(others)}"] if others else []


def _read(folders: Sequence[Path]) -> tuple[list[Run | Lost], list[str]]:
    """(the runs, a line for each that is left out, and one for all that have not begun)."""
    runs, lines, begun = [], [], [folder for folder in folders if is_workdir(folder)]
    for folder in begun:
        try:
            runs.append(read(folder))
        except UserError as error:
            lines += [f"left out: {fault}" for fault in error.faults]
    lines += [run.line for run in runs if isinstance(run, Lost)]
    if waiting := [str(folder) for folder in folders if folder not in begun]:
        what = "1 run has" if len(waiting) == 1 else f"{len(waiting)} runs have"
        lines.append(f"left out: {what} not begun: {', '.join(waiting[:2])}{', ...' * (len(waiting) > 2)}")
    return runs, lines


def _survivors(group: Group) -> str:
    """The line for a group that has lost seeds; "" for another."""
    if not group.lost:
        return ""
    flattered = "; if the others failed, its numbers flatter it: it is not marked as the best" if group.runs else ""
    return f"{group.name}: {len(group.runs)} of {len(group.runs) + len(group.lost)} seeds have ended{flattered}"


def _row(quantity: Quantity, groups: Sequence[Group]) -> Row:
    cells, said = {}, list(notes(quantity.number, groups))
    for group in groups:
        having = [run for run in group.runs if quantity.number in run.numbers]
        finite = [run for run in having if _is_finite(run.numbers[quantity.number])]
        if lost := [str(run.seed) for run in having if run not in finite]:
            said.append(f"{group.name}: not finite and left out: seed {', '.join(lost)}; the others look better than "
                        "the group is")
        if missing := [str(run.seed) for run in group.runs if run not in having] if having else []:
            said.append(f"{group.name}: not measured: seed {', '.join(missing)}")
        if finite:
            lost = sorted([*group.lost, *(run.seed for run in group.runs if run not in finite)])
            cells[group.name] = Cell(group, tuple(_value(run, quantity) for run in finite), tuple(lost))
    return Row(quantity, cells, _pairs(list(cells.values())), tuple(said))


def _is_finite(value) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _value(run: Run, quantity: Quantity) -> Value:
    final, better = float(run.numbers[quantity.number]), quantity.metric.better
    records = run.history if recorded_alike(quantity.number, run) else []
    curve = tuple((record["step"], float(record[quantity.number])) for record in records
                  if _is_finite(record.get(quantity.number)))
    if not curve or not better:
        return Value(run, final, curve, None, None)
    choose = max if better == "higher" else min
    step, best = choose((*curve, (run.step, final)), key=lambda point: point[1])
    return Value(run, final, curve, best, step)


def _pairs(cells: Sequence[Cell]) -> tuple[Pair, ...]:
    """Every two groups, tested; p-values are corrected for how many they are."""
    both = list(itertools.combinations(cells, 2))
    pairs = [_pair(a, b) for a, b in both]
    adjusted = statistics.holm([pair.p for pair in pairs])
    attainable = statistics.holm([pair.least for pair in pairs])
    return tuple(pair._replace(adjusted=p, verdict=_verdict(pair, p, least))
                 for pair, p, least in zip(pairs, adjusted, attainable, strict=True))


def _verdict(pair: Pair, adjusted: float, attainable: float) -> str:
    """attainable: the smallest that `adjusted` could be with these seeds.

    Groups are told apart by p and interval together: the one may be of members, the other of pairs. Where the
    differences of pairs exclude 0, and are too few for a test of their signs, more seeds are wanted as well.
    """
    if adjusted <= statistics.ALPHA and pair.excludes_zero:
        return APART
    if attainable > statistics.ALPHA or pair.interval is None or pair.lacks_pairs:
        return TOO_FEW
    return NOT_SEEN


def _pair(a: Cell, b: Cell) -> Pair:
    """Runs of the same seeds are paired: their interval is that of the differences.

    They are where each group shares at least SHARED of its seeds with the other; its other seeds do not count then.

    Signs of few differences tell little: 5 of them give no less than p = 0.06, and 6 no less than 0.03 before it is
    corrected. Below SIGNED pairs the groups' members are permuted, as those of groups that share no seeds. That is
    exact where a seed does nothing of its own, cautious where it does the same to both groups, and too bold where it
    does the opposite. How many seeds the two share decides on the test, not what was measured, nor other groups.
    """
    shared = {*a.seeds} & {*b.seeds}
    is_paired = len(shared) >= SHARED * max(len(a.values), len(b.values))
    x, y = (_finals(a, shared), _finals(b, shared)) if is_paired else (a.finals, b.finals)
    interval = statistics.mean_interval(x - y) if is_paired else statistics.difference_interval(x, y)
    if is_paired and len(x) >= statistics.SIGNED:
        test, p, least = SIGN_FLIPS, statistics.sign_flips(x - y), statistics.least_of_sign_flips(len(x))
    else:
        test, p, least = PERMUTATION, statistics.permutation(x, y), statistics.least_of_permutation(len(x), len(y))
    left_over = len(a.values) + len(b.values) - len(x) - len(y)
    return Pair(a.group.name, b.group.name, float(x.mean() - y.mean()), interval, (len(x), len(y)), is_paired,
                left_over, test, p, least, p, NOT_SEEN)


def _finals(cell: Cell, seeds: set[int]) -> np.ndarray:
    """The final values of some seeds, by seed."""
    return np.array([value.final for value in cell.values if value.run.seed in seeds])

