"""The place map and its peaks: exact between cells, and two digits that overlap stay two."""

import pytest
import torch

from whatmoves.judging.networks import AttentionNet, DigitNet, PlaceNet, bumps, peaks


def test_a_bump_between_cells_is_found_exactly() -> None:
    centres = torch.tensor([[[4.3, 7.8]], [[2.0, 3.5]], [[6.49, 9.01]]])
    found = peaks(bumps(centres, 9, 13), 1)
    torch.testing.assert_close(found, centres, atol=0.02, rtol=0)


def test_two_bumps_are_both_found_even_where_they_overlap() -> None:
    centres = torch.tensor([[[3.0, 4.0], [8.0, 9.0]], [[5.0, 5.0], [5.0, 7.5]], [[4.0, 4.0], [4.0, 4.0]]])
    found = peaks(bumps(centres, 12, 14), 2)
    in_order = torch.stack([found, found.flip(1)])
    error = (in_order - centres).norm(dim=-1).mean(-1).amin(0)  # [3]
    assert error[0] < 0.02
    assert error[1] < 1.0
    assert error[2] < 0.02


def test_a_black_map_has_a_place_too() -> None:
    assert torch.isfinite(peaks(torch.zeros(2, 8, 8), 2)).all()


@pytest.mark.parametrize("net", [DigitNet(7), AttentionNet(7)])
def test_digit_scores_do_not_mind_where_the_digit_is(net: torch.nn.Module) -> None:
    net.eval()
    frames = torch.zeros(2, 1, 40, 48)
    frames[0, 0, 12:20, 12:20] = torch.rand(8, 8)
    frames[1] = frames[0].roll((8, 12), (1, 2))  # whole cells of every stage
    scores = net(frames)
    assert scores.shape == (2, 7)
    torch.testing.assert_close(scores[0], scores[1], atol=1e-4, rtol=0)


def test_the_place_map_has_half_the_side() -> None:
    assert PlaceNet()(torch.zeros(3, 1, 20, 26)).shape == (3, 10, 13)
