"""Comparisons from Python: files, tables that LaTeX can set, any loader, and errors in words."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from whatmoves.data.clips import Batch, Split
from whatmoves.errors import DataError
from whatmoves.study import Study
from whatmoves.using.compare import compare_models, compute_all_disentanglement_metrics, evaluate_model
from whatmoves.using.loaders import ClipLoader, get_data_loaders

N, T, H, W = 90, 3, 12, 14
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "class_1": np.arange(N) % 3,
        "velocity_x_1": RNG.uniform(-1, 1, N),
        "velocity_y_1": RNG.uniform(-1, 1, N),
    }
)
SPLIT = Split(RNG.integers(0, 256, (N, T, 1, H, W), dtype=np.uint8), TABLE)


class Dim(nn.Module):
    """Reconstructs at a part of the light; its code is written into the first pixels of each clip."""

    def __init__(self, light: float) -> None:
        super().__init__()
        self.light = nn.Parameter(torch.tensor(light))

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        return {"content": video[:, 0, 0, 0, :2], "motion": video[:, 0, 0, 1, :2]}

    def decode(self, code: dict[str, Tensor]) -> Tensor:
        return code["content"].mean(1).reshape(-1, 1, 1, 1, 1).expand(-1, T, 1, H, W)

    def reconstruct(self, video: Tensor) -> Tensor:
        return video * self.light

    def sample(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        return torch.rand(count, T, 1, H, W, generator=generator)


def test_comparison_of_two_models(tmp_path: Path) -> None:
    models = {"bright_100%": Dim(1.0), "dim": Dim(0.5)}
    results = compare_models(models, ClipLoader(SPLIT, 40), out=tmp_path)
    assert results["clips"] == N
    bright, dim = results["models"]["bright_100%"], results["models"]["dim"]
    assert bright["psnr_frame"] == 100
    assert dim["mse_pixel"] == pytest.approx(((SPLIT.video / 510) ** 2).mean(), rel=1e-5)
    assert json.loads((tmp_path / "comparison_results.json").read_text()) == results
    lines = (tmp_path / "table_reconstruction.tex").read_text().splitlines()
    assert lines[1] == r"\toprule"
    assert lines[4].startswith(
        rf"bright\_100\% & 0.0000 & 100.00 & 1.000 & 0.0000 & {bright['legacy_temporal_consistency']:.4f} & 1 \\"
    )


def test_any_loader_gives_the_same_numbers() -> None:
    video = torch.from_numpy(SPLIT.video).float() / 255
    loaders = [
        [video],
        [Batch(video[:50]), Batch(video[50:])],
        [(video[:10], torch.zeros(10)), (video[10:], torch.zeros(80))],
    ]
    expected = compare_models({"a": Dim(0.7)}, ClipLoader(SPLIT, 32))["models"]["a"]
    for loader in loaders:
        found = compare_models({"a": Dim(0.7)}, loader)["models"]["a"]
        for name in ("psnr_frame", "ssim_gauss11", "temporal_error"):
            assert found[name] == pytest.approx(expected[name], rel=1e-5)


def test_disentanglement_of_a_code_that_tells_the_factors(tmp_path: Path) -> None:
    video = torch.rand(N, T, 1, H, W)
    video[:, 0, 0, 0, 0] = torch.tensor(TABLE["class_1"].to_numpy()) / 2
    video[:, 0, 0, 1, 0] = torch.tensor(TABLE["velocity_x_1"].to_numpy()).float() / 2 + 0.5
    loader = [(video[:30], TABLE[:30]), (video[30:], {name: values[30:].to_numpy() for name, values in TABLE.items()})]
    results = compute_all_disentanglement_metrics(Dim(1.0), loader, out=tmp_path)
    assert results["factors"] == ["class_1", "velocity_x_1", "velocity_y_1"]
    assert results["code_dimensions"] == 4
    assert results["legacy_sap_cc"] > 0.4
    assert results["legacy_prediction_cc"] == 1
    assert results["mig"] > 0.3
    assert json.loads((tmp_path / "disentanglement_metrics.json").read_text()) == results
    table = (tmp_path / "table_disentanglement.tex").read_text()
    assert f"legacy\\_sap\\_cc & {results['legacy_sap_cc']:.3f} \\\\" in table


class Told(nn.Module):
    """Its code is `change` of the clip's first pixels."""

    def __init__(self, change=lambda code: code) -> None:
        super().__init__()
        self.change = change

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        return {"code": self.change(video[:, 0, 0, 0, :2])}


CODED = torch.zeros(N, T, 1, H, W)
CODED[:, 0, 0, 0, :2] = torch.tensor(TABLE[["class_1", "velocity_x_1"]].to_numpy()) + 0.05 * torch.tensor(
    RNG.normal(size=(N, 2))
)


def measured(change=lambda code: code, table: pd.DataFrame = TABLE, clips: Tensor = CODED) -> dict[str, object]:
    return compute_all_disentanglement_metrics(Told(change), [(clips, table)])


def test_the_unit_of_a_code_is_no_information() -> None:
    plain, tiny = measured(), measured(lambda code: code * 1e-20)
    assert plain["warnings"] == []
    assert plain["dci_informativeness"] > 0.4
    scores = [name for name, value in plain.items() if isinstance(value, float)]
    assert [tiny[name] for name in scores] == pytest.approx([plain[name] for name in scores], abs=1e-3)


def test_outliers_and_sorted_clips_are_told() -> None:
    def with_outlier(code: Tensor) -> Tensor:
        return torch.where(torch.arange(N)[:, None] == 7, 1e6, code)

    assert "codes[7, 1] is 1e+06" in measured(with_outlier)["warnings"][0]
    order = np.argsort(TABLE["class_1"].to_numpy(), kind="stable")
    order = np.r_[order[:58], order[60:], order[58:60]]  # two clips of the first classes among the test clips
    warnings = measured(table=TABLE.iloc[order], clips=CODED[order])["warnings"]
    assert "factor class_1: the 30 test rows hold other values" in warnings[0]


def test_codes_and_factors_that_are_no_numbers_are_named() -> None:
    with pytest.raises(DataError, match="dimension 0 of the code block code is nan for clip 0, the first of 180"):
        measured(lambda code: code / 0 * 0)
    for column, message in (
        (["a"] * N, "factor name is .*, such as 'a'; give numbers: classes as 0, 1, …"),
        (np.where(np.arange(N) == 3, np.nan, 0.5), "factor name holds a value that is no finite number"),
    ):
        with pytest.raises(DataError, match=message):
            measured(table=TABLE.assign(name=column))
    with pytest.raises(DataError, match=r"factor class_1 is \[80\] for a batch of 90 clips; give one number a clip"):
        measured(table={"class_1": np.zeros(80)})


def test_one_model_writes_metrics_and_pictures(tmp_path: Path) -> None:
    results = evaluate_model(Dim(0.5), ClipLoader(SPLIT, 40), "cpu", tmp_path, "dim")
    assert json.loads((tmp_path / "dim_metrics.json").read_text()) == results
    sizes = {
        name: Image.open(tmp_path / f"dim_{name}.png").size for name in ("reconstructions", "samples", "interpolation")
    }
    width = 2 * (3 * W + 2 * 2)
    assert sizes == {
        "reconstructions": (width, 2 * (8 * H + 7 * 2)),
        "samples": (width, 2 * (4 * H + 3 * 2)),
        "interpolation": (width, 2 * (7 * H + 6 * 2)),
    }
    picture = np.asarray(Image.open(tmp_path / "dim_reconstructions.png"))
    np.testing.assert_array_equal(picture[: 2 * H : 2, : 2 * W : 2], SPLIT.video[0, 0, 0])


def test_errors_in_words() -> None:
    class Mute(nn.Module):
        """No abilities."""

    with pytest.raises(DataError, match="this model has no `encode`"):
        compute_all_disentanglement_metrics(Mute(), ClipLoader(SPLIT, 32))
    with pytest.raises(DataError, match="the loader gives Tensor; let it yield"):
        compute_all_disentanglement_metrics(Dim(1.0), [(torch.zeros(2, T, 1, H, W), torch.zeros(2))])
    with pytest.raises(DataError, match=r"expected clips as a tensor \[B, T, C, H, W\]"):
        compare_models({"a": Dim(1.0)}, [np.zeros(3)])
    assert compare_models({"a": Mute()}, [torch.zeros(2, T, 1, H, W)])["models"]["a"]["cannot"] == {
        "reconstruct": "it does not reconstruct clips"
    }


def test_loaders_of_a_study(tmp_path: Path) -> None:
    from whatmoves.data.moving_digits import Config, make

    options = {"image_px": 16, "digit_px": 8, "frames": 3, "validation_clips": 5, "test_clips": 7}
    study = Study.model_validate(
        {"study": "s", "data": {"moving_digits": {"options": options}}, "models": {"mean_frame": {}}}
    )
    with pytest.raises(DataError, match="no such file"):
        get_data_loaders(study, results=tmp_path)
    make(Config(**options), tmp_path / "s" / "data" / "moving_digits")
    loaders = get_data_loaders(study, results=tmp_path, train_clips=9, batch_size=4)
    assert [len(loader) for loader in loaders] == [3, 2, 2]
    sizes = [(len(batch.video), list(table.index)) for batch, table in loaders.test]
    assert sizes == [(4, [0, 1, 2, 3]), (3, [0, 1, 2])]
    assert loaders.train.roles["class_1"].kind == "discrete"
