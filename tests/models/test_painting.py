"""The transposed convolution to one channel beside PyTorch's, in value and gradient."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from whatmoves.models.painting import ConvTranspose2d


@pytest.mark.parametrize("after", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_pytorchs_transposed_convolution_and_so_are_its_gradients(
    after: int, layout: torch.memory_format
) -> None:
    torch.manual_seed(0)
    layer = ConvTranspose2d(5, after).double()
    assert layer.bias is not None

    def of(painted: Tensor, maps: Tensor) -> list[Tensor]:
        weights = torch.arange(painted.numel(), dtype=torch.float64).view_as(painted)
        return [painted, *torch.autograd.grad((painted * weights).sum(), (maps, layer.weight, layer.bias))]

    maps = torch.randn(2, 5, 3, 4, dtype=torch.float64).contiguous(memory_format=layout).requires_grad_()
    theirs = F.conv_transpose2d(maps, layer.weight, layer.bias, stride=2, padding=1)
    torch.testing.assert_close(of(layer(maps), maps), of(theirs, maps))


def test_pictures_that_ask_for_no_gradient_are_painted_alike() -> None:
    torch.manual_seed(0)
    layer, maps = ConvTranspose2d(5, 1), torch.randn(2, 5, 3, 4)
    with torch.inference_mode():
        painted = layer(maps)
    torch.testing.assert_close(painted, layer(maps).detach(), rtol=0, atol=0)
