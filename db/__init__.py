"""What is kept: hashed people and chats, readings without pictures, taps. One `Store` in front of SQLAlchemy."""

from db.identity import Chat, Person
from db.store import FaceReading, Preferences, Store, StoredChoice, StoredPhoto, StoredReading, StoreError

__all__ = [
    "Chat",
    "FaceReading",
    "Person",
    "Preferences",
    "Store",
    "StoreError",
    "StoredChoice",
    "StoredPhoto",
    "StoredReading",
]
