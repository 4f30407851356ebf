"""What is odd about a data set, found by computation alone: each finding is a sentence with the part and the clips.

Odd is not wrong: a black ground is the same in all clips, and a set may hold one class more often on purpose.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from whatmoves.data.clips import Split
from whatmoves.data.factor_tables import FactorRole
from whatmoves.using.data_facts import Parts, clip_digests

NAMED = 4  # clips that a sentence names
PILED_SHARE, PILED_TIMES = 0.01, 8  # an end of the range is a pile if it holds this share, and so often its neighbours
FLAT_SHARE = 0.5  # from here on an end of the range is the ground of the pictures
REPEATED_SHARE = 0.01  # of frames
CLASSES = 100  # most values of a factor that count as classes
UNEVEN_TIMES, UNEVEN_P = 2, 1e-4
FEWEST = 10  # clips that can say what is usual
FAR_DEVIATIONS, FAR_LEVELS = 8, 12  # a clip's mean from the middle one, in robust deviations and in levels of 255
APART_ERRORS, APART_LEVELS = 6, 3  # the means of two parts, in standard errors and in levels


def oddities(parts: Parts, histograms: Mapping[str, NDArray[np.int64]], roles: Mapping[str, FactorRole]) -> list[str]:
    """All that is odd about the parts of a data set, in sentences; none where nothing is.

    `histograms` are those of the parts' videos, `roles` tell of the factors that the parts have.
    """
    found = [*same_pixels(parts), *equal_channels(parts)]
    for name, split in parts.items():
        found += [*stillness(name, split), *piles(name, histograms[name]), *far_means(name, split)]
        found += classes(name, split, roles)
    found += [*conditions(parts, "actions"), *conditions(parts, "states")]
    return [*found, *fixed_factors(parts, roles), *copies(parts), *parts_apart(parts)]


def same_pixels(parts: Parts) -> Iterator[str]:
    """Pixels that hold one value in all frames of all clips."""
    low = np.minimum.reduce([split.video.min((0, 1)) for split in parts.values()])
    high = np.maximum.reduce([split.video.max((0, 1)) for split in parts.values()])
    same = (low == high).all(0)
    if same.all():
        yield "every pixel holds the same value in all frames of all clips: nothing moves and nothing differs"
    elif same.any():
        value = f", {low[:, same][0, 0]}," if np.ptp(low[:, same]) == 0 else ""
        yield f"{_share(same.mean())} of the pixels hold the same value{value} in all frames of all clips"


def equal_channels(parts: Parts) -> Iterator[str]:
    """Grey pictures that are stored in colour."""
    clips = chain.from_iterable(split.video for split in parts.values())
    if all(clip.shape[1] > 1 and (clip == clip[:, :1]).all() for clip in clips):
        yield "the colour channels are equal in all clips: grey pictures, stored in colour"


def stillness(name: str, split: Split) -> Iterator[str]:
    """Clips that stand still, clips of a single value, and frames that only repeat the one before."""
    video = split.video
    repeated = np.array([(clip[1:] == clip[:-1]).all((1, 2, 3)) for clip in video])  # [N, T − 1]
    still = repeated.all(1)
    blank = still & (video[:, 0].min((1, 2, 3)) == video[:, 0].max((1, 2, 3)))
    if blank.any():
        yield f"{_clips(blank, name)} one value in every pixel of every frame"
    if (still & ~blank).any():
        yield f"{_clips(still & ~blank, name, 'stands', 'stand')} still: all frames are the same"
    moving = repeated[~still]
    if moving.size and moving.mean() >= REPEATED_SHARE:
        yield f"{_share(moving.mean())} of the frames of moving clips of {name} repeat the frame before"


def piles(name: str, counts: NDArray[np.int64]) -> Iterator[str]:
    """An end of the range of intensities, 0 or 255, that holds far more than the values beside it."""
    total = counts.sum()
    for value, beside in ((0, counts[1:5]), (255, counts[251:255])):
        share, usual = counts[value] / total, beside.mean() / total
        if PILED_SHARE <= share < FLAT_SHARE and share > PILED_TIMES * max(usual, 1 / total):
            yield f"{_share(share)} of the values of {name} are {value}, far more than beside it: clipped, or drawn so"


def far_means(name: str, split: Split) -> Iterator[str]:
    """Clips whose mean intensity is far from that of the others."""
    means = clip_means(split.video)
    away = np.abs(means - np.median(means))
    deviation = 1.4826 * np.median(away)  # a normal distribution's, from the middle deviation
    far = away > max(FAR_DEVIATIONS * deviation, FAR_LEVELS)
    if len(means) >= FEWEST and far.any():
        usual = f"{means[far][0]:.0f}, where {np.median(means):.0f} is usual"
        yield f"{_clips(far, name)} a mean intensity far from the others': {usual}"


def conditions(parts: Parts, what: str) -> Iterator[str]:
    """Numbers of `actions` or `states` that are not finite, never change, or pile up at their least or largest."""
    given = {name: getattr(split, what) for name, split in parts.items() if getattr(split, what) is not None}
    for number in range(min((values.shape[-1] for values in given.values()), default=0)):
        name = f"{what.removesuffix('s')} {number}"
        columns = {part: values[..., number] for part, values in given.items()}
        for part, column in columns.items():
            bad = ~np.isfinite(column).all(1)
            if bad.any():
                yield f"{_clips(bad, part)} a value of {name} that is no finite number"
        finite = {part: column[np.isfinite(column)] for part, column in columns.items()}
        fixed = [part for part, column in finite.items() if column.size and np.ptp(column) == 0]
        if fixed:
            where = "all clips" if len(fixed) == len(columns) else " and ".join(fixed)
            yield f"{name} never changes within {where}: it is {finite[fixed[0]][0]:g}"
        values, times = np.unique(np.concatenate([*finite.values()]), return_counts=True)
        if len(values) > CLASSES:  # fewer are buttons
            ends = [(value, share) for value, share in zip(values, times / times.sum(), strict=True)][
                :: len(values) - 1
            ]
            piled = [f"{_share(share)} are {value:g}" for value, share in ends if share >= PILED_SHARE]
            if piled:
                yield f"{name} piles up at its end, {' and '.join(piled)}: clipped, or meant so"


def classes(name: str, split: Split, roles: Mapping[str, FactorRole]) -> Iterator[str]:
    """Classes that are shown far more often than others, more than chance allows."""
    for factor, described in roles.items():
        found, times = np.unique(split.factors[factor], return_counts=True)
        if described.role == "content" and described.kind == "discrete" and 2 <= len(found) <= CLASSES:
            uneven = times.max() >= UNEVEN_TIMES * times.min() and stats.chisquare(times).pvalue < UNEVEN_P
            if uneven:
                most, least = times.argmax(), times.argmin()
                yield (
                    f"{factor} of {name} is unbalanced: {found[most]} in {times[most]} clips, "
                    f"{found[least]} in {times[least]}"
                )


def fixed_factors(parts: Parts, roles: Mapping[str, FactorRole]) -> Iterator[str]:
    """Factors that have one value in all clips of all parts."""
    for factor in roles:
        values = np.concatenate([split.factors[factor].to_numpy() for split in parts.values()])
        if len(values) > 1 and (values == values[0]).all():
            yield f"factor {factor} never varies: it is always {values[0]:g}"


def copies(parts: Parts) -> Iterator[str]:
    """Clips that are the same, within a part and between two."""
    digests = {name: clip_digests(split.video) for name, split in parts.items()}
    for name, own in digests.items():
        first: dict[bytes, int] = {}
        twice = np.array([first.setdefault(digest, row) != row for row, digest in enumerate(own)])
        if twice.any():
            yield f"{_clips(twice, name)} the frames of an earlier one of {name}"
    for one, other in combinations(digests, 2):
        shared = np.isin(np.array(digests[other]), np.array(digests[one]))
        if shared.any():
            yield f"{_clips(shared, other, 'is', 'are')} in {one} too"


def parts_apart(parts: Parts) -> Iterator[str]:
    """Two parts whose mean intensities differ by more than chance."""
    means = {name: clip_means(split.video) for name, split in parts.items()}
    for one, other in combinations(means, 2):
        first, second = means[one], means[other]
        apart = abs(first.mean() - second.mean())
        error = np.sqrt(first.var() / len(first) + second.var() / len(second))
        if apart > max(APART_ERRORS * error, APART_LEVELS):
            yield f"{one} and {other} differ in mean intensity, {first.mean():.0f} and {second.mean():.0f}"


def clip_means(video: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean intensity of each clip of `[N, T, C, H, W]`, 0 … 255."""
    return np.array([clip.mean() for clip in video])


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "under 1%"


def _clips(which: NDArray[np.bool_], part: str, one: str = "has", many: str = "have") -> str:
    """`3 of 40 clips of test (4, 7, 9) have`: how many, which, and a verb."""
    rows: Sequence[int] = np.flatnonzero(which).tolist()
    named = ", ".join(map(str, rows[:NAMED])) + (", …" if len(rows) > NAMED else "")
    return f"{len(rows)} of {len(which)} clips of {part} ({named}) {one if len(rows) == 1 else many}"
