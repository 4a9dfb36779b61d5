"""Loss curves: every term of every player, training and test, over the epochs."""
from collections.abc import Iterator

from gen_jax.evals.draw import figure
from gen_jax.evals.trained import Result, Trained

NEEDS = ()


def evaluate(trained: Trained) -> Iterator[Result]:
    """The figure "losses": one panel a term (loss, kl, recon, ..., grad_norm), one line for each player and split."""
    records = [record for record in trained.history if "epoch" in record]
    curves = [name for name in (records[-1] if records else ()) if "/" in name]
    terms = sorted({name.split("/")[1] for name in curves},
                   key=lambda term: (term.endswith("_norm"), term != "loss", term))
    if not terms:
        return
    fig, axes = figure(3.2 * len(terms), 2.8, columns=len(terms))
    for panel, term in zip(axes[0], terms, strict=True):
        for name in curves:
            if name.split("/")[1] == term:
                points = [(record["epoch"], record[name]) for record in records if name in record]
                panel.plot(*zip(*points, strict=True), label=name.split("/")[0])
        panel.set(title=term, xlabel="epoch", ylabel="" if term.endswith("_norm") else "nats per image")
        panel.legend()
    yield "losses", fig
