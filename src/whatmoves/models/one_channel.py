"""The convolutions that halve pictures of one channel and double maps to one, in the form that a CPU computes quickly.

What spreads maps over a picture, forward in the one and backward in the other, takes oneDNN 3.12 ten times as long for
one channel as its operations ask for. Here each pixel's sixteen products are a row of one matrix product, and `fold`
adds them up where they belong. Other devices, precisions and numbers of channels have PyTorch's own.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

KERNEL, STRIDE, PADDING = 4, 2, 1


class HalvingConv2d(nn.Conv2d):
    """`[N, before, 2H, 2W]` → `[N, after, H, W]` without bias; keys and first weights are those of `nn.Conv2d`."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, KERNEL, STRIDE, PADDING, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        if not (maps.requires_grad and _is_for_us(self.in_channels, maps)):
            return super().forward(maps)
        halved: Tensor = _FromOneChannel.apply(maps, self.weight)  # type: ignore[no-untyped-call]
        return halved


class DoublingConv2d(nn.ConvTranspose2d):
    """`[N, before, H, W]` → `[N, after, 2H, 2W]`; keys and first weights are those of `nn.ConvTranspose2d`."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, KERNEL, STRIDE, PADDING)

    def forward(self, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
        assert output_size is None
        return conv_transpose2d(maps, self.weight, self.bias)


def conv_transpose2d(maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`[N, before, H, W]` → `[N, after, 2H, 2W]` by a weight `[before, after, 4, 4]`: PyTorch's, up to rounding."""
    if not _is_for_us(weight.shape[1], maps):
        return F.conv_transpose2d(maps, weight, bias, STRIDE, PADDING)
    doubled: Tensor = _ToOneChannel.apply(maps, weight)  # type: ignore[no-untyped-call]
    return doubled if bias is None else doubled + bias.view(-1, 1, 1)


def _is_for_us(channels: int, maps: Tensor) -> bool:
    return channels == 1 and maps.device.type == "cpu" and not torch.is_autocast_enabled("cpu")


class _FromOneChannel(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pictures: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(pictures, weight)
        return F.conv2d(pictures, weight, None, STRIDE, PADDING)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None]:
        pictures, weight = ctx.saved_tensors
        _, of_weight = _gradients(gradient, pictures, weight, [False, ctx.needs_input_grad[1]], transposed=False)
        return _spread(gradient, weight), of_weight


class _ToOneChannel(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(maps, weight)
        return _spread(maps, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        maps, weight = ctx.saved_tensors
        return _gradients(gradient, maps, weight, list(ctx.needs_input_grad), transposed=True)


def _spread(maps: Tensor, weight: Tensor) -> Tensor:
    """`[N, C, H, W]` → `[N, 1, 2H, 2W]` by a weight of `C · 16` numbers."""
    clips, channels, height, width = maps.shape
    products = maps.permute(0, 2, 3, 1).reshape(-1, channels) @ weight.reshape(channels, -1)  # [N · H · W, 16]
    columns = products.view(clips, height * width, -1).transpose(1, 2)
    return F.fold(columns, (STRIDE * height, STRIDE * width), KERNEL, stride=STRIDE, padding=PADDING)


def _gradients(
    gradient: Tensor, maps: Tensor, weight: Tensor, wanted: list[bool], *, transposed: bool
) -> tuple[Tensor | None, Tensor | None]:
    """PyTorch's own, of the maps and of the weight."""
    stride, padding = [STRIDE, STRIDE], [PADDING, PADDING]
    of_maps, of_weight, _ = torch.ops.aten.convolution_backward(
        gradient, maps, weight, None, stride, padding, [1, 1], transposed, [0, 0], 1, [*wanted, False]
    )
    return of_maps, of_weight
