"""The transposed convolution that ends in pictures of one channel, in the form that a CPU computes quickly."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

KERNEL, STRIDE, PADDING = 4, 2, 1


def conv_transpose2d(maps: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`[N, before, H, W]` → `[N, after, 2H, 2W]` by a weight `[before, after, 4, 4]`: PyTorch's, up to rounding.

    On a CPU oneDNN 3.12 takes ten times as long for one channel as its operations ask for. There, each pixel's sixteen
    products are one row of a matrix product, which `fold` adds up where they belong: a third of the time forward.
    Gradients are PyTorch's own.
    """
    if weight.shape[1] > 1 or maps.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return F.conv_transpose2d(maps, weight, bias, STRIDE, PADDING)
    painted: Tensor = _ToOneChannel.apply(maps, weight)  # type: ignore[no-untyped-call]
    return painted if bias is None else painted + bias.view(-1, 1, 1)


class ConvTranspose2d(nn.ConvTranspose2d):
    """`conv_transpose2d` as a layer, with the keys and first weights of PyTorch's."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, KERNEL, STRIDE, PADDING)

    def forward(self, maps: Tensor, output_size: list[int] | None = None) -> Tensor:
        assert output_size is None
        return conv_transpose2d(maps, self.weight, self.bias)


class _ToOneChannel(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, maps: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(maps, weight)
        clips, before, height, width = maps.shape
        products = maps.permute(0, 2, 3, 1).reshape(-1, before) @ weight.reshape(before, -1)  # [N · H · W, 16]
        columns = products.view(clips, height * width, -1).transpose(1, 2)
        return F.fold(columns, (STRIDE * height, STRIDE * width), KERNEL, stride=STRIDE, padding=PADDING)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        maps, weight = ctx.saved_tensors
        two, one, none = [STRIDE, STRIDE], [PADDING, PADDING], [0, 0]
        of_maps, of_weight, _ = torch.ops.aten.convolution_backward(
            gradient, maps, weight, None, two, one, [1, 1], True, none, 1, [*ctx.needs_input_grad, False]
        )
        return of_maps, of_weight
