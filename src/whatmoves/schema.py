"""The JSON Schema of study files, generated from the types. It imports every kind, hence torch: not for parse time.

`python -m whatmoves.schema` rewrites config/schema.json, config/README.md and the table of cards in docs/data.md;
`python -m whatmoves.schema models my.module models.mine` prints one kind's, and names that key in an error.
"""

import copy
import inspect
import json
import sys
from pathlib import Path
from typing import Any

from whatmoves.data.card_table import with_table
from whatmoves.evaluation.swaps import can_swap
from whatmoves.files import write_text
from whatmoves.models.interface import abilities
from whatmoves.plugins import data_kinds, data_module, model_kinds, model_module
from whatmoves.settings_reference import settings_reference
from whatmoves.study import Study

# What figures ask of a model beside the abilities that evaluation asks for.
SHOWN = ("loss", "detect_ahead", "attention")


def kind_schema(section: str, kind: str, where: str | None = None) -> dict[str, Any]:
    """JSON Schema of the options of one kind of data set (`data`) or model (`models`), with its `abilities`.

    A data kind is able to `swap` if it can render the factors of a swap, to `shift` if it draws test clips outside the
    training range, and has `tests`, the stored splits that are tested on beside `test`; a model has the methods of its
    class, and `reads_actions` if its module says when it does.
    `where` names the config key in an error.
    """
    module = data_module(kind, where) if section == "data" else model_module(kind, where)
    schema: dict[str, Any] = module.Config.model_json_schema()
    if section == "data":
        tests = list(getattr(module, "OTHER_TESTS", {}).values())
        able = [*(["swap"] if can_swap(module) else []), *(["shift"] if hasattr(module, "shifted") else [])]
        return {**schema, "abilities": able, "tests": tests}
    able = [name for name in SHOWN if callable(getattr(module.Model, name, None))]
    able += ["reads_actions"] if "reads_actions" in inspect.getsource(module) else []
    return {**schema, "abilities": [*abilities(module.Model), *able]}


def study_schema() -> dict[str, Any]:
    """JSON Schema of a whole study file, with the options of every shipped kind under `kinds`.

    Editors read the top level, a study as a file has it; `whatmoves.loading` reads `$defs.Study`, a study whose kinds
    are filled in, and `kinds`.
    """
    schema = Study.model_json_schema()
    definitions = schema.pop("$defs")
    definitions["Study"] = schema
    for name in ("DataSet", "ModelEntry"):  # `kind` defaults to the entry's name, `mean_frame:` alone is an entry
        definitions[name]["properties"]["kind"]["default"] = None
    known = {"data": data_kinds(), "models": model_kinds()}
    kinds = {section: {kind: kind_schema(section, kind) for kind in names} for section, names in known.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A study of What Moves",
        "$ref": "#/$defs/StudyFile",
        "$defs": definitions | _as_written(definitions, known),
        "kinds": kinds,
    }


def _as_written(definitions: dict[str, Any], known: dict[str, list[str]]) -> dict[str, Any]:
    """Definitions of a study file: an entry may be empty or without its `kind`, and its options are those of the kind
    that it names or is named by."""
    written = {"StudyFile": copy.deepcopy(definitions["Study"])}
    for section, entry in (("data", "DataSet"), ("models", "ModelEntry")):
        name = f"{entry}InFile"
        options = {kind: {"properties": {"options": {"$ref": f"#/kinds/{section}/{kind}"}}} for kind in known[section]}
        written[name] = {
            **{key: value for key, value in definitions[entry].items() if key != "required"},
            "type": ["object", "null"],
            "allOf": [
                {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": of_kind}
                for kind, of_kind in options.items()
            ],
        }
        field = written["StudyFile"]["properties"][section]
        field["patternProperties"] = {pattern: {"$ref": f"#/$defs/{name}"} for pattern in field["patternProperties"]}
        field["properties"] = {
            kind: {"if": {"not": {"required": ["kind"]}}, "then": of_kind} for kind, of_kind in options.items()
        }
    return written


def schema_text() -> str:
    """The committed form of `study_schema`."""
    return json.dumps(study_schema(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(kind_schema(*sys.argv[1:])))
    else:
        folder = Path(__file__).parents[2] / "config"
        write_text(folder / "schema.json", schema_text())
        write_text(folder / "README.md", settings_reference(study_schema()))
        page = folder.parent / "docs" / "data.md"
        write_text(page, with_table(page.read_text(encoding="utf-8")))
