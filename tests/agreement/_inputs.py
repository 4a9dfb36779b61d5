"""What two implementations are given: weights for the network of the original FID as before training, and images."""
import numpy as np
from sklearn.datasets import load_digits, load_sample_images

from gen_jax.judges.features import _inception_net


def random_weights(seed: int) -> dict[str, np.ndarray]:
    """Arrays with the names and shapes of a file of weights; layers keep about the variance of what they get."""
    random = np.random.RandomState(seed)
    draw = {
        "conv.weight": lambda shape: random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape),
        "bn.weight": lambda shape: random.uniform(0.5, 1.5, shape),
        "bn.bias": lambda shape: random.normal(0, 0.2, shape),
        "bn.running_mean": lambda shape: random.normal(0, 0.2, shape),
        "bn.running_var": lambda shape: random.uniform(0.5, 1.5, shape),
        "fc.weight": lambda shape: random.normal(0, 0.02, shape),
        "fc.bias": lambda shape: random.normal(0, 1, shape),
    }
    return {name: next(draw[end](shape) for end in draw if name.endswith(end)).astype(np.float32)
            for name, shape in _inception_net.shapes().items()}


def images() -> dict[str, np.ndarray]:
    """uint8 [N,H,W,C] by what they are: grey and coloured, smaller and larger than what the network sees."""
    photos = np.stack(load_sample_images().images)  # [2,427,640,3]
    return {"noise 32x32": np.random.RandomState(0).randint(0, 256, (3, 32, 32, 3), np.uint8),
            "digits 8x8, grey": np.round(load_digits().images[:3, ..., None] * (255 / 16)).astype(np.uint8),
            "photos 64x64": photos[:, 100:356:4, 200:456:4],
            "photos 427x640": photos}


def crops() -> dict[str, np.ndarray]:
    """uint8 [40,32,32,3] of photos, and others of the same with noise: two sets to compare."""
    photos = np.stack(load_sample_images().images)[:, :320, :640].reshape(2, 10, 32, 20, 32, 3)
    parts = photos.transpose(0, 1, 3, 2, 4, 5).reshape(-1, 32, 32, 3)
    noise = np.random.RandomState(1).normal(0, 20, (40, 32, 32, 3))
    return {"crops": parts[::10], "noisy crops": np.clip(parts[5::10] + noise, 0, 255).astype(np.uint8)}
