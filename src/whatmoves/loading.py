"""From a study file to a validated `Study`: one line of error that names the key, the value and the fix.

The JSON Schema `config/schema.json`, generated from the types, lets this run without torch; a test keeps it current.
Options of a kind that is not in it (a model of your own) are checked in a subprocess and remembered by code hash.
"""

import copy
import difflib
import functools
import json
import operator
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as SchemaError
from pydantic import ValidationError

from whatmoves import plugins
from whatmoves.errors import ConfigError
from whatmoves.files import read_json, write_json, write_text
from whatmoves.provenance.closure import closure, combined
from whatmoves.study import ModelEntry, Study
from whatmoves.yaml_files import read_yaml

SCHEMA_FILE = Path(__file__).parents[2] / "config" / "schema.json"
STEP = "checking "
"""Begins the line that names a step of the check, by which a check that dies is told where it was."""
SWITCHES = {"yes": True, "on": True, "no": False, "off": False}
"""What people write for true and false; a name or a label may be such a word, so only the type of a setting tells."""
OURS = "whatmoves.errors.ConfigError: "
"""Begins the last line of a subprocess that refused what it was given."""
SHOWN = 60  # letters of a value in a message


def load_study(path: Path, cache: Path = Path(".cache")) -> Study:
    """Read, validate and return the study in `path`; raises `ConfigError` (one line) for whatever is wrong with it."""
    absent, example = "no such study file; the shipped ones are in config/", "settings such as `study: my_study`"
    raw = read_yaml(path, absent, example)
    return validate_study(raw, where=str(path), cache=cache)


def validate_study(raw: Mapping[str, Any], where: str, cache: Path = Path(".cache")) -> Study:
    """Validate raw settings against the schema and the types; raises `ConfigError` naming `where`, key, value, fix."""
    schema = read_json(SCHEMA_FILE)
    filled = _with_kinds(copy.deepcopy(dict(raw)))
    _check(filled, schema["$defs"]["Study"], schema, where, ())
    for section in ("data", "models"):
        for name, entry in filled[section].items():
            kind_schema = _schema_of_kind(section, entry["kind"], schema, where, name, cache)
            _check(entry.get("options", {}), kind_schema, kind_schema, where, (section, name, "options"))
    try:
        return Study.model_validate(filled)
    except ValidationError as error:
        raise ConfigError(_in_words(plugins.one_line(error, f"{where}:", Study))) from None


def abilities_of(section: str, kind: str) -> frozenset[str]:
    """What a kind of data set (`data`) or model (`models`) can do, by the names of `whatmoves.schema.kind_schema`."""
    return frozenset(_described(section, kind)["abilities"])


def settings_of(section: str, kind: str) -> frozenset[str]:
    """The settings of a kind of data set (`data`) or model (`models`), by name."""
    return frozenset(_described(section, kind).get("properties", ()))


def stored_splits(kind: str) -> tuple[str, ...]:
    """The splits that a kind of data set stores."""
    return ("validation", "test", *_described("data", kind).get("tests", ()))


def files_of(entry: ModelEntry) -> list[Path]:
    """The files that a model's options name, such as another network's weights: inputs of whatever builds its loss."""
    return [path for _, path in _named_files(entry)]


def require_files(study: Study, root: Path, where: str) -> None:
    """Raise `ConfigError` for a file that an option of a model names and that is not there, unless it is one of the
    study's own results under `root` = results/<study>, which may yet be made."""
    for name, entry in study.models.items():
        for option, path in _named_files(entry):
            if not path.exists() and not path.is_relative_to(root):
                key = f"models.{name}.options.{option}"
                raise ConfigError(f"{where}: {key} is {str(path)!r}: no such file; mend the path")


def _named_files(entry: ModelEntry) -> list[tuple[str, Path]]:
    """Options whose type is a path, and the files they name."""
    found = []
    for option, described in _described("models", entry.kind).get("properties", {}).items():
        if '"format": "path"' in json.dumps(described):
            value = entry.options.get(option, described.get("default"))
            paths = value if isinstance(value, list) else [value]
            found += [(option, _from_here(Path(path))) for path in paths if path]
    return found


def _from_here(path: Path) -> Path:
    """A path in one spelling: relative to the current folder if it lies below."""
    absolute = Path(os.path.abspath(path))
    return absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute


@functools.cache
def _described(section: str, kind: str) -> Mapping[str, Any]:
    return _schema_of_kind(section, kind, read_json(SCHEMA_FILE), "the study", kind, Path(".cache"))


def check_deeply(configfile: Path, study: Study, cache: Path = Path(".cache")) -> None:
    """Try every data set and model on each other's shapes before any job starts; raises `ConfigError`, in one line.

    What a schema cannot say (a digit larger than the frame, an image the encoder cannot halve often enough) is found
    here, in a subprocess, because it needs torch; that nothing was is remembered by settings and code.
    """
    kinds = [plugins.module_path("data", entry.kind) for entry in study.data.values()]
    kinds += [plugins.module_path("models", entry.kind) for entry in study.models.values()]
    digest = combined({**closure(sorted(set(kinds))), "study": study.model_dump_json()})
    remembered = cache / "checked" / f"{digest}.json"
    if remembered.exists():
        return
    command = [sys.executable, "-m", "whatmoves", "studies", "--check", "--configfile", str(configfile)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise ConfigError(_why_unsound(configfile, answer.returncode, answer.stderr.strip().splitlines()))
    write_json(remembered, {"study": study.study})


def _why_unsound(configfile: Path, code: int, lines: list[str]) -> str:
    """One line on a check that failed with exit code `code` (negative: a signal) and said `lines` before."""
    last = lines[-1] if lines else "no reason given"
    if last.startswith("whatmoves: "):
        return last.removeprefix("whatmoves: ")
    place = next((line.removeprefix(STEP) for line in reversed(lines) if line.startswith(STEP)), "its start")
    repeat = f"`whatmoves studies --check --configfile {shlex.quote(str(configfile))}`"
    if code < 0:
        name = signal.Signals(-code).name
        return f"{configfile}: the check died of {name} at {place}; see if {repeat} dies there again, and report it"
    return f"{configfile}: the check failed at {place}: {last}; {repeat} shows where"


def _with_kinds(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Fill the default `kind` of data sets and models, so that schema and types see the same tree."""
    filled = dict(raw)
    for section in ("data", "models"):
        entries = filled.get(section)
        if isinstance(entries, dict):
            filled[section] = {
                name: {"kind": name, **(entry or {})} if entry is None or isinstance(entry, dict) else entry
                for name, entry in entries.items()
            }
    return filled


def _schema_of_kind(
    section: str, kind: str, schema: Mapping[str, Any], where: str, name: str, cache: Path
) -> Mapping[str, Any]:
    """The JSON Schema of a kind's options: from the generated file, or made in a subprocess and remembered."""
    shipped = schema["kinds"][section]
    if kind in shipped:
        found: Mapping[str, Any] = shipped[kind]
        return found
    module = plugins.module_path(section, kind)
    try:
        digest = combined(closure([module]))
    except Exception as error:
        said = f"{where}: {section}.{name}.kind is {kind!r}, and there is no module {module} ({error});"
        if "." in kind:
            raise ConfigError(f"{said}{_suggestion(kind, _neighbours(kind))} write it as folder.module") from None
        known = ", ".join(sorted(shipped))
        own = f"one of your own has a dot in its name (my_folder.{kind})"
        raise ConfigError(f"{said}{_suggestion(kind, shipped)} known: {known}; {own}") from None
    remembered = cache / "kinds" / f"{module}-{digest}.json"
    if not remembered.exists():
        command = [sys.executable, "-m", "whatmoves.schema", section, kind, f"{section}.{name}"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            reason = (answer.stderr.strip().splitlines() or ["no reason given"])[-1]
            if reason.startswith(OURS):
                raise ConfigError(f"{where}: {reason.removeprefix(OURS)}")
            raise ConfigError(f"{where}: {section}.{name}: module {module} cannot be loaded: {reason}")
        write_text(remembered, answer.stdout)
    made: Mapping[str, Any] = read_json(remembered)
    return made


def _neighbours(kind: str) -> list[str]:
    """The modules beside one of a user's own, `my_folder.model`, seen from the current folder."""
    package = kind.rpartition(".")[0]
    found = (file.stem for file in Path(*package.split(".")).glob("*.py"))
    return sorted(f"{package}.{name}" for name in found if name.isidentifier())


def _check(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str, prefix: tuple[str, ...]) -> None:
    """Raise `ConfigError` for the first mismatch of `value` with `schema`, as one line; unknown keys come first.

    Words for yes and no become true and false in `value`, where a setting is one of the two.
    """
    validator = Draft202012Validator({**schema, "$defs": root.get("$defs", {})})
    errors = [error for error in validator.iter_errors(value) if not _switched(_narrowest(error), value)]
    if errors:
        first = min(errors, key=lambda e: (len(e.absolute_path), e.validator != "additionalProperties", e.message))
        raise ConfigError(f"{where}: {_sentence(_narrowest(first), prefix)}")


def _switched(error: SchemaError, value: Any) -> bool:
    """Whether the mismatch is a word such as `off` for a truth value, now put right in `value`."""
    if error.validator != "type" or error.validator_value != "boolean" or not isinstance(error.instance, str):
        return False
    *group, last = error.absolute_path
    if error.instance.lower() not in SWITCHES:
        return False
    functools.reduce(operator.getitem, group, value)[last] = SWITCHES[error.instance.lower()]
    return True


def _narrowest(error: SchemaError) -> SchemaError:
    """Of an any-of mismatch the branch the user most likely meant: the one that is not `null`."""
    while error.context:
        candidates = [e for e in error.context if e.validator_value != "null"] or list(error.context)
        error = max(candidates, key=lambda e: len(e.absolute_path))
    return error


def _sentence(error: SchemaError, prefix: tuple[str, ...]) -> str:
    """A schema mismatch in words: key, value, what is expected, and the likely fix."""
    key = ".".join(str(part) for part in (*prefix, *error.absolute_path)) or "the file"
    key += ": a name in it" if "propertyNames" in error.absolute_schema_path else ""
    value = json.dumps(error.instance, default=str, ensure_ascii=False)
    value = value if len(value) <= SHOWN else value[: SHOWN - 3] + "..."
    expected: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    match error.validator:
        case "additionalProperties":
            known = sorted(schema.get("properties", {}))
            unknown = sorted(set(instance) - set(known))[0]
            full = ".".join(part for part in (*prefix, *(str(p) for p in error.absolute_path), unknown))
            return f"{full} is no setting;{_suggestion(unknown, known)} known here: {', '.join(known)}"
        case "required":
            missing = sorted(set(expected) - set(instance))[0]
            return f"{key} has no `{missing}`; add it"
        case "type":
            return f"{key} is {value}; expected {_type_words(expected)}{_how_to_write(instance, expected)}"
        case "enum":
            hint = _suggestion(str(error.instance), expected)
            return f"{key} is {value};{hint} must be one of {', '.join(map(str, expected))}"
        case "minimum":
            return f"{key} is {value}; must be at least {expected}"
        case "maximum":
            return f"{key} is {value}; must be at most {expected}"
        case "exclusiveMinimum":
            return f"{key} is {value}; must be greater than {expected}"
        case "exclusiveMaximum":
            return f"{key} is {value}; must be less than {expected}"
        case "minItems" | "minProperties":
            return f"{key} is {value}; needs at least {expected} of them"
        case "maxItems":
            return f"{key} is {value}; takes at most {expected} of them"
        case "pattern":
            return f"{key} is {value}; must {_in_words(f'match {expected}')}"
        case "maxLength":
            return f"{key} is {value}; takes at most {expected} letters"
        case _:
            return f"{key}: {error.message}"


def _in_words(sentence: str) -> str:
    """A sentence with the pattern of names said in words."""
    words = "be small letters, digits and _, a letter first"
    return re.sub(r"match (?:pattern )?'?\^\[a-z\]\[a-z0-9_\]\*\$'?", words, sentence)


def _type_words(expected: Any) -> str:
    words = {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "true or false"}
    words |= {"array": "a list", "object": "a group of settings", "null": "null"}
    names = [expected] if isinstance(expected, str) else list(expected)
    return " or ".join(words.get(name, name) for name in names)


def _how_to_write(instance: Any, expected: Any) -> str:
    """For what is read as text, number, truth value or nothing, against the writer's meaning: how to write it."""
    wanted = {expected} if isinstance(expected, str) else set(expected)
    if instance is None:
        return "; write one (in quotes, if it begins with #), or leave the key out"
    if "string" in wanted and not isinstance(instance, list | dict):
        return "; put it in quotes"
    if wanted & {"integer", "number"} and isinstance(instance, str):
        return f", written as {'0.5 or 1e-3' if 'number' in wanted else '2000 or 2e3'}, without quotes"
    return ""


def _suggestion(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, [str(k) for k in known], n=1)
    return f" did you mean {close[0]!r}?" if close else ""
