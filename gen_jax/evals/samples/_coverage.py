"""Which of some modes, or classes, samples cover, and how evenly: of how many samples there are in each."""
import numpy as np


def covered(counts: np.ndarray) -> int:
    """How many modes have a sample. counts: samples by mode, [K]."""
    return int(np.count_nonzero(counts))


def reverse_kl(counts: np.ndarray, reference: np.ndarray | None = None) -> float:
    """KL of the samples' distribution over the modes from a reference, in nats.

    It is inf where samples are in a mode that the reference does not have.

    Of N samples that are distributed as the reference is, it is (K - 1) / 2N on average, and not 0.

    Args:
      counts: samples by mode, [K].
      reference: of the modes, [K], counts or shares; None: all modes alike.
    """
    share = counts / counts.sum()
    wanted = np.full(len(counts), 1 / len(counts)) if reference is None else reference / reference.sum()
    positive = share > 0
    with np.errstate(divide="ignore"):
        return float((share[positive] * np.log(share[positive] / wanted[positive])).sum())
