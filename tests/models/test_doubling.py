"""The convolution over doubled maps beside what it stands for, and instance norm beside group norm."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from whatmoves.models.doubling import convolve_doubled, doubled_kernel
from whatmoves.models.tinydreams_parts import LARGE, InstanceNorm, ResidualBlock


def gradients(made: Tensor, *of: Tensor) -> list[Tensor]:
    weights = torch.linspace(-1, 2, made.numel(), dtype=made.dtype).view(made.shape)
    return [made, *torch.autograd.grad((made * weights).sum(), of)]


def test_a_convolution_over_doubled_maps_is_the_usual_one_with_all_gradients():
    torch.manual_seed(0)
    maps = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(7, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    ours = gradients(convolve_doubled(maps, doubled_kernel(weight)), maps, weight)
    usual = gradients(F.conv2d(F.interpolate(maps, scale_factor=2), weight, padding=1), maps, weight)
    for found, expected in zip(ours, usual, strict=True):
        torch.testing.assert_close(found, expected)


def test_the_kernel_of_a_single_tap_looks_at_one_pixel_from_both_halves():
    weight = torch.zeros(1, 1, 3, 3)
    weight[0, 0, 0, 1] = 1.0  # the row above, the same column
    expected = [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 1.0, 1.0, 0.0]]
    assert doubled_kernel(weight)[0, 0].tolist() == expected


@pytest.mark.parametrize(("before", "norm"), [(3, "instance"), (3, "batch"), (5, "instance")])
def test_a_block_that_doubles_is_the_block_of_doubled_maps(before: int, norm):
    torch.manual_seed(0)
    plain, doubling = (ResidualBlock(before, 5, 1, norm, nn.ReLU(), doubles=doubles).double() for doubles in (0, 1))
    doubling.load_state_dict(plain.state_dict())
    maps = torch.randn(2, before, 4, 6, dtype=torch.float64, requires_grad=True)
    ours = gradients(doubling(maps), maps, *doubling.parameters())
    usual = gradients(plain(F.interpolate(maps, scale_factor=2)), maps, *plain.parameters())
    for found, expected in zip(ours, usual, strict=True):
        torch.testing.assert_close(found, expected)
    for name, expected in plain.named_buffers():
        torch.testing.assert_close(doubling.get_buffer(name), expected)


@pytest.mark.parametrize("side", [8, 128])
def test_instance_norm_is_group_norm_with_one_channel_a_group(side: int):
    torch.manual_seed(0)
    norm, usual = InstanceNorm(3).double(), nn.GroupNorm(3, 3).double()
    assert (3 * side**2 >= LARGE) == (side == 128)
    for layer in (norm, usual):
        layer.load_state_dict({"weight": torch.tensor([1.0, 2.0, -3.0]), "bias": torch.tensor([0.0, 1.0, 0.5])})
    maps = (5 + torch.randn(2, 3, side, side, dtype=torch.float64)).contiguous(memory_format=torch.channels_last)
    maps.requires_grad_()
    for found, expected in zip(gradients(norm(maps), maps, *norm.parameters()),
                               gradients(usual(maps), maps, *usual.parameters()), strict=True):  # fmt: skip
        torch.testing.assert_close(found, expected)
    assert norm(maps).is_contiguous(memory_format=torch.channels_last)
