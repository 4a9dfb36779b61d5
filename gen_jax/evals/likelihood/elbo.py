"""The negative ELBO, reconstruction and KL of both splits with the final state."""
from collections.abc import Iterator

from gen_jax.evals import Number, Result, Trained
from gen_jax.keys import stream
from gen_jax.training.validate import make_validate
from gen_jax.types import Metric

NEEDS = ("measure:recon", "measure:kl")
METRICS = {"neg_elbo": Metric("nats per example", "lower", rank=1, depends=("likelihood",))}


def evaluate(trained: Trained) -> Iterator[Result]:
    """neg_elbo/<split> = recon/<split> + kl/<split>, in nats per example, on all examples, one sample of z each.

    Unlike the loss logged in training, which is a mean while the parameters move, both splits see the same state. The
    noise is that of the records of training, so that the test split has the same digits there.
    """
    for split, source in (("train", trained.train), ("test", trained.test)):
        validate = make_validate(trained.objective, source, trained.hp.batch_size, trained.config.train.on_device_gb)
        means = validate(trained.vars, stream(trained.config.seed, "validate"))
        for name, mean in (("neg_elbo", means["recon"] + means["kl"]), ("recon", means["recon"]), ("kl", means["kl"])):
            yield f"{name}/{split}", Number(mean, {"real": len(source.x), "real_split": split})
