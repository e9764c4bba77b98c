"""Encrypt the crops of faces with a key that is not in the database: whoever copies its file sees no face.

Fernet of the library cryptography (https://cryptography.io/en/latest/fernet/): AES-128 in CBC mode with HMAC-SHA256.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

_BEGINNING = b"gAAAAA"
"""The first bytes of every token of Fernet until the year 4147: its version and the high bytes of its time."""
CLEAR_BYTES = 48 * 48
"""Bytes of a crop that is not encrypted."""


class CropKeyError(Exception):
    """A crop cannot be decrypted; the message says which setting to check."""


class CropSealing:
    """Encrypts with the first of some keys and decrypts with any; without a key, crops are stored as they are.

    A crop that was stored before there was a key is read as it is.
    """

    def __init__(self, keys: Sequence[str] = ()) -> None:
        """keys: 32 bytes each, in base 64 for URLs. Raise `ValueError` if one is not."""
        self._first = Fernet(keys[0]) if keys else None
        self._all = MultiFernet([Fernet(key) for key in keys]) if keys else None

    @property
    def has_key(self) -> bool:
        """Return whether new crops are encrypted."""
        return self._first is not None

    def seal(self, crop: bytes) -> bytes:
        """Return a crop as it is stored."""
        return self._first.encrypt(crop) if self._first is not None else crop

    def unseal(self, stored: bytes) -> bytes:
        """Return the crop of what is stored. Raise `CropKeyError` if no key fits."""
        if not is_sealed(stored):
            return stored
        if self._all is None:
            raise CropKeyError(
                "The faces in the database are encrypted, and CROPS_KEY is not set: set it to the key that they were "
                "encrypted with."
            )
        try:
            return self._all.decrypt(stored)
        except InvalidToken:
            raise CropKeyError(
                "No key of CROPS_KEY fits the faces in the database: add the one that they were encrypted with after "
                "the new one, separated by a comma. If it is lost for good: python -m db rotate-key --delete-unreadable"
            ) from None

    def is_current(self, stored: bytes) -> bool:
        """Return whether what is stored is encrypted with the first key."""
        if self._first is None or not is_sealed(stored):
            return False
        try:
            self._first.decrypt(stored)
        except InvalidToken:
            return False
        return True


def is_sealed(stored: bytes) -> bool:
    """Return whether what is stored is encrypted: a token is longer than the crop in it."""
    return len(stored) > CLEAR_BYTES and stored.startswith(_BEGINNING)


def new_key() -> str:
    """Return a new key at random."""
    return Fernet.generate_key().decode()
