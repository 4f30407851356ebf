"""SSIM frames per second on one core, as ratios to the libraries a user would otherwise call, in the same run.

python benchmarks/ssim.py
"""

import importlib
import time
from collections.abc import Callable

import numpy as np
import torch
from skimage.metrics import structural_similarity

from whatmoves.evaluation.ssim import GAUSS11, UNIFORM7, ssim

FRAMES, SIZE = 600, 64


def frames_per_second(call: Callable[[], object]) -> float:
    """Best of three runs over all frames, after one to warm up."""
    call()
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return FRAMES / best


def main() -> None:
    """Print the speeds and ratios."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    truth = np.clip(rng.normal(0, 0.4, (FRAMES, 1, SIZE, SIZE)), 0, 1).astype(np.float32)
    other = np.clip(truth + rng.normal(0, 0.1, truth.shape), 0, 1).astype(np.float32)
    x, y = torch.from_numpy(truth), torch.from_numpy(other)
    gaussian = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}

    def loop(**options: object) -> list[float]:
        return [structural_similarity(a[0], b[0], **options) for a, b in zip(truth, other, strict=True)]

    ours = {"gauss11": frames_per_second(lambda: ssim(x, y, GAUSS11))}
    ours["u7"] = frames_per_second(lambda: ssim(x, y, UNIFORM7))
    ours["u7, both data ranges"] = frames_per_second(lambda: ssim(x, y, UNIFORM7, (1.0, 2.0)))
    rivals: dict[str, tuple[str, Callable[[], object]]] = {
        "scikit-image gaussian 11": ("gauss11", lambda: loop(**gaussian)),
        "scikit-image uniform 7": ("u7", lambda: loop(data_range=1)),
        "scikit-image uniform 7, both data ranges": (
            "u7, both data ranges",
            lambda: (loop(data_range=1), loop(data_range=2)),
        ),
    }
    for name, module in (("torchmetrics", "torchmetrics.functional.image"), ("pytorch-msssim", "pytorch_msssim")):
        try:
            library = importlib.import_module(module)
        except (ImportError, RuntimeError) as error:  # a torchvision that does not fit raises RuntimeError
            print(f"{name}: left out, cannot be imported ({error})")
            continue
        if name == "torchmetrics":
            compare = library.structural_similarity_index_measure
            rivals["torchmetrics"] = ("gauss11", lambda compare=compare: compare(x, y, data_range=1.0))
        else:
            rivals["pytorch-msssim"] = ("gauss11", lambda compare=library.ssim: compare(x, y, data_range=1.0))
    for name, speed in ours.items():
        print(f"whatmoves {name}: {speed:,.0f} frames/s of {SIZE}×{SIZE}")
    for name, (window, call) in rivals.items():
        speed = frames_per_second(call)
        print(f"{name}: {speed:,.0f} frames/s; whatmoves {window} is {ours[window] / speed:.1f}× as fast")


if __name__ == "__main__":
    main()
