"""The one reader of YAML: keys stand once, numbers are what a person means by them, what cannot be read is named.

Plain words follow YAML 1.2, and people, rather than YAML 1.1: a key is the text that stands there, whatever it looks
like; only `true` and `false` are truth values (`on`, `no`, dates and `1:30` are text); `1e-3` and `1_000` are numbers.
What one reader takes for 8 and the next for 10 (`010`) is refused, and so is what no setting can be: infinity, a tag.
"""

import math
import re
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from whatmoves.errors import ConfigError

_TAG = "tag:yaml.org,2002:"
_WORDS = {
    "null": (r"~|null|Null|NULL|", [*"~nN", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)", "-+0123456789"),
    "float": (
        r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "merge": (r"<<", "<"),
}
_LARGEST = 2**63 - 1  # what the arrays and files behind the settings can hold
_HINTS = {
    r"found character '\t'": "indent with spaces, not tabs",
    "quoted scalar": "close the quote; in double quotes a backslash is written twice",
    "while scanning an al": "a text that begins with * needs quotes",
    "while scanning an an": "a text that begins with & needs quotes",
    "cannot start any token": "a text that begins with this character needs quotes",
    "mapping values are not allowed": "a text that holds `: ` needs quotes; and keys of one group begin in one column",
    "could not find expected ':'": "each line is `key: value`, with a space behind the colon",
    "found another document": "a file holds one document; take out the second `---`",
    "found undefined alias": "an alias comes after its anchor, `&name`; a text that begins with * needs quotes",
    "expected ',' or": "a comma is missing, or the bracket is not closed",
    "while parsing a block": "keys of one group begin in one column",
}


class _Loader(yaml.SafeLoader):
    """PyYAML's parser with the plain words above; values are built by `_Builder`, which knows their keys."""


class _Dumper(yaml.SafeDumper):
    """Quotes whatever `_Loader` or any reader of YAML 1.1 would take for something else than text."""


_Loader.yaml_implicit_resolvers = {}  # none of YAML 1.1
for _name, (_pattern, _first) in _WORDS.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), list(_first))


def read_yaml(path: Path, absent: str, example: str) -> dict[str, Any]:
    """The settings in a YAML file, with text as keys at every depth.

    `absent` says what to do when there is no such file, `example` what it should hold. Raises `ConfigError`, one line
    with the file, the dotted key or the line, and the fix.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: {absent}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 (byte {error.start + 1}); save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        value = _Builder(path).build(_Loader(text).get_single_node(), ())
    except RecursionError:
        raise ConfigError(f"{path}: is nested too deeply; settings are groups of a few levels") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML: {_what_is_wrong(error, text)}") from None
    if not isinstance(value, dict):
        held = "is empty" if value is None else f"holds {'a list' if isinstance(value, list) else 'one value'}"
        raise ConfigError(f"{path}: {held}; expected {example}")
    return value


def yaml_text(value: Any) -> str:
    """Plain values as YAML that `read_yaml`, and any other reader, reads back as they are."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


class _Builder:
    """From parsed nodes to plain values, every node with the path of keys that leads to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.built: dict[Node, Any] = {}  # an alias is the node of its anchor
        self.open: set[Node] = set()

    def build(self, node: Node | None, keys: tuple[str, ...]) -> Any:
        """The value of a node; that of an empty file is none."""
        if node is None:
            return None
        if node in self.open:
            raise self._refusal(node, keys, "holds itself, by an alias; write it out")
        if node not in self.built:
            self.open.add(node)
            self.built[node] = self._value(node, keys)
            self.open.remove(node)
        return self.built[node]

    def _value(self, node: Node, keys: tuple[str, ...]) -> Any:
        match node, node.tag.removeprefix(_TAG):
            case MappingNode(), "map":
                return self._group(node, keys)
            case SequenceNode(), "seq":
                return [self.build(item, (*keys, str(place))) for place, item in enumerate(node.value)]
            case ScalarNode(), "null":
                return None
            case ScalarNode(), "bool" if node.value.lower() in ("true", "false"):
                return node.value.lower() == "true"
            case ScalarNode(), "int" | "float":
                return self._number(node, keys)
            case ScalarNode(), "str" | "merge":
                return node.value
        raise self._refusal(node, keys, f"has the tag {node.tag}; settings have none, take it away or put it in quotes")

    def _group(self, node: MappingNode, keys: tuple[str, ...]) -> dict[str, Any]:
        """A group of settings; what `<<` merges comes first, the group's own keys win."""
        lines: dict[str, int] = {}
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                what = "has a group or list as a key; a key is text, and a text with braces or brackets needs quotes"
                raise self._refusal(key_node, keys, what)
            key, line = key_node.value, key_node.start_mark.line + 1
            foreign = next((letter for letter in key if not letter.isprintable()), "")
            if foreign:
                what = f"has a key with the letter U+{ord(foreign):04X}, which only looks like a space or like nothing"
                raise self._refusal(key_node, keys, f"{what}; type it anew")
            inside = (*keys, key)
            if key in lines:
                dotted = ".".join(inside)
                where = f"lines {lines[key]} and {line}" if lines[key] != line else f"line {line}"
                raise ConfigError(f"{self.path}: {dotted} stands twice, in {where}; keep one")
            lines[key] = line
            if key_node.tag == _TAG + "merge":
                value = self.build(value_node, inside)
                for group in reversed(value if isinstance(value, list) else [value]):
                    if not isinstance(group, dict):
                        raise self._refusal(value_node, inside, "merges no group; expected an alias such as *base")
                    merged |= group
            else:
                own[key] = self.build(value_node, inside)
        return merged | own

    def _number(self, node: ScalarNode, keys: tuple[str, ...]) -> int | float:
        text = node.value.replace("_", "")
        if re.fullmatch(r"[-+]?0[0-9]+", text):
            plain = re.sub(r"^([-+]?)0+(?=[0-9])", r"\1", text)
            raise self._refusal(
                node,
                keys,
                f"is {node.value}, which some read as octal; write {plain}, or put it in quotes if it is text",
            )
        try:
            number = float(text) if node.tag == _TAG + "float" else int(text, 0)
        except ValueError:  # `.inf`, `.nan`, digits without end, or a tag on what is no number
            number = math.nan
        if not math.isfinite(number) or (isinstance(number, int) and abs(number) > _LARGEST):
            shown = node.value if len(node.value) <= 40 else node.value[:37] + "..."
            raise self._refusal(node, keys, f"is {shown}; must be a finite number, or in quotes if it is text")
        return number

    def _refusal(self, node: Node, keys: tuple[str, ...], what: str) -> ConfigError:
        return ConfigError(f"{self.path}: {'.'.join(keys) or 'the file'} {what} (line {node.start_mark.line + 1})")


def _what_is_wrong(error: yaml.YAMLError, text: str) -> str:
    """A parser's error in one line: place, problem, fix."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"line {line}: holds the control character U+{ord(text[error.position]):04X}; take it out"
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    said = " ".join(f"{error.context or ''} {error.problem or ''}".split())
    hint = next((f"; {hint}" for sign, hint in _HINTS.items() if sign in said), "")
    begun = "could not find expected ':'" in said or "quoted scalar" in said  # the problem is where it begins
    mark = (error.context_mark if begun else None) or error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{place}{(error.problem or error.context or 'unreadable').removeprefix('but ')}{hint}"
