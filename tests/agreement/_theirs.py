"""The other implementations' answers to what torch_fidelity.py asks. It runs in the environment that is made for them.

Run as `python -P _theirs.py FOLDER`: -P, since the name torch_fidelity is a script's in this folder. FOLDER holds
clouds.npz, images.npz and weights.npz; it gets answers.npz and the weights as torch saves them, in both its formats.
"""
import contextlib
import io
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import torch

# torch_fidelity imports torchvision for data sets and other networks; nothing that is asked here needs it.
sys.modules |= {f"torchvision{part}": MagicMock() for part in (
    "", ".datasets", ".transforms", ".transforms.functional")}
from prdc import compute_prdc  # noqa: E402
from torch_fidelity import (  # noqa: E402
    feature_extractor_inceptionv3,
    interpolate_compat_tensorflow,
    metric_fid,
    metric_isc,
    metric_kid,
    metric_prc,
)


def main(folder: Path) -> None:
    """Writes answers.npz."""
    answers = {}
    clouds = np.load(folder / "clouds.npz")
    for case in sorted({name.partition("/")[0] for name in clouds}):
        real, fake, logits = (clouds[f"{case}/{part}"].astype(np.float64) for part in ("real", "fake", "logits"))
        answers |= {f"{case}/{name}": value for name, value in metrics(real, fake, logits).items()}
    images, net = np.load(folder / "images.npz"), network(folder)
    for name in images:
        answers |= {f"{name}/{part}": value for part, value in network_answers(net, images[name]).items()}
    found = (answers[name].astype(np.float64) for name in ("crops/features", "noisy crops/features",
                                                           "noisy crops/logits"))
    answers |= {f"crops against noisy crops/{name}": value for name, value in metrics(*found).items()}
    np.savez(folder / "answers.npz", **answers)


def metrics(real: np.ndarray, fake: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """By the names that the metrics have in gen_jax. real, fake: [N,D], [M,D]."""
    in_torch = [torch.from_numpy(x) for x in (fake, real)]  # torch-fidelity's order
    statistics = [metric_fid.fid_features_to_statistics(x) for x in in_torch]
    prc = metric_prc.prc_features_to_metric(*in_torch, prc_neighborhood=3, verbose=False)
    with contextlib.redirect_stdout(io.StringIO()):  # it prints how many there are
        prdc = compute_prdc(real, fake, 5)
    return {"FD": metric_fid.fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"],
            "KID": kernel_distance(real, fake),
            "score": metric_isc.isc_features_to_metric(torch.from_numpy(logits), splits=1)["inception_score_mean"],
            "precision": prc["precision"], "recall": prc["recall"],
            "density": prdc["density"], "coverage": prdc["coverage"]}


def kernel_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """torch-fidelity's, of one subset that is all there is; it wants as many real as fake ones.

    Of unlike numbers, the paper's unbiased estimate over all pairs, with torch-fidelity's kernel.
    """
    n, m = len(real), len(fake)
    if n == m:
        found = metric_kid.kid_features_to_metric(torch.from_numpy(fake), torch.from_numpy(real), kid_subsets=1,
                                                  kid_subset_size=n, verbose=False)
        return found["kernel_inception_distance_mean"]
    own, other, between = (metric_kid.kernel_poly(*pair) for pair in ((real, real), (fake, fake), (real, fake)))
    return ((own.sum() - np.trace(own)) / (n * (n - 1)) + (other.sum() - np.trace(other)) / (m * (m - 1))
            - 2 * between.mean())


def network(folder: Path) -> torch.nn.Module:
    """torch-fidelity's Inception with the weights of weights.npz. It writes the .pth files of what it holds."""
    weights = np.load(folder / "weights.npz")
    feature_extractor_inceptionv3.load_state_dict_from_url = lambda *_, **options: {
        name: torch.from_numpy(weights[name]) for name in weights}  # in the place of a download
    net = feature_extractor_inceptionv3.FeatureExtractorInceptionV3("random", ["2048", "logits_unbiased"])
    torch.save(net.state_dict(), folder / "zip.pth")
    torch.save(net.state_dict(), folder / "stream.pth", _use_new_zipfile_serialization=False)
    return net


def network_answers(net: torch.nn.Module, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """features [N,2048], logits [N,1008] and enlarged [N,299,299,C] of uint8 pixels [N,H,W,C]."""
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    enlarged = interpolate_compat_tensorflow.interpolate_bilinear_2d_like_tensorflow1x(
        x.float(), size=(299, 299), align_corners=False)
    features, logits = net(x.expand(-1, 3, -1, -1))
    return {"features": features.numpy(), "logits": logits.numpy(), "enlarged": enlarged.permute(0, 2, 3, 1).numpy()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
