"""Change what a platform or a browser sends at random."""

import random
from typing import Any

ODD: list[Any] = [
    None,
    True,
    -1,
    0,
    2**63,
    1e308,
    "",
    "\x00",
    "x" * 2_000,
    [],
    {},
    [[[]]],
    {"a": {"b": []}},
    "\u202e🦄",
]
"""Values that a field may have in place of its own."""


def mutated(chance: random.Random, content: bytes) -> bytes:
    """Return bytes of which some were changed, cut out or doubled."""
    mutant = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        place, length = chance.randrange(len(mutant)), chance.choice((1, 2, 4, 64))
        match chance.randrange(4):
            case 0:
                mutant[place : place + length] = chance.randbytes(length)
            case 1 if len(mutant) > length + 1:
                del mutant[place : place + length]
            case 2:
                mutant[place:place] = mutant[place : place + length]
            case _:
                mutant[place] ^= 1 << chance.randrange(8)
    return bytes(mutant)


def change(chance: random.Random, value: Any) -> None:
    """Change or take out one or two of the fields of a JSON value, at any depth."""
    for _ in range(chance.choice((1, 1, 2))):
        holder = value
        while True:
            places: list[Any] = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            if not places:
                break
            place = chance.choice(places)
            inner = holder[place]
            if isinstance(inner, dict | list) and inner and chance.random() < 0.75:
                holder = inner
                continue
            if chance.random() < 0.25:
                del holder[place]
            else:
                holder[place] = chance.choice(ODD)
            break
