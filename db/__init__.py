"""What is kept: hashed people and chats, readings without pictures, taps, labels, and versions of the model.

One `Store` in front of SQLAlchemy.
"""

from db.feedback import (
    NOT_A_FACE,
    UNSURE,
    Agreement,
    Answered,
    FaceSummary,
    Feedback,
    Imported,
    KeptFace,
    Source,
    Word,
)
from db.identity import Chat, Person
from db.judgement import Judgement
from db.retrainings import BusyError, LostError, Retraining, Retrainings, State
from db.store import FaceReading, Preferences, Store, StoredChoice, StoredPhoto, StoredReading, StoreError
from db.version_facts import (
    ConflictError,
    Lesson,
    NotOfferedError,
    Origin,
    Part,
    Promotion,
    Role,
    Shadowing,
    Version,
    VersionError,
)
from db.versions import LEAST_REASON, Versions

__all__ = [
    "LEAST_REASON",
    "NOT_A_FACE",
    "UNSURE",
    "Agreement",
    "Answered",
    "BusyError",
    "Chat",
    "ConflictError",
    "FaceReading",
    "FaceSummary",
    "Feedback",
    "Imported",
    "Judgement",
    "KeptFace",
    "Lesson",
    "LostError",
    "NotOfferedError",
    "Origin",
    "Part",
    "Person",
    "Preferences",
    "Promotion",
    "Retraining",
    "Retrainings",
    "Role",
    "Shadowing",
    "Source",
    "State",
    "Store",
    "StoreError",
    "StoredChoice",
    "StoredPhoto",
    "StoredReading",
    "Version",
    "VersionError",
    "Versions",
    "Word",
]
