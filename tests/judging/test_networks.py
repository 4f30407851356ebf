"""The place map and its peaks: exact between cells, and two digits that overlap stay two."""

import pytest
import torch

from whatmoves.judging.networks import AttentionNet, DigitNet, PlaceNet, at_centres, bumps, peaks


def test_a_bump_between_cells_is_found_exactly() -> None:
    centres = torch.tensor([[[4.3, 7.8]], [[2.0, 3.5]], [[6.49, 9.01]]])
    found = peaks(bumps(centres, 9, 13), 1)
    torch.testing.assert_close(found, centres, atol=0.02, rtol=0)


def test_two_bumps_are_both_found_even_where_they_overlap() -> None:
    centres = torch.tensor([[[3.0, 4.0], [8.0, 9.0]], [[4.2, 4.7], [6.1, 5.9]], [[4.0, 4.0], [4.0, 4.0]]])
    found = peaks(bumps(centres, 12, 14), 2)
    in_order = torch.stack([found, found.flip(1)])
    error = (in_order - centres).norm(dim=-1).mean(-1).amin(0)  # [3]
    assert error.max() < 0.02
    # Two cells apart the second bump drew the first nearer: left where it was found, each is off by over 0.1.
    near = torch.tensor([[[5.0, 5.0], [5.0, 7.0]]])
    assert (peaks(bumps(near, 12, 14), 2).sort(1).values - near).abs().max() < 0.1


def test_a_black_map_has_a_place_too() -> None:
    found = peaks(torch.zeros(2, 8, 8), 2)
    assert found.min() >= 0
    assert found.max() <= 7


@pytest.mark.parametrize("net", [DigitNet(7), AttentionNet(7)])
def test_digit_scores_do_not_mind_where_the_digit_is(net: torch.nn.Module) -> None:
    net.eval()
    frames = torch.zeros(2, 1, 40, 48)
    frames[0, 0, 12:20, 12:20] = torch.rand(8, 8)
    frames[1] = frames[0].roll((8, 12), (1, 2))  # whole cells of every stage
    read = net(frames)
    assert read.frames.shape == (2, 7)
    assert read.places.shape == (2, 7, 10, 12)
    torch.testing.assert_close(read.frames[0], read.frames[1], atol=1e-4, rtol=0)


@pytest.mark.parametrize("net", [DigitNet(7), AttentionNet(7)])
def test_the_place_read_at_a_centre_is_the_one_that_sees_it_best(net: torch.nn.Module) -> None:
    net.eval()
    dot = torch.zeros(1, 1, 40, 48)
    dot[0, 0, 18, 29] = 1.0
    for stage in net.modules():  # what a place sees then depends on how near it is, not on random weights
        if isinstance(stage, torch.nn.Conv2d):
            torch.nn.init.constant_(stage.weight, 1.0)
            torch.nn.init.zeros_(stage.bias) if stage.bias is not None else None
    places = net(dot).places
    here = at_centres(places, torch.tensor([[[18.0, 29.0]]]), net.first_place_px)
    torch.testing.assert_close(here[0, 0], places[0].amax((1, 2)))


def test_places_outside_the_frame_are_those_of_its_border() -> None:
    places = torch.arange(12.0).reshape(1, 1, 3, 4)
    centres = torch.tensor([[[-9.0, 0.0], [5.4, 6.1], [99.0, 99.0]]])
    assert at_centres(places, centres, 1.0).flatten().tolist() == [0.0, 5.0, 11.0]


def test_the_place_map_has_half_the_side() -> None:
    assert PlaceNet()(torch.zeros(3, 1, 20, 26)).shape == (3, 10, 13)
