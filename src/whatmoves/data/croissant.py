"""A made data set as a Croissant card (MLCommons, version 1.0): JSON-LD with its licence, files, checksums and factors.

Files are named as seen from the card, so that a folder with the card in it can be published as it is. Croissant knows
no NumPy arrays: the tables of factors can be loaded by its readers, the clips are files with a description.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from whatmoves.data.cards import NOT_STATED, Card

if TYPE_CHECKING:
    from whatmoves.data.factor_tables import FactorRole

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
# Terms of the standard, as its version 1.0 asks every card to spell them.
_OURS = {
    name: f"cr:{name}"
    for name in (
        "citeAs", "column", "equivalentProperty", "extract", "field", "fileObject", "fileProperty", "fileSet",
        "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet",
        "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
    )
}  # fmt: skip
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **_OURS,
}
_FORMATS = {
    ".csv": ("text/csv", "factors of the clips, a row a clip, in their order"),
    ".npz": ("application/zip", "NumPy arrays; video is uint8 [clips, frames, channels, height, width]"),
    ".npy": ("application/octet-stream", "a NumPy array, uint8 [clips, frames, channels, height, width]"),
    ".json": ("application/json", "what was found and computed while the set was made"),
}
_TYPES = {"discrete": "sc:Integer", "continuous": "sc:Float"}


def croissant(
    name: str,
    card: Card | None,
    cited: str,
    version: str,
    made_on: str,
    files: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, Sequence[str]],
    roles: Mapping[str, "FactorRole"],
    url: str | None,
) -> dict[str, Any]:
    """The card as JSON-LD.

    `cited` is the BibTeX of the set's citations, `version` the program's, `made_on` a date; `files` maps a file, as
    seen from the card, to its `sha256` and `size`; `tables` maps a table of factors among them to its columns.
    """
    licence = card.licence if card else NOT_STATED
    if card and card.spdx:
        licence = f"https://spdx.org/licenses/{licence}"
    flaws = f" Known flaws: {card.flaws}." if card else ""
    described: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name,
        "description": (f"{card.what}. {card.splits}.{flaws}" if card else f"The data set {name}."),
        "conformsTo": CONFORMS_TO,
        "license": licence,
        "version": version,
        "datePublished": made_on,
        "distribution": [_file(path, recorded) for path, recorded in files.items()],
        "recordSet": [_record_set(path, columns, roles) for path, columns in tables.items() if columns],
    }
    return described | ({"citeAs": cited} if cited else {}) | ({"url": url} if url else {})


def _file(path: str, recorded: Mapping[str, Any]) -> dict[str, Any]:
    encoding, description = _FORMATS.get(f".{path.rpartition('.')[2]}", ("application/octet-stream", "a file"))
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path.rpartition("/")[2],
        "description": description,
        "contentUrl": path,
        "contentSize": f"{recorded['size']} B",
        "encodingFormat": encoding,
        "sha256": recorded["sha256"],
    }


def _record_set(path: str, columns: Sequence[str], roles: Mapping[str, "FactorRole"]) -> dict[str, Any]:
    split = path.rpartition("/")[2].removesuffix(".csv")
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"Factors of the clips of {split}, in their order.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{split}/{column}",
                "name": column,
                "description": f"{roles[column].description} ({roles[column].role}, {roles[column].kind})",
                "dataType": _TYPES[roles[column].kind],
                "source": {"fileObject": {"@id": path}, "extract": {"column": column}},
            }
            for column in columns
        ],
    }
