"""Who asks: a browser, known by the id in its signed cookie."""

from dataclasses import dataclass
from typing import Self

from starlette.requests import HTTPConnection

from db import Chat, Person, Platform

MOST_LANGUAGES = 200
"""Characters of the list of languages that are looked at."""


@dataclass(frozen=True)
class Visitor:
    """A browser. language: the languages that it prefers, as it sent them."""

    person: Person
    chat: Chat
    language: str

    @classmethod
    def of(cls, connection: HTTPConnection) -> Self:
        """Return who sent a request or opened a socket; the middleware issues an id to every browser."""
        browser = str(connection.session["id"])
        language = connection.headers.get("accept-language", "")[:MOST_LANGUAGES]
        return cls(Person(Platform.WEB, browser), Chat(Platform.WEB, browser), language)
