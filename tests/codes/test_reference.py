import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mutual_info_score
from sklearn.svm import LinearSVC
from synthetic_codes import rotation

from whatmoves.codes.reference import boosted_importance, reference_classes, reference_scores
from whatmoves.codes.rows import Rows
from whatmoves.errors import DataError

RNG = np.random.default_rng
LABELS = RNG(0).integers(0, 3, size=(450, 2)).astype(float)
NUMBERS = RNG(1).uniform(-1, 1, size=(450, 1))
FACTORS = np.column_stack([LABELS, NUMBERS])
KINDS = ("discrete", "discrete", "continuous")


def run(codes, factors=FACTORS, kinds=KINDS):
    return reference_scores(Rows(codes[:300], factors[:300]), Rows(codes[300:], factors[300:]), kinds)


def by_plain_loops(codes, factors):
    """MIG, modularity and SAP (R²) of training rows, straight from their definitions, one cell at a time."""
    low, high = factors[:, 2].min(), factors[:, 2].max()
    classes = factors[:300].copy()
    classes[:, 2] = np.clip(np.floor((factors[:300, 2] - low) / (high - low) * 10), 0, 9)
    shared, squared = np.zeros((codes.shape[1], 3)), np.zeros((codes.shape[1], 3))
    for d in range(codes.shape[1]):
        column = codes[:300, d]
        binned = np.digitize(column, np.histogram(column, 20)[1][:-1])
        for k in range(3):
            shared[d, k] = mutual_info_score(classes[:, k], binned)
            if column.var() > 1e-12:
                squared[d, k] = np.corrcoef(column, factors[:300, k])[0, 1] ** 2
    entropy = [mutual_info_score(column, column) for column in classes.T]
    ranked, explained = np.sort(shared, axis=0), np.sort(squared, axis=0)
    modular = [0 if not row.any() else 1 - (np.sum(row**2) / row.max() ** 2 - 1) / 2 for row in shared]
    return (
        np.mean((ranked[-1] - ranked[-2]) / entropy),
        np.mean(modular),
        np.mean(explained[-1] - explained[-2]),
    )


@pytest.mark.parametrize(
    "codes",
    [
        FACTORS @ rotation(3, 3),
        np.column_stack([FACTORS + 0.3 * RNG(2).normal(size=FACTORS.shape), np.full(450, 2.5)]),
        np.exp(2 * FACTORS).astype(np.float32),
    ],
    ids=["rotated", "noisy with a dead dimension", "stretched, float32"],
)
def test_exact_scores_agree_with_plain_loops(codes):
    found = run(codes)
    assert (found.mig, found.modularity, found.sap_r2) == pytest.approx(by_plain_loops(codes, FACTORS), abs=1e-6)


def test_values_of_the_original():
    # disentanglement_lib 86a644d run on this very array with scikit-learn 1.9.1; trees: mean of 8 seeds (spread 0.004).
    codes = np.column_stack([FACTORS + 0.3 * RNG(2).normal(size=FACTORS.shape), np.full(450, 2.5)])
    found = run(codes)
    assert found[:3] == pytest.approx((0.5868066387547538, 0.7222542370217926, 0.8482529793685373), abs=1e-6)
    assert found.sap_svm == pytest.approx(0.24, abs=0.01)
    assert found[4:7] == pytest.approx((0.53187, 0.64971, 0.66528), abs=0.02)
    assert found.explicitness == pytest.approx(0.9223151451312166, abs=0.005)


def test_a_dead_code_is_chance_everywhere():
    found = run(np.zeros((450, 3)))
    assert (found.mig, found.modularity, found.sap_r2, found.sap_svm) == (0, 0, 0, 0)
    assert (found.dci_disentanglement, found.dci_completeness) == pytest.approx((0, 0), abs=1e-9)
    assert found.explicitness == 0.5


def test_threads_change_nothing():
    parts = Rows(FACTORS[:100], LABELS[:100].astype(int)), Rows(FACTORS[300:], LABELS[300:].astype(int))
    one, two = (boosted_importance(*parts, threads) for threads in (1, 2))
    assert one[0].tolist() == two[0].tolist()
    assert one[1].tolist() == two[1].tolist()


def test_the_vector_machine_is_not_scale_free():
    # The known fault, kept for comparison: the same information in other units scores otherwise.
    codes = FACTORS[:, :2] + 0.2 * RNG(2).normal(size=(450, 2))
    plain, scaled = (run(c, LABELS, KINDS[:2]) for c in (codes, 0.05 * codes + 4))
    assert abs(plain.sap_svm - scaled.sap_svm) > 0.05
    assert plain.sap_r2 == pytest.approx(scaled.sap_r2)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            440,  # of the test part
            "factor speed has one class in all 300 training rows; a factor must vary there: shuffle the rows, take out "
            "outliers that widen its range, or drop its column",
        ),
        (
            20,  # of the training part: all other rows, the whole test part among them, are in the first tenth
            "factor speed has no class of the 300 training rows in some and not all of the 150 test rows; one is "
            "needed to score: shuffle the rows, take out outliers that widen its range, or drop its column",
        ),
    ],
)
def test_an_outlier_that_leaves_one_class_is_refused_by_name(row, message):
    factors = FACTORS.copy()
    factors[row, 2] = 1e6
    with pytest.raises(DataError) as caught:
        reference_classes(factors[:300], factors[300:], KINDS, ("digit", "colour", "speed"))
    assert str(caught.value) == message
    with pytest.raises(DataError, match="factor 2 has"):
        run(np.zeros((450, 2)), factors)


def test_classes_are_numbered_and_cut_over_both_parts():
    train = np.column_stack([[-3.0, 7, 12, 7], [0.0, 1, 2, 3]])
    test = np.column_stack([[12.0, 3, 7], [10.0, 9.99, -0.0]])
    known, unseen = reference_classes(train, test, ("discrete", "continuous"))
    assert known.T.tolist() == [[0, 2, 3, 2], [0, 1, 2, 3]]
    assert unseen.T.tolist() == [[3, 1, 2], [9, 9, 0]]


GAPPED = ("discrete", "continuous", "discrete", "continuous")


def mixed_case(seed):
    """Codes `[360, 5]`, one dimension dead, and factors `[360, 4]` with negative labels and gaps between labels."""
    rng = RNG(seed)
    factors = np.column_stack(
        [rng.choice([3, 7, 12], 360), rng.normal(size=360), rng.choice([-5, -1, 0, 40], 360), rng.exponential(size=360)]
    )
    spread = factors / factors.std(0)
    codes = spread @ rng.normal(size=(4, 4)) + 0.5 * rng.normal(size=(360, 4))
    codes[:, 0] += 3 * spread[:, 2]
    return np.insert(codes, 2, -1.7, axis=1), factors


def in_tenths(column):
    low, high = min(column), max(column)
    edges = [low + step * ((high - low) / 10) for step in range(10)]
    return [sum(value >= edge for edge in edges) - 1 for value in column]


def told_nats(left, right):
    """Σ p(a, b) ln p(a, b) / p(a) p(b), one cell at a time."""
    rows, total = len(left), 0.0
    for a, b in set(zip(left, right, strict=True)):
        p = sum(x == a and y == b for x, y in zip(left, right, strict=True)) / rows
        total += p * np.log(p / (left.count(a) / rows * (right.count(b) / rows)))
    return total if total > 1e-12 else 0.0


def best_minus_second(values):
    best, second = sorted(values, reverse=True)[:2]
    return best - second


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_second_opinion_one_cell_at_a_time(seed):
    codes, factors = mixed_case(seed)
    classes = [
        in_tenths(list(column)) if kind == "continuous" else list(column)
        for column, kind in zip(factors.T, GAPPED, strict=True)
    ]
    bins = [np.digitize(column, np.histogram(column, 20)[1][:-1]).tolist() for column in codes[:240].T]
    told = [[told_nats(binned, column[:240]) for column in classes] for binned in bins]
    gaps, modular, squared, machine, explicit = [], [], [], [], []
    for k, column in enumerate(classes):
        gaps.append(best_minus_second([row[k] for row in told]) / told_nats(column[:240], column[:240]))
        correlation = [
            0 if d == 2 else np.corrcoef(codes[:240, d], factors[:240, k])[0, 1] ** 2 for d in range(codes.shape[1])
        ]
        squared.append(best_minus_second(correlation))
        accuracies = []
        for d in range(codes.shape[1]):
            svm = LinearSVC(C=0.01, class_weight="balanced", random_state=0).fit(codes[:240, [d]], column[:240])
            accuracies.append(np.mean(svm.predict(codes[240:, [d]]) == np.array(column[240:])))
        machine.append(best_minus_second(accuracies))
        alive = codes[:, [0, 1, 3, 4]]
        alive = (alive - alive[:240].mean(0)) / alive[:240].std(0)
        model = LogisticRegression().fit(alive[:240], column[:240])
        areas = []
        for number, name in enumerate(model.classes_):
            chance = model.predict_proba(alive[240:])[:, number]
            own = np.array(column[240:]) == name
            if own.any():
                wins = [(a > b) + (a == b) / 2 for a in chance[own] for b in chance[~own]]
                areas.append(np.mean(wins))
        explicit.append(np.mean(areas))
    for row in told:
        best = max(row)
        rest = sum(m**2 for m in row) - best**2
        modular.append(0 if best == 0 else 1 - rest / (best**2 * 3))
    found = reference_scores(Rows(codes[:240], factors[:240]), Rows(codes[240:], factors[240:]), GAPPED)
    second = [np.mean(values) for values in (gaps, modular, squared, machine, explicit)]
    assert [*found[:4], found.explicitness] == pytest.approx(second, abs=1e-9)


@pytest.mark.parametrize(
    ("codes", "columns"),
    [
        (FACTORS[:, :1], [0]),
        (FACTORS[:, 2:] + 0.2, [0, 2]),
        (np.column_stack([FACTORS[:, 0], np.full(450, 1e17), 1e8 + 3e-8 * NUMBERS[:, 0]]), [0, 1]),
        (np.full((450, 1), 3.3), [0, 1]),
        (np.full((450, 1), 3.3), [2]),
        (np.full((450, 2), -1e12), [0, 2]),
    ],
    ids=["one of one", "one dimension", "rounding", "dead, one dimension", "dead, one of one", "large and dead"],
)
def test_corners_are_numbers_in_range(codes, columns):
    found = run(codes, FACTORS[:, columns], [KINDS[k] for k in columns])
    assert all(0 <= score <= 1 for score in found), found
    if np.ptp(codes) == 0:
        nothing = (found.mig, found.modularity, found.sap_r2, found.dci_disentanglement, found.dci_completeness)
        assert nothing == (0, 0, 0, 0, 0)
        assert found.explicitness == 0.5


def test_one_dimension_and_one_factor_by_convention():
    # No runner-up: the gaps are the best itself; nothing to mix: modularity, disentanglement and completeness are 1.
    # (Of two classes: a line through one dimension cannot tell the middle one of three.)
    sign = np.where(LABELS[:, :1] > 0, 1.0, -1.0)
    assert run(sign, sign, KINDS[:1]) == pytest.approx((1, 1, 1, 1, 1, 1, 1, 1), abs=1e-9)
    # One dimension, two factors: its information about each over that factor's entropy.
    code = FACTORS[:, :1] + 0.1 * FACTORS[:, 1:2]
    bins = np.digitize(code[:300, 0], np.histogram(code[:300, 0], 20)[1][:-1])
    expected = np.mean([mutual_info_score(bins, f) / mutual_info_score(f, f) for f in FACTORS[:300, :2].astype(int).T])
    assert run(code, LABELS, KINDS[:2]).mig == pytest.approx(expected, abs=1e-9)
