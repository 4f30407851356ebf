"""Principal components: exact with enough of them, blind to what they are not of, and the same however batched."""

import pytest
import torch

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError, DataError
from whatmoves.models.pca import Config, Model

SHAPE = ClipShape(frames=3, channels=2, height=4, width=5)


def fitted(video: torch.Tensor, batch: int = 7, **options: int) -> Model:
    model = Model(Config(**options), SHAPE)
    model.fit(Batch(part) for part in video.split(batch))
    return model


@pytest.fixture
def video() -> torch.Tensor:
    return torch.rand(300, *SHAPE[:4], generator=torch.Generator().manual_seed(0))


def test_as_many_components_as_pixels_give_the_clip_back(video: torch.Tensor) -> None:
    model = fitted(video, content_dim=40, motion_dim=80)
    torch.testing.assert_close(model.reconstruct(video[:5]), video[:5], atol=1e-4, rtol=0)
    few = fitted(video, content_dim=2, motion_dim=2)
    assert (few.reconstruct(video[:5]) - video[:5]).abs().max() > 0.1


def test_content_is_the_mean_frame_and_motion_the_changes(video: torch.Tensor) -> None:
    model = fitted(video, content_dim=4, motion_dim=6)
    code = model.encode(video[:5])
    assert {name: tuple(block.shape) for name, block in code.items()} == {"content": (5, 4), "motion": (5, 6)}
    shuffled = model.encode(video[:5, [2, 0, 1]])  # another order of frames: another motion of the same mean
    torch.testing.assert_close(shuffled["content"], code["content"])
    assert (shuffled["motion"] - code["motion"]).abs().max() > 0.1
    brighter = model.encode(video[:5] + 0.25)  # the same changes on another mean
    torch.testing.assert_close(brighter["motion"], code["motion"], atol=1e-5, rtol=0)
    assert (brighter["content"] - code["content"]).abs().max() > 0.1


def test_the_first_component_follows_the_largest_variance_and_axes_are_orthonormal(video: torch.Tensor) -> None:
    stretched = video.clone() * 0.1
    stretched[:, :, 1, 2, 3] += torch.linspace(0, 0.8, len(video))[:, None]
    axes = fitted(stretched, content_dim=5, motion_dim=5).content_axes
    torch.testing.assert_close(axes @ axes.T, torch.eye(5), atol=1e-5, rtol=0)
    assert axes[0].argmax() == 1 * 20 + 2 * 5 + 3
    assert axes[0].max() > 0.99


def test_batches_do_not_matter_and_only_the_first_clips_are_used(video: torch.Tensor) -> None:
    whole = fitted(video[:50], 50, content_dim=3, motion_dim=3)
    torch.testing.assert_close(fitted(video[:50], 7, content_dim=3, motion_dim=3).motion_axes, whole.motion_axes)
    first = fitted(video, 7, content_dim=3, motion_dim=3, clips=50)
    torch.testing.assert_close(first.motion_axes, whole.motion_axes)


def test_fewer_clips_than_components_leave_the_rest_zero(video: torch.Tensor) -> None:
    model = fitted(video[:4], content_dim=6, motion_dim=6)
    assert model.content_axes.norm(dim=1).tolist() == pytest.approx([1, 1, 1, 0, 0, 0], abs=1e-5)
    assert torch.isfinite(model.reconstruct(video[:4])).all()


def test_clips_are_needed_and_they_must_move() -> None:
    with pytest.raises(DataError, match="pca: got no training clips"):
        Model(Config(), SHAPE).fit([])
    with pytest.raises(ConfigError, match="motion needs ≥ 2"):
        Model(Config(), SHAPE._replace(frames=1))
