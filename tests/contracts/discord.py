"""What Discord says of its HTTP API, in its own OpenAPI description: requests that leave the door must fit, and so must
the messages and other objects that an emulator sends it.

The description calls itself a preview. `DIFFERENCES` says where it and the reference documentation differ.
"""

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import emoji
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.contracts.summary import note

_BASE = "urn:discord"
_FILE_PART = re.compile(r"files\[(\d)\]")
_CUSTOM_EMOJI = re.compile(r"\w{2,32}:\d{17,20}")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_INT32 = range(-(2**31), 2**31)

DIFFERENCES = {
    ("PUT", "/applications/{application_id}/commands", "nsfw"): "the reference documents it, the description does not",
    ("PATCH", "/channels/{channel_id}/messages/{message_id}", "tts"): "discord.py sends it, and Discord ignores it",
    ("PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original", "tts"): "as above",
}
"""Fields that the description does not know, which are sent all the same, and why that is no mistake."""
MOST_CHARACTERS = 2000
"""Of a message, by the reference (https://discord.com/developers/docs/resources/message); the description has 4000."""


def specification() -> Path:
    """Return where the description is: in `SPECS_DIR` if that is set, else in the shared folder."""
    folder = os.environ.get("SPECS_DIR") or Path(__file__).parents[2] / ".." / "shared" / "specs"
    return Path(folder) / "discord-openapi.json"


def need_contract() -> "DiscordContract":
    """Return the contract; skip the test where its file is not there."""
    if not specification().exists():
        pytest.skip(f"needs Discord's description of its API: {specification()} is not there and SPECS_DIR is not set")
    return _contract()


def contract_if_there() -> "DiscordContract | None":
    """Return the contract, None where its file is not there."""
    return _contract() if specification().exists() else None


@dataclass(frozen=True)
class Request:
    """A request: the path below the version, its query, its JSON (None for none), and the names of its files' parts."""

    method: str
    path: str
    query: Mapping[str, Any]
    body: Any
    file_parts: Sequence[str] = ()


class DiscordContract:
    """Checks requests and objects; an empty list of violations means that they fit."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        """Set the description, as OpenAPI 3.1 has it."""
        self._paths: Mapping[str, Any] = description["paths"]
        self._asked = _Schemas(description["components"], takes_numbers_for_ids=True)
        self._told = _Schemas(description["components"], takes_numbers_for_ids=False)

    def violations_of_request(self, request: Request) -> list[str]:
        """Return what is wrong with a request, in sentences. The request counts as checked."""
        template = self.template_of(request.method, request.path)
        if template is None:
            return [f"{request.method} {request.path}: there is no such operation"]
        fields = sorted({*request.query, *_fields_of(request.body), *(("files",) if request.file_parts else ())})
        note("discord", f"{request.method} {template}({', '.join(fields)})")
        operation = self._paths[template][request.method.lower()]
        found = (
            *self._path_problems(template, request),
            *self._query_problems(operation, request),
            *self._body_problems(template, operation, request),
        )
        return [f"{request.method} {template}: {problem}" for problem in found]

    def violations(self, schema: str, told: object) -> list[str]:
        """Return how an object that Discord is said to have sent does not fit its schema."""
        problems = self._told.problems({"$ref": f"#/components/schemas/{schema}"}, told)
        return [f"{schema}: {problem}" for problem in problems]

    def template_of(self, method: str, path: str) -> str | None:
        """Return the description's path with parameters for a path; that with most literal parts if several fit."""
        fitting = (known for known in self._paths if method.lower() in self._paths[known] and _fits(known, path))
        return min(fitting, key=lambda known: known.count("{"), default=None)

    def _path_problems(self, template: str, request: Request) -> Iterator[str]:
        values = dict(zip(template.split("/"), request.path.split("/"), strict=True))
        for parameter in self._paths[template].get("parameters", ()):
            value = unquote(values["{" + parameter["name"] + "}"])
            yield from self._asked.problems(parameter["schema"], value, parameter["name"])
            if parameter["name"] == "emoji_name" and not (emoji.is_emoji(value) or _CUSTOM_EMOJI.fullmatch(value)):
                yield f"emoji_name: {value!r} is no emoji"

    def _query_problems(self, operation: Mapping[str, Any], request: Request) -> Iterator[str]:
        known = {each["name"]: each for each in operation.get("parameters", ()) if each["in"] == "query"}
        yield from (f"query: {name!r} is unknown" for name in request.query if name not in known)
        for name, parameter in known.items():
            if name in request.query:
                yield from self._asked.problems(parameter["schema"], _typed(request.query[name]), f"query: {name}")
            elif parameter.get("required"):
                yield f"query: {name!r} is missing"

    def _body_problems(self, template: str, operation: Mapping[str, Any], request: Request) -> Iterator[str]:
        described = operation.get("requestBody")
        if described is None:
            if request.body is not None or request.file_parts:
                yield "it takes no body"
            return
        if request.body is None:
            if described.get("required"):
                yield "the body is missing"
            return
        different = {name for method, path, name in DIFFERENCES if (method, path) == (request.method, template)}
        body = _without(different, request.body)
        yield from self._asked.problems(described["content"]["application/json"]["schema"], body)
        if isinstance(body, dict) and len(str(body.get("content") or "")) > MOST_CHARACTERS:
            yield f"content has more than {MOST_CHARACTERS} characters"
        if request.file_parts:
            yield from _file_problems(described, request)


class _Schemas:
    """Validates values; what its schemas refer to is looked up once."""

    def __init__(self, described: Mapping[str, Any], *, takes_numbers_for_ids: bool) -> None:
        components = _closed(described, takes_numbers_for_ids=takes_numbers_for_ids)
        resource = DRAFT202012.create_resource({"components": components})
        self._registry: Registry[Any] = Registry().with_resource(_BASE, resource).crawl()

    def problems(self, schema: Mapping[str, Any], value: object, name: str = "") -> list[str]:
        """Return how a value does not fit, each with the place in it."""
        resolved = _closed(schema, takes_numbers_for_ids=False)
        validator = Draft202012Validator(resolved, registry=self._registry, format_checker=_FORMATS)
        return [_sentence(error, name) for error in validator.iter_errors(value)]


_FORMATS = FormatChecker(())


@_FORMATS.checks("int32")
def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or value in _INT32


@_FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or re.match(r"[a-z][a-z0-9+.-]*:\S+$", value) is not None


@_FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    shape = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"
    return not isinstance(value, str) or re.fullmatch(shape, value) is not None


@cache
def _contract() -> DiscordContract:
    return DiscordContract(json.loads(specification().read_text(encoding="utf-8")))


def _closed(node: Any, *, takes_numbers_for_ids: bool) -> Any:
    """Return schemas whose objects refuse names that they do not know.

    takes_numbers_for_ids: Discord accepts ids as numbers, too (https://discord.com/developers/docs/reference), and the
    examples for attachments in its documentation give them so.
    """
    if isinstance(node, list):
        return [_closed(each, takes_numbers_for_ids=takes_numbers_for_ids) for each in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str):
        return {"$ref": f"{_BASE}{reference}"}
    closed = {name: _closed(each, takes_numbers_for_ids=takes_numbers_for_ids) for name, each in node.items()}
    if takes_numbers_for_ids and node.get("format") == "snowflake":
        return {**closed, "type": ["string", "integer"], "minimum": 0}
    if isinstance(node.get("properties"), dict) and "object" in node.get("type", ()):
        closed.setdefault("additionalProperties", False)
    return closed


def _fields_of(body: Any) -> Collection[str]:
    return body if isinstance(body, dict) else () if body is None else ("[]",)


def _fits(template: str, path: str) -> bool:
    known, given = template.split("/"), path.split("/")
    return len(known) == len(given) and all(
        part.startswith("{") or part == value for part, value in zip(known, given, strict=True)
    )


def _without(names: Collection[str], body: Any) -> Any:
    """Return an object, or each of several, without some fields."""
    if isinstance(body, list):
        return [_without(names, each) for each in body]
    return {name: value for name, value in body.items() if name not in names} if isinstance(body, dict) else body


def _typed(value: object) -> object:
    """Return what a query's text stands for; 0 and 1 are booleans, too
    (https://discord.com/developers/docs/reference#boolean-query-strings).
    """
    return _BOOLEANS.get(str(value).lower(), value)


def _file_problems(described: Mapping[str, Any], request: Request) -> Iterator[str]:
    """Check that files can be sent, and that each of them is one of the attachments."""
    if "multipart/form-data" not in described["content"]:
        yield "it takes no files"
    places = [match[1] if (match := _FILE_PART.fullmatch(part)) else part for part in request.file_parts]
    attached = request.body.get("attachments") or () if isinstance(request.body, Mapping) else ()
    if missing := set(places) - {str(each["id"]) for each in attached}:
        yield f"files {sorted(missing)} are none of its attachments"


def _sentence(error: ValidationError, name: str) -> str:
    """Return the place and the reason; of alternatives, that of the nearest."""
    place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    if error.context:
        return _sentence(_nearest(error.context), name)
    return f"{name}{place}: {error.message[-200:]}"


def _nearest(errors: Sequence[ValidationError]) -> ValidationError:
    """Return the deepest of the errors of several alternatives, leaving out those that are for another type."""
    others = {each.schema_path[0] for each in errors if "type" in list(each.relative_path)[-1:]}
    meant = [each for each in errors if each.schema_path[0] not in others] or list(errors)
    return max(meant, key=lambda each: (len(each.absolute_path), each.validator != "type"))
