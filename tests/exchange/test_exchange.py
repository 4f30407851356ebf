"""Factors exchanged one by one: a code of the true factors scores 1, a shuffled one 0, blocks carry what they hold."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from whatmoves.data import moving_digits
from whatmoves.evaluation.stored import PARTS
from whatmoves.evaluation.swaps import Mixer
from whatmoves.exchange.exchange import COPIES, TRUTH, WAYS, Found, enter, exchanged, score
from whatmoves.exchange.floors import floor
from whatmoves.exchange.pairs import CONTENT, FACTORS, MOTION, read_after
from whatmoves.exchange.parts import fitted_parts
from whatmoves.exchange.reading import read
from whatmoves.exchange.task import columns_of, exchange_task
from whatmoves.judging.asking import Coder
from whatmoves.judging.judged import Judged
from whatmoves.judging.path_errors import true_paths

ONE_SIZE = moving_digits.Config(validation_clips=200, test_clips=400)
SIZES = ONE_SIZE.model_copy(update={"size": (0.8, 1.2)})
HOST = torch.device("cpu")


class TrueJudges:
    """Knows the digit, the path and the size of every clip that was drawn from factors."""

    def __init__(self, config: moving_digits.Config) -> None:
        self.config = config
        self.known: dict[bytes, tuple[int, NDArray[np.float64], float]] = {}

    def show(self, factors: pd.DataFrame) -> NDArray[np.uint8]:
        """The clips of a factor table, from now on known."""
        video = moving_digits.render_factors(self.config, factors)
        paths = true_paths(moving_digits, self.config, factors)[:, :, 0]
        sizes = factors["size_1"] if self.config.varies_size else np.ones(len(factors))
        for clip, label, path, size in zip(video, factors.class_1, paths, sizes, strict=True):
            self.known[clip.tobytes()] = int(label), path, float(size)
        return video

    def judge(self, video: NDArray[np.uint8], device: torch.device) -> Judged:
        """As the trained judges would, were they never wrong."""
        answers = [self.known[clip.tobytes()] for clip in video]
        labels, paths, sizes = zip(*answers, strict=True)
        digits, paths = np.eye(10)[[*labels]], np.stack(paths)[:, :, None]
        return Judged(digits, None, digits[:, None], paths, np.array(sizes) if self.config.varies_size else None)


class Oracle:
    """A model whose code is the true factors, turned within two blocks; it draws the nearest digit of the bank."""

    def __init__(
        self, judges: TrueJudges, bank: dict[str, NDArray[Any]], turns: dict[str, NDArray[np.float64]]
    ) -> None:
        self.judges, self.bank, self.turns = judges, bank, turns

    def codes(self, columns: Any) -> dict[str, NDArray[np.float32]]:
        """Blocks `[N, D]` of columns by factor."""
        content = np.concatenate([columns[name] for name in CONTENT if name in columns], axis=1)
        motion = np.concatenate([columns[name] for name in MOTION], axis=1)
        return {"content": (content @ self.turns["content"]).astype(np.float32),
                "motion": (motion @ self.turns["motion"]).astype(np.float32)}  # fmt: skip

    def decode(self, codes: Any) -> torch.Tensor:
        """The rendered clips of codes."""
        content, size = np.split(codes["content"].double().numpy() @ self.turns["content"].T, [18], axis=1)
        motion = codes["motion"].double().numpy() @ self.turns["motion"].T
        weights = np.where(np.arange(content.shape[1]) < 10, 10.0, 1.0)  # its class first, then the nearest hand
        far = np.square((content[:, None] - self.bank["content"][None]) * weights).sum(-1)
        instance = self.bank["instance"][far.argmin(1)]
        angle = np.arctan2(motion[:, 2], motion[:, 3])
        range_px = self.judges.config.range_px
        table = pd.DataFrame({
            "class_1": self.bank["class"][far.argmin(1)], "instance_1": instance,
            **({"size_1": size[:, 0].clip(0.5, 1.5)} if size.size else {}),
            "start_y_1": motion[:, 0].clip(0, range_px), "start_x_1": motion[:, 1].clip(0, range_px),
            "velocity_y_1": motion[:, 4] * np.sin(angle), "velocity_x_1": motion[:, 4] * np.cos(angle),
        })  # fmt: skip
        return torch.from_numpy(self.judges.show(table)).float().div_(255)


@pytest.fixture(scope="module", params=[ONE_SIZE, SIZES], ids=["one size", "sizes"])
def asked(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The task, its judges, an oracle and the numbers of floors and ceiling."""
    config = request.param
    factors = tuple(name for name in FACTORS if config.varies_size or name != "size")
    source = moving_digits.open_source(config, Path())  # nothing stored is read
    train = source.train_split(600).factors
    validation, test = (moving_digits._drawn_split(config, name, 0, 400) for name in ("validation", "test"))
    bank = moving_digits.pictures(config)
    task = exchange_task(moving_digits, config, test.factors)
    judges = TrueJudges(config)
    judges.show(test.factors)
    for of in task.exchanges.values():
        judges.show(of.wanted)
    rng = np.random.default_rng(0)
    turns = {
        name: np.linalg.qr(rng.standard_normal((width, width)))[0]
        for name, width in (("content", 19 if config.varies_size else 18), ("motion", 5))
    }
    told = dict(zip(PARTS, columns_of(bank, train, validation.factors, test.factors), strict=True))
    tested = told["test"]
    content = np.concatenate([tested["class"], tested["hand"]], axis=1)
    known = {
        "content": content,
        "instance": test.factors.instance_1.to_numpy(),
        "class": test.factors.class_1.to_numpy(),
    }
    oracle = Oracle(judges, known, turns)
    frame = {}
    for row in (*COPIES, TRUTH):
        found = Found({}, {}, {})
        right = {name: read(video := floor(row, of, task, test.video), judges.judge(video, HOST), task.questions[name])
                 for name, of in task.exchanges.items()}  # fmt: skip
        for way in WAYS:
            enter(found, way, right)
        frame[row] = found.values
    codes = {part: oracle.codes(columns) for part, columns in told.items()}
    return {
        "task": task,
        "test": test,
        "told": told,
        "judges": judges,
        "oracle": oracle,
        "codes": codes,
        "frame": frame,
        "factors": factors,
    }


def run(asked: dict[str, Any], codes: dict[str, Any], mixer: Mixer) -> Found:
    """All exchanges of the oracle with these codes."""
    parts = fitted_parts(codes["train"], codes["validation"], *(asked["told"][part] for part in PARTS[:2]))
    coder = Coder(asked["oracle"], mixer, HOST)
    return exchanged(coder, codes["test"], parts, asked["task"], asked["judges"], asked["frame"], 100)


def test_pairs_differ_in_all_that_is_asked(asked: dict[str, Any]) -> None:
    for name, of in asked["task"].exchanges.items():
        a, b = (asked["test"].factors.iloc[rows] for rows in of.pairs.T)
        assert ((a.class_1.to_numpy() == b.class_1.to_numpy()) == (name == "hand")).all()
        assert (a.instance_1.to_numpy() != b.instance_1.to_numpy()).all()
        assert len(of.pairs) == 100


def test_floors_and_ceiling_are_read_as_they_are(asked: dict[str, Any]) -> None:
    truth, giver, receiver = (asked["frame"][row] for row in (TRUTH, *COPIES))
    for factor in asked["factors"]:
        assert f"exchange_block_{factor}_{factor}" in truth
        for name in (name for name in read_after(factor) if name in asked["factors"]):
            cell = f"exchange_block_{factor}_{name}"
            assert truth[cell] >= (0.97 if name == "hand" else 1.0), cell
            if name == "class" and factor == "hand":
                continue  # both clips show it
            assert (giver if name == factor else receiver)[cell] >= (0.9 if name == "hand" else 1.0), cell
            assert (receiver if name == factor else giver)[cell] <= 0.25, cell
    assert score("block", truth, asked["frame"]) == 1
    assert [score("block", of, asked["frame"]) for of in (giver, receiver)] in (
        [0, 0],
        [pytest.approx(0, abs=0.02)] * 2,
    )


def test_a_code_of_the_true_factors_scores_one_by_its_parts(asked: dict[str, Any]) -> None:
    found = run(asked, asked["codes"], Mixer("blocks", None))
    assert found.values["exchange_part"] > 0.97
    assert min(found.values[f"exchange_explained_{factor}"] for factor in asked["factors"]) > 0.95
    assert found.values["exchange_none_all"] > 0.97
    assert not found.cannot


def test_blocks_bring_all_that_they_hold(asked: dict[str, Any]) -> None:
    found = run(asked, asked["codes"], Mixer("blocks", None)).values
    if "size" in asked["factors"]:
        assert found["exchange_block_hand_size"] < 0.1  # the size comes along with the block
        assert found["exchange_block_size_size"] > 0.97
        assert found["exchange_block_size_class"] == 0
    else:
        assert found["exchange_block_hand_all"] > 0.97  # class and motion are kept, and the hand is all that differs
    assert found["exchange_block_class_class"] == 1
    assert found["exchange_block_speed_speed"] > 0.97
    assert found["exchange_block_speed_start"] < 0.1  # start and direction come along with the block
    assert found["exchange_block"] < found["exchange_part"]


def test_a_shuffled_code_scores_nothing(asked: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    codes = {
        part: {block: values[rng.permutation(len(values))] for block, values in blocks.items()}
        for part, blocks in asked["codes"].items()
    }
    found = run(asked, codes, Mixer("blocks", None))
    assert found.values["exchange_block"] < 0.05
    assert "exchange_part" not in found.values  # no probe explains anything: no part to exchange
    assert sorted(found.cannot) == sorted(f"exchange_part_{factor}" for factor in asked["factors"])
