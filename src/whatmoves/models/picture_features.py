"""Fixed networks whose features pictures can be compared by: a trained digit judge's, or random ones.

Nothing is downloaded, and neither network ever learns from the model that it is used on.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

from whatmoves.errors import CheckpointError

SEED = 0
RANDOM_WIDTHS = (16, 32, 64)
JUDGED_DIGIT_PX = 14  # judges see frames shrunk until digits are about this large


class PictureFeatures(nn.Module):
    """Pictures `[N, C, H, W]` → maps `[N, D, h, w]` after every ReLU of a fixed network, in evaluation mode.

    `shrink`: the picture is first averaged over squares of so many pixels; `grey`: and over its channels.
    """

    def __init__(self, body: nn.Sequential, shrink: int, grey: bool) -> None:
        super().__init__()
        self.body, self.shrink, self.grey = body, shrink, grey
        self.eval().requires_grad_(False)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        maps = pictures.mean(1, keepdim=True) if self.grey else pictures
        maps = nn.functional.avg_pool2d(maps, self.shrink) if self.shrink > 1 else maps
        stages = []
        with torch.autocast(maps.device.type, enabled=False):
            for layer in self.body:
                maps = layer(maps)
                if isinstance(layer, nn.ReLU):
                    stages.append(maps)
        return stages


def _unset_convolution(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """A convolution whose weights are yet to be set: drawing any would move the random numbers of a training."""
    with torch.device("meta"):
        layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return layer.to_empty(device="cpu")


def random_features(channels: int) -> PictureFeatures:
    """Three stages of 3×3 convolutions with random weights, the same wherever and whenever they are made.

    Weights are normal with variance 2 / inputs (He), so that features are about as large as intensities. Random
    filters already tell edges, textures and their places apart (Saxe et al., On Random Weights and Unsupervised
    Feature Learning, 2011). Features of the model's own tokenizer would not do: it could lower this by seeing less.
    """
    generator = Generator().manual_seed(SEED)
    layers: list[nn.Module] = []
    for before, after in zip((channels, *RANDOM_WIDTHS), RANDOM_WIDTHS, strict=False):
        convolution = _unset_convolution(before, after, 3)
        nn.init.normal_(convolution.weight, std=(2 / (9 * before)) ** 0.5, generator=generator)
        layers += [convolution, nn.ReLU(), nn.AvgPool2d(2)]
    return PictureFeatures(nn.Sequential(*layers[:-1]), shrink=1, grey=False)


def judge_features(path: Path) -> PictureFeatures:
    """The convolutions of the first digit judge in a file of judges, which saw pictures as this shows them.

    Runs no code of the file. Raises `CheckpointError` when it is missing, damaged or holds other judges.
    """
    try:
        content: dict[str, Any] = torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
        prefix = "first.body."
        weights = {n.removeprefix(prefix): v for n, v in content["weights"].items() if n.startswith(prefix)}
        body = _judge_body(weights)
        shrink = max(1, int(content["geometry"]["digit_px"]) // JUDGED_DIGIT_PX)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot read it ({error.strerror}); run `whatmoves judge --train`") from None
    except Exception as error:  # what a broken pickle raises has no common type
        raise CheckpointError(
            f"{path}: not readable as judges ({type(error).__name__}); delete it and run `whatmoves judge --train`"
        ) from None
    return PictureFeatures(body, shrink, grey=True)


def _judge_body(weights: Mapping[str, Tensor]) -> nn.Sequential:
    """A copy of the judge's convolutions: a judge is read here, on a lower floor, without the code that trains it."""
    width = len(weights["0.weight"])

    def stage(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
        return [_unset_convolution(inputs, outputs, kernel, stride), nn.BatchNorm2d(outputs), nn.ReLU()]

    body = nn.Sequential(
        *stage(1, width, 5, 2), *stage(width, 2 * width), nn.MaxPool2d(2),
        *stage(2 * width, 4 * width), *stage(4 * width, 4 * width),
    )  # fmt: skip
    body.load_state_dict(dict(weights))
    return body
