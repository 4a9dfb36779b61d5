"""ELBO, reconstruction and KL of both splits with the final state."""
from collections.abc import Iterator

from gen_jax.evals.trained import Result, Trained
from gen_jax.training.validate import make_validate

NEEDS = ("posterior",)


def evaluate(trained: Trained) -> Iterator[Result]:
    """elbo/<split> = -(recon/<split> + kl/<split>), in nats per image, on all images, one sample of z each.

    Unlike the loss logged in training, which is a mean while the parameters move, both splits see the same state.
    """
    validate = make_validate(trained.objective, trained.hp.batch_size)
    for split, source in (("train", trained.train), ("test", trained.test)):
        means = validate(trained.params, trained.stats, source, trained.key("elbo"))
        yield f"elbo/{split}", -(means["recon"] + means["kl"])
        yield f"recon/{split}", means["recon"]
        yield f"kl/{split}", means["kl"]
