"""Attention beside PyTorch's own, in value and gradient."""

import torch
from torch.nn import functional as F

from whatmoves.models.attention import attend


def test_it_is_pytorchs_attention_and_so_are_its_gradients() -> None:
    torch.manual_seed(0)
    ours = [torch.randn(2, 3, tokens, 8, dtype=torch.float64, requires_grad=True) for tokens in (4, 7, 7)]
    theirs = [part.detach().clone().requires_grad_() for part in ours]
    torch.testing.assert_close(attend(*ours), F.scaled_dot_product_attention(*theirs))
    attend(*ours).square().sum().backward()
    F.scaled_dot_product_attention(*theirs).square().sum().backward()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_dropout_leaves_weights_out_and_keeps_their_mean() -> None:
    torch.manual_seed(0)
    queries, keys, values = torch.zeros(1, 1, 2000, 4), torch.zeros(1, 1, 10, 4), torch.ones(1, 1, 10, 4)
    found = attend(queries, keys, values, dropout=0.5)[0, 0, :, 0]  # a mean of ten ones, half of them left out
    assert len(found.unique()) > 5
    assert abs(found.mean().item() - 1) < 0.03
