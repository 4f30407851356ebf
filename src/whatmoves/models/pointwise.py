"""The strided 1×1 convolution of residual shortcuts, in the form that every processor computes safely."""

from torch import Tensor, nn


class PointwiseConv2d(nn.Conv2d):
    """`[N, before, H, W]` → `[N, after, ⌈H/step⌉, ⌈W/step⌉]`: a 1×1 convolution without bias at every `step`-th pixel.

    The pixels are picked first and convolved with stride 1, which is the same mathematics. In PyTorch 2.13
    and 2.14 (oneDNN 3.12) the library's own strided form can damage memory on some processors, in some shapes; the
    guard is tests/arithmetic/test_every_level.py. Checkpoints have the keys of `nn.Conv2d`.
    """

    def __init__(self, before: int, after: int, step: int) -> None:
        super().__init__(before, after, 1, bias=False)
        self.step = step

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps[:, :, :: self.step, :: self.step])
