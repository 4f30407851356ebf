"""Convolutions from and to pictures of one channel beside PyTorch's, in value and gradient."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from whatmoves.models.one_channel import DoublingConv2d, HalvingConv2d

LAYOUTS = pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])


def value_and_gradients(made: Tensor, maps: Tensor, layer: nn.Module) -> list[Tensor]:
    weights = torch.arange(made.numel(), dtype=torch.float64).view_as(made)
    return [made, *torch.autograd.grad((made * weights).sum(), (maps, *layer.parameters()))]


def maps_of(channels: int, layout: torch.memory_format) -> Tensor:
    torch.manual_seed(0)
    maps = torch.randn(2, channels, 6, 8, dtype=torch.float64)
    return maps.contiguous(memory_format=layout).requires_grad_()


@LAYOUTS
@pytest.mark.parametrize("channels", [1, 3])
def test_halving_is_a_convolution(channels: int, layout: torch.memory_format) -> None:
    layer, maps = HalvingConv2d(channels, 5).double(), maps_of(channels, layout)
    theirs = F.conv2d(maps, layer.weight, stride=2, padding=1)
    torch.testing.assert_close(value_and_gradients(layer(maps), maps, layer), value_and_gradients(theirs, maps, layer))


@LAYOUTS
@pytest.mark.parametrize("channels", [1, 3])
def test_doubling_is_a_transposed_convolution(channels: int, layout: torch.memory_format) -> None:
    layer, maps = DoublingConv2d(5, channels).double(), maps_of(5, layout)
    theirs = F.conv_transpose2d(maps, layer.weight, layer.bias, stride=2, padding=1)
    torch.testing.assert_close(value_and_gradients(layer(maps), maps, layer), value_and_gradients(theirs, maps, layer))


def test_what_asks_for_no_gradient_is_computed_alike() -> None:
    torch.manual_seed(0)
    layer, maps = DoublingConv2d(5, 1), torch.randn(2, 5, 3, 4)
    with torch.inference_mode():
        made = layer(maps)
    torch.testing.assert_close(made, layer(maps).detach(), rtol=0, atol=0)
