"""What the measures take for granted of every model's `encode`: one code a clip, whatever the dice and the company."""

import pytest
import torch
from every_kind import SMALL

from whatmoves.models.interface import abilities
from whatmoves.plugins import model_module


@pytest.mark.parametrize("name", [n for n, e in SMALL.items() if "encode" in abilities(model_module(e.kind).Model)])
def test_codes_are_not_drawn_at_random_and_do_not_depend_on_the_batch(name: str) -> None:
    entry = SMALL[name]
    model, video = entry.model().eval(), entry.batch(5).video
    if hasattr(model, "fit"):
        model.fit([entry.batch(40)])
    with torch.no_grad():
        torch.manual_seed(1)
        code = model.encode(video)
        torch.manual_seed(2)
        again = model.encode(video.flip(0))
        alone = model.encode(video[:1])
    for block, values in code.items():
        assert values.shape[0] == len(video)
        assert values.ndim == 2
        assert values.std(0).max() > 0
        torch.testing.assert_close(again[block].flip(0), values, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(alone[block], values[:1], atol=1e-5, rtol=1e-4)
