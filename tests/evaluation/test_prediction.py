"""Predictions by models that are known to be right, wrong, random or led by their actions."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from whatmoves.data.clips import ClipShape, Split
from whatmoves.errors import ConfigError
from whatmoves.evaluation.prediction import best_draws, forecasts, one_step, predicted
from whatmoves.models import copy_last, linear_extrapolation
from whatmoves.models.interface import Future

CPU = torch.device("cpu")
N, T, SIDE = 7, 6, 12
SHAPE = ClipShape(T, 1, SIDE, SIDE, actions=1, states=1)


@pytest.fixture
def split() -> Split:
    """Grey clips: frame t + 1 is frame t plus its action; the state is the grey itself."""
    rng = np.random.default_rng(0)
    actions = rng.integers(-20, 21, (N, T, 1)).astype(np.float32)
    grey = 128 + np.concatenate([np.zeros((N, 1)), np.cumsum(actions[:, :-1, 0], axis=1)], axis=1)
    video = np.broadcast_to(grey[:, :, None, None, None], (N, T, 1, SIDE, SIDE)).astype(np.uint8)
    return Split(video, None, actions, (grey[..., None] / 255).astype(np.float32))  # type: ignore[arg-type]


class Obedient(nn.Module):
    """Knows the rule: adds up the actions from the last past frame on."""

    reads_actions = True

    def predict(self, past: Tensor, horizon: int, future: Future) -> Tensor:
        P = past.shape[1]
        assert future.actions is not None
        assert future.states is not None
        assert future.actions.shape[1] == future.states.shape[1] == P + horizon
        steps = future.actions[:, P - 1 : -1, 0].cumsum(1) / 255
        return past[:, -1:] + steps[:, :, None, None, None]


class Told(Obedient):
    """Is told the answer: the state of each frame."""

    def predict(self, past: Tensor, horizon: int, future: Future) -> Tensor:
        assert future.states is not None
        return future.states[:, -horizon:, :, None, None].expand(-1, -1, 1, SIDE, SIDE)


class Guessing(nn.Module):
    """Draws one grey a clip around the last frame; its prior's mean is to stay."""

    stochastic = True

    def predict(self, past: Tensor, horizon: int, future: Future) -> Tensor:
        still = past[:, -1:].expand(-1, horizon, -1, -1, -1)
        if future.generator is None:
            return still
        return still + 0.2 * torch.randn(len(past), 1, 1, 1, 1, generator=future.generator)


class Glaring(nn.Module):
    """Answers 1.5 everywhere, brighter than white."""

    def predict(self, past: Tensor, horizon: int, future: Future) -> Tensor:
        return torch.full_like(past[:, -1:], 1.5).expand(-1, horizon, -1, -1, -1)


def test_a_model_that_knows_the_rule_is_right_and_needs_its_own_actions(split: Split) -> None:
    found = predicted(Obedient(), split, 2, 1, 3, CPU)
    np.testing.assert_allclose(found.clips["predict_mse_pixel"], 0, atol=1e-12)
    assert found.clips["predict_psnr_frame"].shape == (N,)
    assert all(len(curve) == T - 2 for curve in found.curves.values())
    np.testing.assert_allclose(
        found.clips["action_cost_db"], 100 - found.clips["predict_shuffled_psnr_frame"], rtol=1e-6
    )
    assert found.clips["action_cost_db"].mean() > 50
    # with the next clip's actions after the past, by hand: the sums of those against the sums of its own
    steps = split.actions[:, 1:-1, 0].cumsum(1) / 255  # type: ignore[index]
    wrong = np.square(np.roll(steps, -1, axis=0) - steps)
    np.testing.assert_allclose(found.curves["predict_shuffled_mse_pixel"], wrong.mean(0), rtol=1e-4)


def test_what_leaves_the_range_is_clipped_before_any_error_is_taken(split: Split) -> None:
    found = predicted(Glaring(), split, 2, 1, 3, CPU, ("mse_frame", "mae_frame"))
    errors = 1 - split.video[:, 2:, 0, 0, 0] / 255  # to white: OpenSTL's, of what was answered, would be to 1.5
    np.testing.assert_allclose(found.clips["predict_mse_frame"], SIDE**2 * np.square(errors).mean(1), rtol=1e-5)
    np.testing.assert_allclose(found.clips["predict_mae_frame"], SIDE**2 * errors.mean(1), rtol=1e-5)


def test_conventions_of_the_literature_are_sums_over_a_frame_and_only_where_asked_for(split: Split) -> None:
    still = copy_last.Model(copy_last.Config(), SHAPE)
    plain = predicted(still, split, 2, 1, 3, CPU)
    found = predicted(still, split, 2, 1, 3, CPU, ("mse_frame", "mae_frame", "ssim_u7_dr2"))
    assert {*found.clips} - {*plain.clips} == {f"predict_{name}" for name in ("mse_frame", "mae_frame", "ssim_u7_dr2")}
    greys = split.video[:, :, 0, 0, 0] / 255
    errors = np.abs(greys[:, 2:] - greys[:, 1:2])  # the same at every pixel of a frame
    np.testing.assert_allclose(found.clips["predict_mae_frame"], SIDE**2 * errors.mean(1), rtol=1e-5)
    np.testing.assert_allclose(found.clips["predict_mse_frame"], SIDE**2 * np.square(errors).mean(1), rtol=1e-5)
    np.testing.assert_allclose(found.curves["predict_mae_frame"], SIDE**2 * errors.mean(0), rtol=1e-5)


def test_only_actions_are_exchanged(split: Split) -> None:
    assert not predicted(Told(), split, 2, 1, 3, CPU).clips["action_cost_db"].any()


def test_measures_do_not_depend_on_batches(split: Split) -> None:
    whole, parts = (predicted(Obedient(), split, 2, 1, size, CPU) for size in (N, 2))
    for name, values in whole.clips.items():
        np.testing.assert_allclose(values, parts.clips[name], rtol=1e-6, err_msg=name)


def test_the_best_of_several_draws_is_chosen_per_clip_and_measure(split: Split) -> None:
    found = predicted(Guessing(), split, 2, 5, N, CPU)
    draws = [next(iter(forecasts(Guessing(), split, 2, N, CPU, seed=10_000 + k))) for k in range(5)]
    errors = torch.stack([(drawn - truth).square().mean((1, 2, 3, 4)) for drawn, truth in draws])
    np.testing.assert_allclose(found.clips["predict_best_mse_pixel"], errors.amin(0), rtol=1e-5)
    still = copy_last.Model(copy_last.Config(), SHAPE)
    np.testing.assert_allclose(
        found.clips["predict_mse_pixel"], predicted(still, split, 2, 5, N, CPU).clips["predict_mse_pixel"]
    )
    assert "predict_best_mse_pixel" not in predicted(still, split, 2, 5, N, CPU).clips


def test_best_draws_by_hand() -> None:
    first = {"mse_pixel": np.array([[1.0, 2.0], [5.0, 5.0]]), "psnr_frame": np.array([[1.0, 9.0], [3.0, 3.0]])}
    second = {"mse_pixel": np.array([[0.0, 4.0], [1.0, 1.0]]), "psnr_frame": np.array([[4.0, 4.0], [2.0, 2.0]])}
    best = best_draws([first, second])
    assert best["mse_pixel"].tolist() == [[1, 2], [1, 1]]  # means 1.5 against 2, 5 against 1: lower is better
    assert best["psnr_frame"].tolist() == [[1, 9], [3, 3]]  # 5 against 4, 3 against 2: higher is better


def test_one_step_predictions_see_the_frames_before(split: Split) -> None:
    batch = split.batch(slice(0, 3), CPU)
    stepwise = one_step(copy_last.Model(copy_last.Config(), SHAPE), batch, 2)
    assert torch.equal(stepwise, batch.video[:, 1:-1])


def test_linear_extrapolation_goes_on_and_is_clipped() -> None:
    model = linear_extrapolation.Model(linear_extrapolation.Config(), SHAPE)
    past = torch.tensor([0.2, 0.5]).view(1, 2, 1, 1, 1)
    torch.testing.assert_close(model.predict(past, 3).flatten(), torch.tensor([0.8, 1.0, 1.0]))
    assert torch.equal(model.predict(past[:, :1], 2).flatten(), torch.tensor([0.2, 0.2]))


def test_a_past_that_leaves_nothing_is_refused(split: Split) -> None:
    with pytest.raises(ConfigError, match=r"^past_frames is 6, but clips have 6 frames; must be ≤ 5, to predict one$"):
        predicted(Obedient(), split, T, 1, N, CPU)
