"""A data set in words: its card, sizes, parts, conditions and factors, and what is odd about it."""

from collections.abc import Iterator, Mapping
from typing import Any

INDENT = "  "


def in_words(facts: Mapping[str, Any]) -> str:
    """The facts of `whatmoves data info` as a page of text."""
    return "\n".join(_lines(facts)) + "\n"


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"{facts['name']}: a data set of kind {facts['kind']} in the study {facts['study']}"
    yield from _card(facts["card"], facts["kind"])
    yield ""
    yield shape_in_words(facts)
    yield rate_in_words(facts)
    if not facts["made"]:
        yield f"its splits are not made yet; `{facts['make']}` makes them"
    yield ""
    for name, part in facts["parts"].items():
        yield part_in_words(name, part)
    yield from _conditions(facts["parts"])
    yield from _factors(facts["parts"], facts["roles"])
    if facts["checksums"]:
        yield "\nwhat was made, from the receipt: SHA-256, bytes, file"
        for name, found in facts["checksums"].items():
            size = f"{found['size']:,}" if "size" in found else f"{found['files']} files"
            yield f"{INDENT}{found.get('sha256', found.get('tree'))} {size:>15} {name}"
    yield ""
    yield from odd_lines(facts["odd"])


def heading(facts: Mapping[str, Any]) -> list[str]:
    """What stands above pictures of a data set: its name, sizes, rate, and the values of each part."""
    made = "" if facts["made"] else "; its splits are not made yet"
    parts = [part_in_words(name, part) for name, part in facts["parts"].items()]
    return [
        f"{facts['name']}, of kind {facts['kind']}{made}",
        f"{shape_in_words(facts)}; {rate_in_words(facts)}",
        *parts,
    ]


def rate_in_words(facts: Mapping[str, Any]) -> str:
    """Frames a second, where a data set knows them."""
    if facts["rates_hz"] is None:
        return "no frame rate is known: frames are counted"
    low, high = (f"{rate:.4g}" for rate in facts["rates_hz"])
    return f"{low} frames a second" if low == high else f"{low} to {high} frames a second"


def _card(card: Mapping[str, Any] | None, kind: str) -> Iterator[str]:
    if card is None:
        yield f"{INDENT}no card is known of the kind {kind}"
        return
    note = f" ({card['licence_note']})" if card["licence_note"] else ""
    said = {
        "what": card["what"],
        "source": card["source"],
        "licence": card["licence"] + note,
        "cite": ", ".join(card["citations"]),
        "size": card["size"],
        "splits": card["splits"],
        "checksums": f"\n{INDENT}{'':<13}".join(card["checksums"]),
        "conventions": card["conventions"],
        "known flaws": card["flaws"],
    }
    for word, text in said.items():
        if text:
            yield f"{INDENT}{word + ':':<13}{text}"


def shape_in_words(facts: Mapping[str, Any]) -> str:
    """`12 frames of 32×32 pixels, grey; 4 actions and no states a frame`."""
    clip = facts["clip"]
    colour = {1: "grey", 3: "colour"}.get(clip["channels"], f"{clip['channels']} channels")
    given = " and ".join(f"{clip[name] or 'no'} {name}" for name in ("actions", "states"))
    return f"a clip: {clip['frames']} frames of {clip['width']}×{clip['height']} pixels, {colour}; {given} a frame"


def part_in_words(name: str, part: Mapping[str, Any]) -> str:
    """Clips and intensities of a part: `test: 40 clips; values 0 … 255, mean 8.7, deviation 31.4; 86% black, …`."""
    values = part["intensities"]
    tones = ", ".join(f"{_share(share)} {word}" for word, share in values["tones"].items() if share > 0)
    clips = f"{part['clips']} {'clips' if part['clips'] != 1 else 'clip'}"
    clips = f"a sample of {clips} for training" if name == "train" else clips
    spread = f"mean {values['mean']:.1f}, deviation {values['deviation']:.1f}"
    return f"{name}: {clips}; values {values['min']} … {values['max']}, {spread}; {tones}"


def odd_lines(odd: list[str]) -> Iterator[str]:
    """What is odd, a line each."""
    yield "what is odd about it:" if odd else "nothing odd was found"
    for sentence in odd:
        yield f"{INDENT}- {sentence}"


def _conditions(parts: Mapping[str, Any]) -> Iterator[str]:
    for what in ("actions", "states"):
        shown = {name: part[what] for name, part in parts.items() if what in part}
        if shown:
            yield f"\n{what}: least … largest, mean, deviation"
        for name, columns in shown.items():
            for number, values in enumerate(columns):
                told = (
                    f"{values['min']:.4g} … {values['max']:.4g}, {values['mean']:.3g}, {values['deviation']:.3g}"
                    if values
                    else "no finite number"
                )
                yield f"{INDENT}{name} {number}: {told}"


def _factors(parts: Mapping[str, Any], roles: Mapping[str, Any]) -> Iterator[str]:
    name = "test" if "test" in parts else "train"
    if roles:
        yield f"\nfactors, as they are spread in {name}:"
    for factor, described in roles.items():
        yield f"{INDENT}{factor} ({described['role']}, {described['kind']}): {described['description']}"
        yield f"{INDENT * 3}{_spread(parts[name]['factors'][factor])}"


def _spread(values: Mapping[str, Any]) -> str:
    if "middle" in values:
        half = f"half of them {values['quarter']:.4g} … {values['three_quarters']:.4g}"
        return f"{values['min']:.4g} … {values['max']:.4g}, {half}, middle {values['middle']:.4g}"
    if values["values"] == 1:
        return f"always {values['min']}"
    rarest, commonest = values["rarest_clips"], values["commonest_clips"]
    clips = f"{rarest} to {commonest} clips" if rarest < commonest else f"{rarest} {'clips' if rarest > 1 else 'clip'}"
    return f"{values['min']} … {values['max']}, {values['values']} different values, each in {clips}"


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "under 1%"
