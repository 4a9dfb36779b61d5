"""A comparison in numbers as people write them, and in sentences."""
import math
from collections.abc import Iterable, Iterator

from gen_jax.compare import statistics
from gen_jax.compare.comparison import APART, NOT_SEEN, SIGN_FLIPS, TOO_FEW, Cell, Comparison, Pair, Row, Value
from gen_jax.compare.statistics import ROUNDING, Interval

DIGITS = 4  # of a number without a spread
SPREAD_DIGITS = 2  # of a spread; its number has as many decimals
MOST_DECIMALS, LARGEST = 6, 1e9  # beyond which a number has an exponent
MOST_OTHERS = 3  # groups that a headline names; of more, it says how many they are
MOST_FALLEN = 3  # seeds, of each of which it is said how far it fell
SPREADS = ("± is the standard deviation over training seeds (n - 1). Intervals are bootstrap intervals of the mean "
           "over training seeds (expanded percentiles for 95%, arXiv:1411.5279).")
TESTS = (
    f"Two groups are told apart where p is at most {statistics.ALPHA} and the interval of their difference does not "
    "hold 0. Where two groups share most of their seeds, the difference and its interval are taken seed by seed, of "
    f"these alone. From {statistics.SIGNED} such pairs on, p is of their signs; else it is of a permutation of the "
    "groups' members: that is cautious where a seed does the same to both groups, and too bold where it does the "
    "opposite, which the interval then shows. Tests are exact, or drawn where seeds are many. Every p in these texts "
    "is corrected after Holm for the comparisons of all pairs of groups, for each number by itself: of many numbers, "
    "one may differ by chance.")
BESTS = "'best' is of each run's records, chosen by the number itself: it flatters, the final value does not."


def number(value: float, spread: float | None = None) -> str:
    """A value with as many decimals as its spread deserves; without one, with DIGITS digits."""
    spread = _seen(spread, value)
    size = spread or value
    decimals = (SPREAD_DIGITS if spread else DIGITS) - 1 - math.floor(math.log10(abs(size))) if size else 0
    if decimals > MOST_DECIMALS or abs(value) >= LARGEST:
        return f"{value:.{SPREAD_DIGITS}e}"
    is_whole = not spread and value == round(value)
    return f"{value:z,.{0 if is_whole else max(decimals, 0)}f}"  # z: no -0.00


def plus_minus(mean: float, std: float | None) -> str:
    """A mean and its standard deviation: "3.4 ± 2.0"; of one value, that alone."""
    if std is None:
        return number(mean)
    std = _seen(std, mean)
    return f"{number(mean, std)} ± {number(std, std)}"


def _seen(spread: float | None, value: float) -> float | None:
    """A spread; 0 where it is but the rounding of values that are equal."""
    return 0.0 if spread is not None and spread < ROUNDING * abs(value) else spread


def bracketed(interval: Interval | None, spread: float | None = None) -> str:
    """An interval: "[1.1, 5.5]"; "" where there is none."""
    if interval is None:
        return ""
    low, high = (number(end, spread or abs(interval[1] - interval[0])) for end in interval)
    return f"[{low}, {high}]"


def interval_name(cells: Iterable[Cell]) -> str:
    """What to call the intervals of cells: by how often the one of the fewest seeds holds the mean, at most."""
    share = min([statistics.LEVEL, *(statistics.held(len(cell.values)) for cell in cells if len(cell.values) > 1)])
    return f"{share:.0%} interval"


def seeds(n: int, lost: int) -> str:
    """How many seeds count: "4 of 5" where others are lost."""
    return f"{n} of {n + lost}" if lost else f"{n}"


def best(cell: Cell) -> str:
    """The mean of the seeds' best values, and its standard deviation."""
    return "" if cell.best_mean is None else plus_minus(cell.best_mean, cell.best_std)


def best_steps(cell: Cell) -> str:
    """The steps of the best values, from the first to the last."""
    if cell.bests is None:
        return ""
    steps = [value.best_step for value in cell.values]
    return f"{min(steps):,}" if min(steps) == max(steps) else f"{min(steps):,} to {max(steps):,}"


def about(row: Row) -> str:
    """What a number is: "nats per example, lower is better"."""
    metric = row.quantity.metric
    parts = [metric.unit, f"{metric.better} is better" if metric.better else "neither way is better"]
    return ", ".join(part for part in parts if part)


def sentences(row: Row) -> Iterator[str]:
    """What is to be said of a number: the best group of several first, then differences and falls."""
    several = len(row.pairs) > 1
    if several and not any(pair.difference for pair in row.pairs):
        yield "the means of all groups are equal"
    elif several and all(len(row.pairs) * pair.least > statistics.ALPHA for pair in row.pairs):
        lead = f"{_lead(row)}; " if row.sign else ""
        yield f"{lead}{TOO_FEW} which groups differ ({_too_few(row.pairs[0], len(row.pairs))})"
    else:
        if several:
            yield headline(row) if row.sign else _how_many(row)
        yield from _differences(row)
    for cell in row.cells.values():
        if line := fall(cell, row.sign):
            yield line


def headline(row: Row) -> str:
    """The best of several groups, and which of the others it is told apart from."""
    ahead = [pair for pair in row.firsts.values() if row.is_ahead(pair)]
    if len(ahead) < len(row.firsts):
        return f"{_lead(row)}; {'; '.join(_standings(row))}"
    worst = max(ahead, key=lambda pair: pair.adjusted)
    best = "highest" if row.sign > 0 else "lowest"
    lost = "" if row.winner else "; it has lost seeds, and is not marked as the best"
    return (f"{row.first} is the {best}, told apart from each of the other {len(ahead)} "
            f"(p = {worst.adjusted:.2g} at most, {_corrected(len(row.pairs))}){lost}")


def _how_many(row: Row) -> str:
    """How many pairs are told apart of a number that has no best group."""
    apart, of = sum(pair.verdict == APART for pair in row.pairs), len(row.pairs)
    return f"{apart if apart < of else 'all'} of the {of} pairs of groups are told apart"


def _lead(row: Row) -> str:
    return f"{row.first} has the {'highest' if row.sign > 0 else 'lowest'} mean"


def _standings(row: Row) -> Iterator[str]:
    """How the first group stands to the others, where it is not told apart from each of them."""
    of: dict[str, list[str]] = {}
    for other, pair in row.firsts.items():
        of.setdefault(_standing(row, pair), []).append(other)
    for standing, others in sorted(of.items(), reverse=True):
        yield standing.format(", ".join(others) if len(others) <= MOST_OTHERS else f"{len(others)} others")


def _standing(row: Row, pair: Pair) -> str:
    if row.is_ahead(pair):
        return "told apart from {}"
    if pair.verdict == APART:
        return "behind {} by the seeds that both have"
    return f"not told apart from {{}} ({verdict(pair)})"


def _differences(row: Row) -> Iterator[str]:
    for pair in row.shown_pairs:
        yield difference(pair, len(row.pairs))
    if len(row.shown_pairs) < len(row.pairs):
        yield f"(of {len(row.pairs)} pairs of groups, those with {row.first}; the others are in comparison_pairs.csv)"


def difference(pair: Pair, num_pairs: int) -> str:
    """The verdict on two groups."""
    by = f"{amount(pair, abs(pair.difference))} {_turned(pair)}".rstrip()
    which = "lower" if pair.difference < 0 else "higher"
    if pair.verdict == APART:
        return f"{pair.a} is {which} than {pair.b} by {by}, {_seeds(pair)}, {_p(pair, num_pairs)}"
    seen = f"{pair.a} is {which} by {by}" if pair.difference else "their means are equal"
    if pair.verdict == NOT_SEEN:
        return f"{pair.a} and {pair.b}: {verdict(pair)}: {seen}, {_seeds(pair)}, {_p(pair, num_pairs)}"
    return f"{pair.a} and {pair.b}: {TOO_FEW} ({_too_few(pair, num_pairs)}): {seen}"


def verdict(pair: Pair) -> str:
    """A pair's verdict, with the reason where p alone would have it otherwise."""
    return f"{pair.verdict}, for the interval holds 0" if pair.is_doubted else pair.verdict


def _too_few(pair: Pair, num_pairs: int) -> str:
    """Why a pair's seeds are too few, and how many would be enough."""
    if num_pairs * pair.least > statistics.ALPHA:
        over = f", {_corrected(num_pairs)}" if num_pairs > 1 else ""
        return (f"{_seeds(pair)}: p {_test(pair)} cannot be less than {min(1, num_pairs * pair.least):.2g}{over}; "
                f"{_needed(pair, num_pairs)}")
    if pair.interval is None:
        return f"{_seeds(pair)}: one seed has no interval; {_needed(pair, num_pairs)}"
    return (f"{_seeds(pair)}, {_p(pair, num_pairs)}; the interval of their differences excludes 0, and the signs of "
            f"{statistics.pairs_needed(num_pairs)} could tell")


def _needed(pair: Pair, num_pairs: int) -> str:
    return f"{statistics.seeds_needed(num_pairs, min(pair.seeds), pair.is_paired)} in each could tell"


def amount(pair: Pair, difference: float) -> str:
    """A pair's difference, with as many decimals as its interval has."""
    return number(difference, pair.interval[1] - pair.interval[0] if pair.interval else None)


def _turned(pair: Pair) -> str:
    """The interval of the difference as the sentence has it, which is never negative."""
    if pair.interval is None:
        return ""
    low, high = pair.interval
    return bracketed((-high, -low) if pair.difference < 0 else (low, high))


def _seeds(pair: Pair) -> str:
    n, m = pair.seeds
    if n != m:
        return f"{n} and {m} seeds"
    if n == 1:
        return "one seed each"
    if not pair.is_paired:
        return f"{n} seeds each"
    return f"{n} paired seeds" + (f" ({pair.left_over} without a pair left over)" if pair.left_over else "")


def _p(pair: Pair, num_pairs: int) -> str:
    corrected = f", {_corrected(num_pairs)}" if num_pairs > 1 else ""
    return f"p = {pair.adjusted:.2g} {_test(pair)}{corrected}"


def _test(pair: Pair) -> str:
    """What gave p: "by signs of 8 pairs", "by permutation of 5 and 5 seeds"."""
    n, m = pair.seeds
    return f"by signs of {n} pairs" if pair.test == SIGN_FLIPS else f"by permutation of {n} and {m} seeds"


def _corrected(num_pairs: int) -> str:
    return f"corrected for {num_pairs} comparisons"


def fall(cell: Cell, sign: int) -> str:
    """The sentence on runs of a group that ended worse than they were; "" of none. sign: that of Row.

    How far each fell is said of at most MOST_FALLEN; of more, only the worst one is named.
    """
    fallen = [value for value in cell.values if value.has_fallen]
    if not fallen:
        return ""
    if len(cell.values) == 1:
        return f"{cell.group.name}: {_fell(fallen[0], sign)}"
    worst = max(fallen, key=lambda value: abs(value.final - value.best) / (abs(value.best) or 1e-30))
    shown = fallen if len(fallen) <= MOST_FALLEN else [worst]
    return (f"{cell.group.name}: {len(fallen)} of {len(cell.values)} seeds ended worse than their best; "
            + ", ".join(f"seed {value.run.seed} {_fell(value, sign)}" for value in shown))


def _fell(value: Value, sign: int) -> str:
    verb, side = ("fell", "below") if sign > 0 else ("rose", "above")
    at = f"{number(value.best)} at step {value.best_step:,}"
    if value.times_best is None:
        return f"ended {number(abs(value.final - value.best))} {side} its best ({at})"
    return f"{verb} to {value.times_best:.2f} times its best ({at})"


def methods(comparison: Comparison) -> list[str]:
    """How to read the numbers."""
    cells = [cell for row in comparison.rows for cell in row.cells.values()]
    several = [len(cell.values) for cell in cells if len(cell.values) > 1]
    lines = [SPREADS] if several else []
    if several and any(row.pairs for row in comparison.rows):
        lines.append(TESTS)
    if any(cell.bests is not None for cell in cells):
        lines.append(BESTS)
    if several and statistics.held(few := min(several)) < statistics.LEVEL:
        lines.append(f"No bootstrap interval reaches beyond the seeds' own values: {few} values have the mean of a "
                     f"symmetric distribution between them in {statistics.held(few):.0%} of cases, and intervals are "
                     "named by that.")
    if len(several) < len(cells):
        lines.append("One seed has no spread and no interval.")
    return lines
