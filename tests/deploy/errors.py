"""What an operator may see, collected from the source: events of the log, messages at an exit, lines of /readyz."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ROOMS = ("bots", "db", "recognizer", "training")
_BAD_LEVELS = {"warning", "error", "exception", "critical"}
_AT_AN_EXIT = {
    "AdapterError",
    "ArtworkError",
    "BackupError",
    "CropKeyError",
    "DetectorError",
    "MissingError",
    "ModelError",
    "SettingsError",
    "StoreError",
}
"""Errors whose message is the last line of a program. Those of the emoji map name its line themselves."""
_EVENT_OF_CALLER = {"event"}
"""Names of arguments that hold an event which the caller names."""


def events() -> set[str]:
    """Return the events that are logged as warnings or errors."""
    found = set()
    for tree in _trees():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if _is_bad(call) and call.args:
                found |= set(_texts(call.args[0]))
            found |= {text for each in _events_for_callees(tree, call) for text in _texts(each)}
    return {text for text in found if text.replace("_", "").isalnum()}


def messages() -> set[str]:
    """Return the messages with which programs end, with … for what is filled in."""
    found = set()
    for tree in _trees():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in _AT_AN_EXIT | {"_fail", "_say"} and call.args:
                found |= {text for text in _texts(call.args[0]) if text.strip("… ")}
        if any(isinstance(node, ast.Name) and node.id == "AdapterError" for node in ast.walk(tree)):
            found |= _sentences_named_in(tree)
    return found


def parts_of_readiness() -> set[str]:
    """Return the names of the parts that /readyz may name."""
    found = {"The adapter for …"}
    for tree in _trees():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            is_supervised = isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "supervisor.start"
            found |= set(_texts(call.args[0])) if is_supervised else set()
        for checks in (node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)):
            if ast.unparse(checks.annotation) == "dict[str, Check]" and isinstance(checks.value, ast.Dict):
                found |= {text for key in checks.value.keys if key is not None for text in _texts(key)}
    return found


def _is_bad(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in _BAD_LEVELS
        and ast.unparse(call.func.value) == "_log"
    )


def _events_for_callees(tree: ast.Module, call: ast.Call) -> Iterator[ast.expr]:
    """Yield what a call hands to a function of the same module that logs it as an event."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
        names = [each.arg for each in function.args.args if each.arg not in ("self", "cls")]
        for event in _EVENT_OF_CALLER & set(names) if function.name == name else ():
            yield from call.args[names.index(event) : names.index(event) + 1]
            yield from (each.value for each in call.keywords if each.arg == event)


def _sentences_named_in(tree: ast.Module) -> set[str]:
    """Return the sentences that a module holds as constants."""
    values = (node.value for node in tree.body if isinstance(node, ast.Assign))
    return {text for value in values for text in _texts(value) if text.endswith(".")}


def _texts(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be, with … for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


@cache
def _trees() -> tuple[ast.Module, ...]:
    files = (file for room in _ROOMS for file in sorted((ROOT / room).rglob("*.py")))
    return tuple(ast.parse(file.read_text(encoding="utf-8")) for file in files)
