"""Files that people bring to `whatmoves score`: the same score where a change means nothing, else a word about it."""

import zipfile

import numpy as np
import pytest

from whatmoves.codes.codes_file import read_codes
from whatmoves.codes.score import per_dimension, score_file
from whatmoves.commands import score as command
from whatmoves.errors import DataError

N = 600
RNG = np.random.default_rng(0)
LABEL, PLACE = RNG.integers(0, 5, N), RNG.uniform(0, 10, N)
CODES = np.stack([LABEL + 0.1 * RNG.normal(size=N), PLACE + 0.2 * RNG.normal(size=N), RNG.normal(size=N)], 1)
FACTORS = np.stack([LABEL, PLACE], 1)
PLAIN = {"codes": CODES, "factors": FACTORS, "factor_kinds": np.array(["discrete", "continuous"])}
ROLES = {"content_factors": np.array([0]), "motion_factors": np.array([1])}
NANOSECONDS = (PLACE * 1e9).astype(np.int64) + 1_700_000_000_000_000_000


def saved(folder, **changes):
    np.savez(folder / "codes.npz", **{**PLAIN, **changes})
    return folder / "codes.npz"


def with_value(table, row, column, value):
    table = table.copy()
    table[row, column] = value
    return table


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return headlines(read_codes(saved(tmp_path_factory.mktemp("plain"))))


def headlines(coded):
    found = per_dimension(coded)
    keys = [("mig", "score"), ("sap", "r2"), ("sap", "nonlinear"), ("sap", "svm"), ("explicitness", "score")]
    keys += [("dci", "disentanglement"), ("dci", "informativeness"), ("modularity", "score")]
    return {" ".join(key): found[key[0]][key[1]] for key in keys}


@pytest.mark.parametrize(
    ("changes", "tolerance"),
    [
        pytest.param({"codes": CODES * 1e-20}, 1e-6, id="tiny"),
        pytest.param({"codes": (CODES * 1e-20).astype("f4")}, 2e-3, id="tiny single precision"),
        pytest.param({"codes": CODES * 1e20}, 1e-6, id="large"),
        pytest.param({"codes": CODES * 1e300}, 1e-6, id="squares leave double precision"),
        pytest.param({"codes": CODES * [1e-20, 1, 1e20]}, 2e-3, id="a unit each dimension"),
        pytest.param({"codes": CODES + 1e10}, 2e-3, id="far from zero"),
        pytest.param({"codes": (CODES * 1e9).astype(np.int64) + 1_700_000_000_000_000_000}, 2e-3, id="whole numbers"),
        pytest.param({"codes": CODES.astype(np.longdouble)}, 1e-6, id="longdouble"),
        pytest.param({"codes": CODES.astype(">f8")}, 1e-6, id="other byte order"),
        pytest.param({"codes": CODES.astype("f2"), "factors": FACTORS.astype("f2")}, 5e-3, id="half"),
        pytest.param({"factors": np.stack([LABEL, NANOSECONDS], 1)}, 2e-3, id="nanoseconds"),
        pytest.param({"factors": np.stack([LABEL, NANOSECONDS.astype(float)], 1)}, 2e-3, id="nanoseconds as doubles"),
        pytest.param({"factors": FACTORS * [1, 1e-200]}, 1e-6, id="tiny factor"),
        pytest.param({"factors": np.stack([LABEL, PLACE], 1).astype(np.longdouble)}, 1e-6, id="longdouble factors"),
        pytest.param({"factor_kinds": np.array([b"discrete", b"continuous"])}, 0, id="kinds as bytes"),
        pytest.param({"n_train": np.array([[400.0]])}, 0, id="n_train from MATLAB"),
        pytest.param({"meta": np.array({"any": 1}, dtype=object)}, 0, id="an object nobody asks for"),
    ],
)
def test_what_means_nothing_changes_nothing(tmp_path, plain, changes, tolerance):
    coded = read_codes(saved(tmp_path, **changes))
    assert coded.warnings == ()
    assert headlines(coded) == pytest.approx(plain, abs=tolerance)


def test_ordinary_codes_are_left_as_they_are(tmp_path):
    for codes in (CODES, CODES.astype("f4"), CODES * 100 + 200, CODES * [0.01, 1, 1]):
        coded = read_codes(saved(tmp_path, codes=codes))
        np.testing.assert_array_equal(coded.rows.codes, codes)
        assert coded.rows.codes.dtype == codes.dtype
        assert not coded.other_units
    assert read_codes(saved(tmp_path, codes=CODES * 1e20)).other_units


def test_class_numbers_that_doubles_merge_stay_apart(tmp_path):
    factors = np.stack([LABEL + 2**62, np.arange(N)], 1)
    assert len(np.unique(read_codes(saved(tmp_path, factors=factors)).rows.factors[:, 0])) == 5


LATE = np.stack([LABEL, np.where(np.arange(N) < 330, 0.0, PLACE)], 1)
NO_COUNT = "expected one whole number: how many of the rows, from the first, are for training"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"factors": FACTORS + np.array([0.5, 0])},
            "factor 0 is discrete but holds 0.5; number its classes 0, 1, …, or mark it",
        ),
        (
            {"factors": LATE},
            "factor 1 is 0 in all 320 rows that probes are fitted on, the first of 400 training rows; "
            "a factor must vary: drop its column or shuffle the rows",
        ),
        ({"n_train": np.array([], int)}, f"n_train is int64 [0]; {NO_COUNT}"),
        ({"n_train": np.nan}, f"n_train is nan; {NO_COUNT}"),
        ({"n_train": np.inf}, f"n_train is inf; {NO_COUNT}"),
        ({"n_train": 0.7}, f"n_train is 0.7; {NO_COUNT}"),
        ({"n_train": "400"}, f"n_train is '400'; {NO_COUNT}"),
        ({"n_train": np.arange(N) < 400}, f"n_train is bool [600]; {NO_COUNT}"),
        ({"n_train": -5}, "n_train is -5 of 600 rows; expected some training rows and at least 20 test rows"),
        ({"n_train": np.uint64(2**63)}, "n_train is 9223372036854775808 of 600 rows; expected some training rows"),
        (
            {"codes": CODES[:1], "factors": FACTORS[:1]},
            "too few rows (1): without n_train a third of them is for tests",
        ),
        ({"codes": CODES[:, :0]}, "codes is float64 [600, 0]; expected a table of numbers, one row a sample"),
        ({"codes": CODES.astype(complex)}, "codes is complex128 [600, 3]; expected a table of numbers"),
        ({"factors": FACTORS.astype(str)}, "factors holds text; expected numbers: numpy.unique(words, return_inverse"),
        ({"codes": CODES.astype(object)}, "array 'codes' is not readable (it holds Python objects); save plain arrays"),
        (
            {"factor_names": np.array(["place", "place"])},
            "factor_names has 'place' for columns 0 and 1; every factor needs a name of its own",
        ),
        (
            {**ROLES, "content_factors": np.array(["0", "0"])},
            "content_factors is [0, 0]; expected one or more different",
        ),
        (
            {**ROLES, "content_dims": np.array(["a"]), "motion_dims": np.array([1])},
            "content_dims names 'a'; expected numbers of dimensions",
        ),
    ],
)
def test_refused_in_one_line(tmp_path, changes, message):
    path = saved(tmp_path, **changes)
    with pytest.raises(DataError) as caught:
        read_codes(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_files_of_another_kind_are_refused_in_one_line(tmp_path):
    good = saved(tmp_path).read_bytes()
    cases = {"array.npy": "no .npz file", "cut.npz": "no .npz file", "folder.npz": "a folder", "flip.npz": "'codes'"}
    np.save(tmp_path / "array.npy", CODES)
    (tmp_path / "cut.npz").write_bytes(good[: len(good) // 2])
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "flip.npz").write_bytes(good[:2000] + bytes([good[2000] ^ 255]) + good[2001:])
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as archive:
        archive.writestr("z.npy", "")
    for name, words in {**cases, "other.npz": "the file holds z", "none.npz": "no such file"}.items():
        with pytest.raises(DataError) as caught:
            read_codes(tmp_path / name)
        assert words in str(caught.value)
        assert "run the step" not in str(caught.value)


BY_LABEL = np.argsort(LABEL, kind="stable")
SENTINEL = np.where(np.arange(N)[:, None] % 20 == 0, -9999.0, CODES)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param(
            {"codes": with_value(CODES, 17, 0, 1e6)},
            "codes[17, 0] is 1e+06, 2.3e+05 times the range of the other rows (-0.19",
            id="one outlier",
        ),
        pytest.param({"codes": with_value(CODES, 17, 0, 80)}, "codes[17, 0] is 80, 17 times", id="a near outlier"),
        pytest.param({"codes": SENTINEL}, "29 more rows as well (and so in 1 more column)", id="a number for nothing"),
        pytest.param({"factors": with_value(FACTORS, 17, 1, 1e6)}, "factor 1 of row 17 is 1e+06", id="a factor's"),
        pytest.param(
            {"codes": CODES[BY_LABEL], "factors": FACTORS[BY_LABEL]},
            "factor 0: 137 of the 200 test rows have values that none of the 400 rows before them has",
            id="sorted by class",
        ),
        pytest.param(
            {"factors": np.stack([np.where((np.arange(N) >= 400) & (LABEL < 2), 2, LABEL), PLACE], 1)},
            "factor 0: the 200 test rows hold other values than the 400 rows before them (39% of them would have to",
            id="other shares of classes",
        ),
        pytest.param(
            {"codes": np.where(np.arange(N)[:, None] == 5, 1e5, np.eye(5)[LABEL])},
            "codes[5, 0] is 100000, 1e+05 times the range of the other rows (0 … 1) away (and so in 4 more columns)",
            id="an outlier of an indicator",
        ),
        pytest.param(
            {"codes": np.stack([CODES[:, 0], np.where(np.arange(N) < 400, 0, PLACE)], 1)},
            "dimension 1 of codes is 0 in all 320 rows that probes are fitted on and changes later",
            id="a dimension that rests in training",
        ),
        pytest.param(
            {"factors": np.stack([LABEL, 60 * PLACE + 1.7e9], 1).astype("f4")},
            "factor 1 is 1.7e+09 … 1.70000064e+09: float32 has 5 steps there, to which it is rounded",
            id="seconds since 1970 in single precision",
        ),
        pytest.param(
            {"codes": np.stack([LABEL, PLACE, 0.1 + 1e-8 * (np.arange(N) % 3)], 1).astype("f4")},
            "dimension 2 of codes is 0.100000001 … 0.100000016: float32 has 2 steps there, so it is taken for constant",
            id="rounding of a constant",
        ),
        pytest.param({"ntrain": 300}, "array 'ntrain' is not read; was 'n_train' meant?", id="a misspelt array"),
    ],
)
def test_scores_that_mislead_come_with_a_word(tmp_path, changes, words):
    warnings = read_codes(saved(tmp_path, **changes)).warnings
    assert len(warnings) == 1
    assert words in warnings[0]
    assert "\n" not in warnings[0]


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param(np.eye(5)[LABEL] + 1e-3 * RNG.normal(size=(N, 5)), id="an indicator a class"),
        pytest.param(np.where(RNG.random((N, 3)) < 0.97, 0, CODES), id="sparse"),
        pytest.param(np.where(RNG.random((N, 3)) < 0.9, 0, np.exp(CODES)), id="sparse and skewed"),
        pytest.param(RNG.normal(size=(N, 40)), id="noise"),
        pytest.param(np.stack([LABEL == 0, np.arange(N) % 100 == 0], 1).astype(float), id="a rare class"),
    ],
)
def test_ordinary_codes_are_not_doubted(tmp_path, codes):
    assert read_codes(saved(tmp_path, codes=codes)).warnings == ()


def test_one_direction_is_not_split(tmp_path):
    for second in (np.ones(N), CODES[:, 0]):
        found = score_file(saved(tmp_path, codes=np.stack([CODES[:, 0], second], 1), **ROLES))
        assert "learned_split" not in found
        assert found["not_computed"]["learned_split"].startswith("fewer than two directions")


def test_a_warning_goes_to_stderr_and_into_the_scores(tmp_path, monkeypatch, capsys, caplog):
    from argparse import Namespace

    monkeypatch.setattr("whatmoves.codes.score.per_dimension", lambda coded: {"dci": {"informativeness": 1.0}})
    monkeypatch.setattr("whatmoves.codes.score._by_block", lambda coded: {})
    command.run(Namespace(codes=saved(tmp_path, ntrain=300), json=True, reference=False))
    assert '"warnings": [' in capsys.readouterr().out
    assert caplog.messages == ["warning: array 'ntrain' is not read; was 'n_train' meant?"]
