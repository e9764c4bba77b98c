"""What Telegram says of its Bot API, as JSON Schemas: requests that leave the door and updates that come in must fit.

The schemas are built from `../shared/specs/telegram-bot-api.json` (Bot API 10.1), whose limits stand in descriptions:
lengths, numbers of items, values, which field another one asks for. Lengths are counted in UTF-16 units, as Telegram
counts entities; that is never fewer than characters.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from tests.contracts.summary import note

Schema = dict[str, Any]

UPLOADED = {"uploaded": True}
"""Stands for a file among the fields of a form."""

_PRIMITIVES: dict[str, Schema] = {
    "Integer": {"type": "integer"},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "String": {"type": "string"},
    "InputFile": {"const": UPLOADED},
}
_UNITS, _BYTES, _ITEMS, _VALUES = (
    ("leastUnits", "mostUnits"),
    ("leastBytes", "mostBytes"),
    ("minItems", "maxItems"),
    ("minimum", "maximum"),
)
_RANGES = {
    "String": (
        (re.compile(r"\b(\d+)-(\d+) characters"), _UNITS),
        (re.compile(r"\bup to ()(\d+) characters"), _UNITS),
        (re.compile(r"\b(\d+)-(\d+) bytes"), _BYTES),
        (re.compile(r"\bcan't exceed ()(\d+) bytes"), _BYTES),
    ),
    "Integer": (
        (re.compile(r"\b[Vv]alues between (\d+)-(\d+)"), _VALUES),
        (re.compile(r"\bmust be between (\d+) and (\d+)"), _VALUES),
        (re.compile(r"\b(\d+)-(\d+); currently"), _VALUES),
        (re.compile(r"\balways a (positive) number()"), _VALUES),
        (re.compile(r"\b[Aa]lways (0)()\."), _VALUES),
    ),
    "Array": (
        (re.compile(r"\b(\d+)-(\d+) (?:items|initial stickers|search keywords)"), _ITEMS),
        (re.compile(r"\b(?:up to|at most|At most) ()(\d+) \w+"), _ITEMS),
    ),
}
"""Kind of field → how its description tells limits, and the keywords for the lower and the upper one."""
_CHOICES = re.compile(r"\b(?:can be|one of|always|must be)\b((?:(?!\. |\.$).)*\"(?:(?!\. |\.$).)*)")
_ONLY_CHOICE = re.compile(r", must be (\w+)$")
_NEEDED = re.compile(r"\b[Rr]equired if (\w+) is(?:n't| not) specified")
_COMPANION = re.compile(r"when this field is set, the (\w+) field will also be set")
_NOT_NESTED = "will not contain further reply_to_message fields"
_AT_MOST_ONE = "At most one of the optional"
_IDENTIFIER = "Can contain only lowercase English letters, digits and underscores"


def specification() -> Path:
    """Return where Telegram's description is: in `SPECS_DIR` if set, else in the shared folder."""
    folder = os.environ.get("SPECS_DIR") or Path(__file__).parents[2] / ".." / "shared" / "specs"
    return Path(folder) / "telegram-bot-api.json"


def need_contract() -> "TelegramContract":
    """Return the contract; skip the test where its file is not there."""
    if not specification().exists():
        pytest.skip(f"needs Telegram's Bot API as data: {specification()} is not there and SPECS_DIR is not set")
    return _contract()


def contract_if_there() -> "TelegramContract | None":
    """Return the contract, None where its file is not there."""
    return _contract() if specification().exists() else None


class TelegramContract:
    """Checks requests and updates; an empty list of violations means that they fit."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        """Set the description: methods and types with their fields."""
        self.methods: Mapping[str, Any] = description["methods"]
        self.types: Mapping[str, Any] = description["types"]
        definitions = {name: self._type(told) for name, told in self.types.items() if name != "InputFile"}
        methods = {f"method {name}": _object(told) for name, told in self.methods.items()}
        self._root: Schema = {"$defs": {**definitions, **methods}}
        self._validators: dict[str, Draft202012Validator] = {}

    def schema(self, type_name: str) -> Schema:
        """Return the schema of a type."""
        schema: Schema = self._root["$defs"][type_name]
        return schema

    def violations_of_request(self, method: str, form: Mapping[str, str], files: frozenset[str]) -> list[str]:
        """Return what is wrong with a request. form: its fields that are text. files: names of the files sent with it.

        The request counts as checked.
        """
        if method not in self.methods:
            return [f"{method}: there is no such method"]
        note("telegram", f"{method}({', '.join(sorted(form.keys() | (files & self._fields_of(method))))})")
        try:
            fields = {name: self._decoded(method, name, value) for name, value in form.items()}
        except ValueError as error:
            return [f"{method}: {error}"]
        attached = set(_attached(fields))
        own = dict.fromkeys(files - attached, UPLOADED)
        missing = [f"{method}: no file {name}" for name in sorted(attached - files)]
        return missing + self._violations(f"method {method}", {**fields, **own}, method)

    def violations_of_update(self, update: Any) -> list[str]:
        """Return what is wrong with an update."""
        return self._violations("Update", update, "Update")

    def violations(self, type_name: str, value: Any) -> list[str]:
        """Return what is wrong with a value of a type, such as a Message."""
        return self._violations(type_name, value, type_name)

    def _violations(self, definition: str, value: Any, name: str) -> list[str]:
        if definition not in self._validators:
            self._validators[definition] = _Validator({**self._root, "$ref": f"#/$defs/{definition}"})
        return [f"{name}: {told}" for error in self._validators[definition].iter_errors(value) for told in _told(error)]

    def _fields_of(self, method: str) -> frozenset[str]:
        return frozenset(field["name"] for field in self.methods[method].get("fields", ()))

    def _decoded(self, method: str, name: str, text: str) -> Any:
        """Return the value of a field of a form: all but strings are JSON. Raise `ValueError` if it is not."""
        told = next((field for field in self.methods[method].get("fields", ()) if field["name"] == name), None)
        if told is None or told["types"] == ["String"] or "InputFile" in told["types"]:
            return text
        try:
            return json.loads(text)
        except ValueError:
            if "String" in told["types"]:
                return text
            raise ValueError(f"{name} is not JSON: {text[:60]}") from None

    def _type(self, told: Mapping[str, Any]) -> Schema:
        if "subtypes" in told:
            return {"anyOf": [_of_type(name) for name in told["subtypes"]]}
        return _object(told)


@cache
def _contract() -> TelegramContract:
    return TelegramContract(json.loads(specification().read_text(encoding="utf-8")))


def _object(told: Mapping[str, Any]) -> Schema:
    """Return the schema of a type with fields, or of a method."""
    fields = told.get("fields", ())
    needed = [(field["name"], _NEEDED.search(field["description"])) for field in fields]
    companions = [(field["name"], _COMPANION.search(field["description"])) for field in fields]
    schema: Schema = {
        "type": "object",
        "properties": {field["name"]: _field(field) for field in fields},
        "required": [field["name"] for field in fields if field["required"]],
        "additionalProperties": False,
        "dependentRequired": {name: [found[1]] for name, found in companions if found},
        "allOf": [{"anyOf": [{"required": [name]}, {"required": [found[1]]}]} for name, found in needed if found],
    }
    if _AT_MOST_ONE in " ".join(told["description"]):
        schema["maxProperties"] = len(schema["required"]) + 1
    return schema


def _field(told: Mapping[str, Any]) -> Schema:
    description = told["description"]
    kinds = [{**_of_type(name), **_limits(name, description)} for name in told["types"]]
    schema: Schema = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if _NOT_NESTED in description:
        schema = {"allOf": [schema, {"not": {"required": ["reply_to_message"]}}]}
    return schema


def _of_type(name: str) -> Schema:
    if name.startswith("Array of "):
        return {"type": "array", "items": _of_type(name.removeprefix("Array of "))}
    return dict(_PRIMITIVES.get(name) or {"$ref": f"#/$defs/{name}"})


def _limits(kind: str, description: str) -> Schema:
    """Return the limits that stand in a field's description."""
    limits: Schema = {}
    for pattern, (least, most) in _RANGES.get(kind.split(maxsplit=1)[0], ()):
        if found := pattern.search(description):
            limits[least] = 1 if found[1] == "positive" else int(found[1] or 0)
            if found[2] or found[1] == "0":
                limits[most] = int(found[2] or 0)
    if kind == "String":
        limits.update(_choices(description))
    return limits


def _choices(description: str) -> Schema:
    if found := _ONLY_CHOICE.search(description):
        return {"const": found[1]}
    if _IDENTIFIER in description:
        return {"pattern": "^[a-z0-9_]+$"}
    found = _CHOICES.search(description)
    if found and "attach://" not in found[1]:
        return {"enum": re.findall(r'"([^"]+)"', found[1])}
    return {}


def _attached(value: Any) -> Iterator[str]:
    """Yield the names of the files that a request's fields refer to."""
    if isinstance(value, str) and value.startswith("attach://"):
        yield value.removeprefix("attach://")
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _attached(each)
    elif isinstance(value, list):
        for each in value:
            yield from _attached(each)


def _told(error: ValidationError) -> Iterator[str]:
    """Yield an error's place and reason; of a union the reasons of what fits best."""
    if error.context and error.validator == "anyOf":
        branches: dict[Any, list[ValidationError]] = {}
        for each in error.context:
            branches.setdefault(each.schema_path[0], []).append(each)
        for each in min(branches.values(), key=_distance):
            yield from _told(each)
        return
    where = ".".join(str(step) for step in error.absolute_path) or "(its fields)"
    yield f"{where}: {error.message[:200]}"


def _distance(errors: list[ValidationError]) -> tuple[bool, int]:
    """Return how far a value is from one branch of a union: another kind of thing is farthest."""
    return any(error.validator in ("const", "enum", "type") for error in errors), len(errors)


def _length_keyword(measured: str, encoding: str, *, is_least: bool) -> Any:
    width = 2 if encoding == "utf-16-le" else 1

    def check(_validator: Any, limit: int, value: Any, _schema: Any) -> Iterator[ValidationError]:
        if not isinstance(value, str):
            return
        length = len(value.encode(encoding, "surrogatepass")) // width
        if length < limit if is_least else length > limit:
            yield ValidationError(f"{length} {measured} instead of {'at least' if is_least else 'at most'} {limit}")

    return check


_Validator = extend(
    Draft202012Validator,
    {
        "leastUnits": _length_keyword("UTF-16 units", "utf-16-le", is_least=True),
        "mostUnits": _length_keyword("UTF-16 units", "utf-16-le", is_least=False),
        "leastBytes": _length_keyword("bytes", "utf-8", is_least=True),
        "mostBytes": _length_keyword("bytes", "utf-8", is_least=False),
    },
)
