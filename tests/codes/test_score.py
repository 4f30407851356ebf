import json

import numpy as np
import pytest
from synthetic_codes import KINDS, clip_factors, content_block, motion_block

from whatmoves.codes import score
from whatmoves.codes.score import as_text, score_file
from whatmoves.errors import DataError
from whatmoves.files import write_arrays

FACTORS = clip_factors(900)
CODES = np.concatenate([content_block(FACTORS), motion_block(FACTORS)], axis=1).astype(np.float32)
GOOD = {"codes": CODES, "factors": FACTORS, "factor_kinds": np.array(KINDS), "n_train": np.array(700)}
ROLES = {"content_factors": np.array([0]), "motion_factors": np.array([1, 2, 3, 4])}
BLOCKS = {"content_dims": np.arange(12), "motion_dims": np.arange(12, 24)}


def stored(folder, **arrays):
    path = folder / "codes.npz"
    write_arrays(path, {name: np.asarray(array) for name, array in arrays.items()})
    return path


def test_given_blocks(tmp_path):
    found = score_file(stored(tmp_path, **GOOD, **ROLES, **BLOCKS))
    assert found["blocks"]["block_gap"]["score"] > 0.9
    assert found["dependence"]["dcor"]["p"] > 0.001
    assert found["settings"]["rows"] == {
        "all": 900,
        "train": 700,
        "probe_train": 560,
        "probe_validation": 140,
        "test": 200,
    }
    assert found["settings"]["code_bins"] == 20
    assert set(found["per_dimension"]) == {"mig", "sap", "dci", "modularity", "explicitness"}
    assert found["versions"]["scikit-learn"]
    assert found["not_computed"]["infomec"]
    assert "reference" not in found
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert "blocks.block_gap.score" in as_text(found)


def test_codes_without_blocks_get_a_learned_split_and_a_floor(tmp_path):
    names = {"factor_names": np.array(["class", "y", "x", "vy", "vx"]), "content_factors": np.array(["class"])}
    found = score_file(stored(tmp_path, **GOOD, **{**ROLES, **names}))
    assert found["factors"]["class"] == "discrete"
    assert found["learned_split"]["block_gap"]["score"] > 0.8 > found["random_splits"]["block_gap"]
    assert "blocks" not in found


def test_dead_dimensions_are_named_and_no_error(tmp_path):
    codes = np.column_stack([np.zeros(900), FACTORS[:, :1], np.ones(900)])
    found = score_file(stored(tmp_path, codes=codes, factors=FACTORS[:, :1], factor_kinds=np.array(["discrete"])))
    assert found["dead_dims"] == [0, 2]
    assert found["settings"]["rows"]["train"] == 600
    dead = score_file(stored(tmp_path, **{**GOOD, "codes": np.zeros((900, 24))}, **ROLES))
    assert dead["learned_split"]["block_gap"]["score"] == 0
    assert dead["per_dimension"]["explicitness"]["score"] == 0.5


def test_reference_values_come_under_their_key(tmp_path):
    factors = np.random.default_rng(0).integers(0, 3, size=(400, 2))
    arrays = {"codes": factors + 0.1, "factors": factors, "factor_kinds": np.array(["discrete"] * 2)}
    found = score_file(stored(tmp_path, **arrays), reference=True)["reference"]
    assert sorted(found) == [
        "dci_completeness",
        "dci_disentanglement",
        "dci_informativeness",
        "explicitness",
        "mig",
        "modularity",
        "sap_r2",
        "sap_svm",
    ]
    assert found["mig"] > 0.95


def changed(name, row, column, value):
    table = GOOD[name].copy()
    table[row, column] = value
    return {name: table}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            changed("codes", 3, 5, np.nan),
            "codes[3, 5] is nan, the first of 1 such values; every value must be finite: drop those rows",
        ),
        (
            changed("factors", slice(None), 2, 0.5),
            "factor 2 is 0.5 in all 700 training rows; a factor must vary: drop its column or shuffle the rows",
        ),
        (
            changed("factors", slice(700, None), 0, 3),
            "factor 0 is 3 in all 200 test rows; a factor must vary: drop its column or shuffle the rows",
        ),
        ({"codes": CODES[:800]}, "codes has 800 rows and factors 900; both need one row a sample"),
        ({"codes": CODES[:, 0]}, "codes is float32 [900]; expected a table of numbers, one row a sample"),
        ({"factor_kinds": np.array(KINDS[:4])}, "factor_kinds has 4 entries; expected 5, one a factor column"),
        (
            {"factor_kinds": np.array([*KINDS[:4], "ordinal"])},
            "factor_kinds of factor 4 is 'ordinal'; expected one of discrete, continuous",
        ),
        ({"n_train": 890}, "n_train is 890 of 900 rows; expected some training rows and at least 20 test rows"),
        (
            {"n_train": 40},
            "40 training rows are too few for factor 0 with 10 classes: "
            "a useless code would show 2.14 of its {entropy:.2f} nats; give {needed} rows or more, "
            "or mark a factor of many values continuous",
        ),
        (
            {**ROLES, **BLOCKS, "motion_dims": np.arange(12, 25)},
            "motion_dims holds {dims}; every index must be in 0…23",
        ),
        (
            {**ROLES, **BLOCKS, "motion_dims": np.arange(11, 24)},
            "11 is in both content_dims and motion_dims; each index has one role",
        ),
        (
            {"content_factors": [0]},
            "content_factors is there without its other half; give both of content_factors and motion_factors",
        ),
        ({**ROLES, "content_factors": ["klass"]}, "content_factors names 'klass'; expected one of 0, 1, 2, 3, 4"),
        (BLOCKS, "content_dims needs content_factors and motion_factors, to know what belongs where"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, arrays, message):
    shares = np.bincount(FACTORS[:40, 0].astype(int)) / 40
    entropy = -np.sum(shares * np.log(shares))
    path = stored(tmp_path, **{**GOOD, **arrays})
    with pytest.raises(DataError) as caught:
        score_file(path)
    expected = message.format(
        entropy=entropy,
        needed=int(np.ceil(19 * 9 / entropy)),
        dims=list(range(12, 25)),
    )
    assert str(caught.value) == f"{path}: {expected}"


def test_a_missing_array_is_named(tmp_path):
    path = stored(tmp_path, codes=CODES, factors=FACTORS)
    with pytest.raises(DataError, match="array 'factor_kinds' is missing; expected codes"):
        score_file(path)


def test_real_numbers_marked_discrete_are_caught(tmp_path):
    # One class a row would make any code's information the whole entropy.
    with pytest.raises(DataError, match=r"with 700 classes.*or mark a factor of many values continuous"):
        score_file(stored(tmp_path, **{**GOOD, "factor_kinds": np.array(["discrete"] * 5)}))


NAMES = np.array(["class", "y", "x", "vy", "vx"])


@pytest.mark.parametrize(
    ("changes", "reference", "message"),
    [
        (changed("factors", 800, 3, 1e6), True, "factor vy has one class in all 700 training rows"),
        (changed("factors", 100, 3, 1e6), True, "factor vy has no class of the 700 training rows in some"),
        (
            {"factors": np.column_stack([FACTORS[:, :4], np.arange(900) % 15 == 0])},
            False,
            "factor vx is 0 in most of 900 rows, so 10 equal-frequency classes are only one; mark it discrete",
        ),
        (
            {"factors": np.column_stack([np.where(np.arange(900) < 700, 0, 5) + np.arange(900) % 3, FACTORS[:, 1:]])},
            False,
            "factor class has no class of the 700 training rows in some",
        ),
    ],
)
def test_factors_that_nothing_could_be_fitted_on_are_refused_first(tmp_path, monkeypatch, changes, reference, message):
    monkeypatch.setattr(score, "per_dimension", lambda coded: pytest.fail("long work started"))
    path = stored(tmp_path, **{**GOOD, "factor_names": NAMES, **changes})
    with pytest.raises(DataError) as caught:
        score_file(path, reference=reference)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_noise_is_told_beside_its_dci(tmp_path):
    """Codes that know nothing may look disentangled; good ones get no such word."""
    noise = np.random.default_rng(1).normal(size=GOOD["codes"].shape)
    told = [word for word in score_file(stored(tmp_path, **{**GOOD, "codes": noise}))["warnings"] if "dci" in word]
    assert len(told) == 1
    assert "mean nothing" in told[0]
    assert not [word for word in score_file(stored(tmp_path, **GOOD))["warnings"] if "dci" in word]
