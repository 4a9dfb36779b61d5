"""CSV: a row for each group and number, for each two groups, and for each run, with all digits."""
import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from gen_jax.compare.comparison import Comparison

PAIRS = ("metric", "a", "b", "difference", "ci95_low", "ci95_high", "n_a", "n_b", "paired", "left_over", "test", "p",
         "least_p", "p_holm", "verdict")  # of comparison_pairs.csv, which may have no rows


def files(comparison: Comparison) -> dict[str, str]:
    """comparison.csv (groups), comparison_pairs.csv, comparison_runs.csv: from the last, all can be computed again."""
    return {"comparison.csv": _text(_groups(comparison)), "comparison_pairs.csv": _text(_pairs(comparison), PAIRS),
            "comparison_runs.csv": _text(_runs(comparison))}


def _groups(comparison: Comparison) -> Iterator[dict]:
    for row in comparison.rows:
        for name, cell in row.cells.items():
            low, high = cell.interval or (None, None)
            steps = [value.best_step for value in cell.values]
            yield {"metric": row.quantity.number, "unit": row.quantity.metric.unit,
                   "better": row.quantity.metric.better, "group": name, "n": len(cell.values),
                   "seeds": " ".join(map(str, cell.seeds)), "mean": cell.mean, "std": cell.std, "ci95_low": low,
                   "ci95_high": high, "lost_seeds": " ".join(map(str, cell.lost)), "best_mean": cell.best_mean,
                   "best_std": cell.best_std, "best_steps": None if cell.bests is None else " ".join(map(str, steps)),
                   "fallen": sum(value.has_fallen for value in cell.values), "told_apart_best": row.winner == name}


def _pairs(comparison: Comparison) -> Iterator[dict]:
    for row in comparison.rows:
        for pair in row.pairs:
            values = (row.quantity.number, pair.a, pair.b, pair.difference, *(pair.interval or (None, None)),
                      *pair.seeds, pair.is_paired, pair.left_over, pair.test, pair.p, pair.least, pair.adjusted,
                      pair.verdict)
            yield dict(zip(PAIRS, values, strict=True))


def _runs(comparison: Comparison) -> Iterator[dict]:
    for row in comparison.rows:
        for name, cell in row.cells.items():
            for value in cell.values:
                yield {"metric": row.quantity.number, "group": name, "seed": value.run.seed, "step": value.run.step,
                       "final": value.final, "best": value.best, "best_step": value.best_step,
                       "times_best": value.times_best, "folder": value.run.folder, "state_sha256": value.run.state}


def _text(rows: Iterable[dict], header: Sequence[str] = ()) -> str:
    """The rows under a header: their keys, where none is given."""
    rows, buffer = list(rows), io.StringIO()
    writer = csv.DictWriter(buffer, header or [*rows[0]], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
