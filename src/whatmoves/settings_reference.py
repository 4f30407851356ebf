"""config/README.md, generated from the schema: every setting with its type, bounds, default and one sentence."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

INTRODUCTION = """\
# Settings

A study is one YAML file in this folder: `config.yaml` (the default, study `quick`), `tiny.yaml` (tests), `full.yaml`
(the paper). It holds only what differs from the defaults below, and is chosen with `--configfile config/NAME.yaml`, in
no other way: `snakemake paper/main.pdf --configfile config/tiny.yaml`. To make a study of your own, copy one and give
it its own `study:` name; its results stand in `results/<study>/`. An unknown key, a wrong type or an impossible value
stops everything before any job starts, with one line that names the key, the value and the fix. `schema.json` beside
this file gives editors completion (`# yaml-language-server: $schema=schema.json` as first line).

*This page is generated from the types: `make schema` writes it again.*
"""

SECTIONS = {
    "Study": ("A study", ""),
    "DataSet": ("An entry of `data`", "data.<name>."),
    "ModelEntry": ("An entry of `models`", "models.<name>."),
    "TrainingOverrides": ("What one model changes of the training", "models.<name>.training."),
    "Training": ("Training", "training."),
    "Evaluation": ("Evaluation", "evaluation."),
    "Paper": ("Paper", "paper."),
}


def settings_reference(schema: Mapping[str, Any]) -> str:
    """The page for a schema made by `whatmoves.schema.study_schema`."""
    parts = [INTRODUCTION]
    for name, (title, prefix) in SECTIONS.items():
        parts += [f"## {title}\n", *_table(schema["$defs"][name], prefix, schema["$defs"])]
    for section, title in (("data", "Data set"), ("models", "Model")):
        for kind, described in schema["kinds"][section].items():
            rows = _table(described, "options.", described.get("$defs", {}))
            parts += [f"## {title} `{kind}`\n", *(rows if described.get("properties") else ["Nothing to set.\n"])]
    return "\n".join(parts).rstrip() + "\n"


def _table(schema: Mapping[str, Any], prefix: str, definitions: Mapping[str, Any]) -> Iterator[str]:
    yield "| setting | type | default | meaning |\n|---|---|---|---|"
    for name, field in schema.get("properties", {}).items():
        default = "required" if name in schema.get("required", []) else _default(field)
        default = "the name" if name == "kind" else default
        meaning = field.get("description", "").replace("|", "\\|")
        yield f"| `{prefix}{name}` | {_type(field, definitions)} | {default} | {meaning} |"
    yield ""


def _default(field: Mapping[str, Any]) -> str:
    value = field.get("default")
    if isinstance(value, dict) and value:
        return "see below"
    return "–" if value is None else f"`{json.dumps(value, ensure_ascii=False)}`"


def _type(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return _type(definitions.get(field["$ref"].rsplit("/", 1)[-1], {}), definitions)
    if "allOf" in field:
        return _type(field["allOf"][0], definitions)
    if "anyOf" in field:
        return " or ".join(_type(part, definitions) for part in field["anyOf"])
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true/false", "null": "null"}
    words |= {"array": "list", "object": "group"}
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = ", ".join(f"{sign} {field[key]:g}" for key, sign in bounds.items() if key in field)
    name = words.get(field.get("type", ""), "any")
    if name == "list" and isinstance(field.get("items"), dict):
        name = f"list of {_type(field['items'], definitions)}"
    return f"{name} {limits}".strip()
