"""What methods must give back: every kind of the package does, and each way not to is one line with file and method."""

from typing import Any

import pytest
import torch
from every_kind import SMALL
from torch import Tensor, nn

from whatmoves.data.clips import Batch
from whatmoves.errors import ModelError
from whatmoves.models.answers import require_answers, require_same_terms, require_terms
from whatmoves.models.interface import Step

VIDEO = torch.rand(2, 5, 1, 4, 3)
HERE = "test_answers.py"


@pytest.mark.parametrize("name", SMALL)
def test_every_kind_gives_what_it_must(name: str) -> None:
    entry = SMALL[name]
    model, batch = entry.model(), entry.batch(2)
    if entry.learns:
        require_terms(model, model.train().loss(batch, Step(1, 2)))
        state = torch.get_rng_state()
        require_answers(model.eval(), batch, entry.past)
        assert torch.equal(torch.get_rng_state(), state)


class Given(nn.Module):
    """Answers whatever it is given."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer


class Encoder(Given):
    def encode(self, video: Tensor) -> Any:
        return self.answer


class Predictor(Given):
    def predict(self, past: Tensor, horizon: int, future: Any) -> Any:
        return self.answer


class Breaks(nn.Module):
    def reconstruct(self, video: Tensor) -> Tensor:
        return video @ torch.ones(7)


LINE = Breaks.reconstruct.__code__.co_firstlineno + 1
GIVEN = "of video [2, 5, 1, 4, 3]"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Encoder(torch.ones(2, 3)), f"{HERE}: encode {GIVEN} returns a tensor [2, 3]; must return a dict"),
        (Encoder({"clip": torch.ones(2, 5, 3)}), "returns block clip as a tensor [2, 5, 3]; must be a tensor [2, any]"),
        (Encoder({"clip": torch.full((2, 3), torch.nan)}), "returns block clip as values that are not finite; mend"),
        (Predictor(VIDEO), f"predict {GIVEN} returns a tensor [2, 5, 1, 4, 3]; must be a tensor [2, 3, 1, 4, 3]"),
        (Predictor(None), "returns a NoneType; must be a tensor [2, 3, 1, 4, 3]"),
        (Breaks(), f"{HERE}: reconstruct {GIVEN} fails at line {LINE}: RuntimeError: size mismatch"),
    ],
)  # fmt: skip
def test_an_answer_nobody_can_use(model: nn.Module, said: str) -> None:
    with pytest.raises(ModelError) as told:
        require_answers(model, Batch(VIDEO), 2)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


class Trained:
    def loss(self, batch: Batch, step: Step) -> Any: ...


ONE = torch.ones((), requires_grad=True)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        (ONE, f'{HERE}: loss returns a tensor []; must return a dict of terms: return {{"total": …}}'),
        ({"nats": ONE}, 'loss returns nats and no "total"; add the term that training makes small'),
        ({"total": ONE.expand(2)}, "returns total as a tensor [2]; must be one number: take its mean over the batch"),
        ({"total": ONE, "beta": 0.5}, "returns beta as a float; must be one number: make it a tensor"),
        ({"total": ONE.detach()}, "returns a total that depends on no weight; take away what cuts it off"),
    ],
)
def test_a_loss_nobody_can_use(terms: Any, said: str) -> None:
    with pytest.raises(ModelError) as told:
        require_terms(Trained(), terms)
    assert said in str(told.value)


def test_terms_stay_the_same() -> None:
    require_same_terms(Trained(), ["total"], {"total": ONE})
    with pytest.raises(ModelError, match=r"loss returns total, kl_nats, and before total; return the same ones at ev"):
        require_same_terms(Trained(), ["total"], {"total": ONE, "kl_nats": ONE})


def test_what_asks_for_values_is_left_to_real_clips() -> None:
    class Reads(nn.Module):
        def reconstruct(self, video: Tensor) -> Tensor:
            return video * video.max().item()

    require_answers(Reads(), Batch(VIDEO.to("meta")), 2)
    require_answers(Reads(), Batch(VIDEO), 2)
