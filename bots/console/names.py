"""Say which names an admin may have in the console, and which of them look the same."""

import unicodedata

MOST_NAME = 40
"""Maximum number of characters of an admin's name."""
_UNPROVEN = " (shared token)"


class NameRefusedError(ValueError):
    """The name cannot be used; the message says why and what to do."""


def cleaned(name: str) -> str:
    """Return a name without needless spaces.

    Raise `NameRefusedError` if nothing is left, if it has more than `MOST_NAME` characters or one that cannot be seen,
    or if it ends like `unproven`.
    """
    name = " ".join(unicodedata.normalize("NFC", name[: 10 * MOST_NAME]).split())
    if not name or len(name) > MOST_NAME:
        raise NameRefusedError(f"Please give a name of 1 to {MOST_NAME} characters, so that others know who you are.")
    if not name.isprintable():
        raise NameRefusedError("Please give a name without characters that cannot be seen.")
    if folded(name).endswith(folded(_UNPROVEN)):
        raise NameRefusedError(f'Please give a name without "{_UNPROVEN.strip()}"; the console adds it.')
    return name


def folded(name: str) -> str:
    """Return what names have in common that differ only in case, or in the form of letters (Unicode's NFKC)."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def unproven(name: str) -> str:
    """Return a name that anybody with the shared token can choose, marked so that it is nobody else's."""
    return name + _UNPROVEN
