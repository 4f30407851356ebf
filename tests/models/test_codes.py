"""What the measures take for granted of every model's `encode`: one code a clip, whatever the dice and the company."""

from typing import Any

import pytest
import torch
from tools import ROOT

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.loading import load_study
from whatmoves.models.interface import abilities
from whatmoves.plugins import build_model, model_module

SHAPE = ClipShape(frames=8, channels=1, height=16, width=16)
OPTIONS: dict[str, dict[str, Any]] = {
    entry.kind: entry.options
    for entry in load_study(ROOT / "config" / "tiny.yaml").models.values()
    if "encode" in abilities(model_module(entry.kind).Model)
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_codes_are_not_drawn_at_random_and_do_not_depend_on_the_batch(kind: str) -> None:
    torch.manual_seed(0)
    model: Any = build_model(kind, OPTIONS[kind], SHAPE).eval()
    video = torch.rand(5, *SHAPE[:4])
    if hasattr(model, "fit"):
        model.fit([Batch(torch.rand(40, *SHAPE[:4]))])
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
