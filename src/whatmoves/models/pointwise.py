"""The strided 1×1 convolution of residual shortcuts, in the form that every processor computes safely."""

from torch import Tensor, nn


class PointwiseConv2d(nn.Conv2d):
    """`[N, before, H, W]` → `[N, after, ⌈H/step⌉, ⌈W/step⌉]`: a 1×1 convolution without bias at every `step`-th pixel.

    The pixels are picked first and convolved with stride 1, which is the same mathematics. The library's own strided
    form damages memory in the backward pass: PyTorch 2.13 and 2.14 (oneDNN 3.12) on processors with AVX2 and not
    AVX-512, one thread, channels last, fewer than eight input channels. Checkpoints have the keys of `nn.Conv2d`.
    """

    def __init__(self, before: int, after: int, step: int) -> None:
        super().__init__(before, after, 1, bias=False)
        self.step = step

    def forward(self, maps: Tensor) -> Tensor:
        return super().forward(maps[:, :, :: self.step, :: self.step])
