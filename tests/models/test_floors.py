"""The floors: what they show, whatever the batches, and that nothing of them is trained."""

from types import ModuleType

import pytest
import torch

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import DataError
from whatmoves.models import copy_last, mean_frame
from whatmoves.models.interface import abilities

SHAPE = ClipShape(4, 3, 2, 5)


def clips(count: int) -> torch.Tensor:
    return torch.rand(count, 4, 3, 2, 5, generator=torch.Generator().manual_seed(0))


def test_mean_frame_by_hand_and_however_clips_are_batched() -> None:
    video = clips(7)
    whole = mean_frame.Model(mean_frame.Config(), SHAPE)
    whole.fit([Batch(video)])
    torch.testing.assert_close(whole.mean, video.mean((0, 1)))
    parts = mean_frame.Model(mean_frame.Config(), SHAPE)
    parts.fit(Batch(video[rows]) for rows in (slice(0, 1), slice(1, 6), slice(6, 7)))
    torch.testing.assert_close(parts.mean, whole.mean)
    parts.fit([Batch(video[:2])])  # a second fit begins anew
    torch.testing.assert_close(parts.mean, video[:2].mean((0, 1)))


def test_mean_frame_shows_it_at_every_time() -> None:
    model = mean_frame.Model(mean_frame.Config(), SHAPE)
    model.fit([Batch(clips(3))])
    for shown, size in ((model.reconstruct(clips(2)), (2, 4, 3, 2, 5)), (model.predict(clips(2), 6), (2, 6, 3, 2, 5))):
        assert shown.shape == size
        assert torch.equal(shown, model.mean.expand(size))


def test_mean_frame_travels_in_the_state() -> None:
    model, copy = (mean_frame.Model(mean_frame.Config(), SHAPE) for _ in range(2))
    model.fit([Batch(clips(3))])
    copy.load_state_dict(model.state_dict())
    assert torch.equal(copy.mean, model.mean)


def test_mean_frame_of_nothing_is_an_error() -> None:
    with pytest.raises(
        DataError, match=r"^mean_frame: got no training clips; expected ≥ 1\. Raise the training budget\.$"
    ):
        mean_frame.Model(mean_frame.Config(), SHAPE).fit([])


def test_copy_last_shows_the_last_frame() -> None:
    model = copy_last.Model(copy_last.Config(), SHAPE)
    model.fit([])
    video = clips(2)
    assert torch.equal(model.reconstruct(video), video[:, [1, 0, 1, 2]])
    assert torch.equal(model.reconstruct(video[:, :1]), video[:, :1])
    assert torch.equal(model.predict(video[:, :3], 2), video[:, [2, 2]])


@pytest.mark.parametrize("kind", [mean_frame, copy_last])
def test_floors_have_no_parameters(kind: ModuleType) -> None:
    model = kind.Model(kind.Config(), SHAPE)
    assert sum(parameter.numel() for parameter in model.parameters()) == 0
    assert abilities(model) == ("reconstruct", "predict")
