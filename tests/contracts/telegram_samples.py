"""Values of Telegram's types, made at random from what Telegram says of them: a source of updates of all shapes."""

import random
from collections.abc import Mapping
from typing import Any

from tests.contracts.telegram import TelegramContract

_DEEP = 4
"""Below so many levels only what is required is made."""
_WORDS = ("hello", "😄", "see you", "ok", "😁👍🏿", "tomorrow?", "שלום", "e\u0301", "a" * 300)


class Samples:
    """Makes values that fit the contract; the same ones for the same seed."""

    def __init__(self, contract: TelegramContract, seed: int, known: Mapping[str, Any]) -> None:
        """Set the contract. known: values for fields of these names, wherever they occur."""
        self._contract = contract
        self._known = known
        self.random = random.Random(seed)

    def of(self, type_name: str, depth: int = 0, **given: Any) -> Any:
        """Return a value of a type. given: values of its fields."""
        if type_name.startswith("Array of "):
            inner = type_name.removeprefix("Array of ")
            return [self.of(inner, depth + 1) for _ in range(self.random.randint(1, 2))]
        if type_name in ("Integer", "Float", "Boolean", "String"):
            return self._plain(type_name, {})
        told = self._contract.types[type_name]
        if "subtypes" in told:
            return self.of(self._subtype(told["subtypes"], depth), depth, **given)
        value = dict(given)
        most = self._contract.schema(type_name).get("maxProperties", len(told.get("fields", ())))
        for field in told.get("fields", ()):
            if len(value) < most and field["name"] not in value and self._is_made(type_name, field, depth):
                value[field["name"]] = self.field(type_name, field["name"], depth)
        return value

    def field(self, type_name: str, name: str, depth: int = 0) -> Any:
        """Return a value of a field of a type."""
        if name in self._known:
            return self._known[name]
        schema = self._contract.schema(type_name)["properties"][name]
        told = next(each for each in self._contract.types[type_name]["fields"] if each["name"] == name)
        kind = told["types"][0]
        if kind in ("Integer", "Float", "Boolean", "String"):
            return self._plain(kind, schema)
        made = self.of(kind, depth + 1)
        if isinstance(made, dict) and kind == "Message":
            made.pop("reply_to_message", None)
        return made

    def _is_made(self, type_name: str, field: Mapping[str, Any], depth: int) -> bool:
        if field["required"]:
            return True
        return type_name not in ("Message", "Update") and depth < _DEEP and self.random.random() < 0.3

    def _subtype(self, subtypes: list[str], depth: int) -> str:
        if depth > _DEEP and "String" in subtypes:
            return "String"
        if "InaccessibleMessage" in subtypes and depth > 1:
            return "InaccessibleMessage"
        return self.random.choice(subtypes)

    def _plain(self, kind: str, schema: Mapping[str, Any]) -> Any:
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        if kind == "Integer":
            return self.random.randint(schema.get("minimum", 1), schema.get("maximum", 10_000))
        if kind == "Float":
            return round(self.random.random(), 3)
        if kind == "Boolean":
            return True
        word = self.random.choice(_WORDS)
        return word[: min(schema.get("mostUnits", 300), schema.get("mostBytes", 1200)) // 4 or 1]
