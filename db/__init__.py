"""What is stored: hashed people and chats, readings without pictures, taps, labels, and versions of the model.

One `Store` in front of SQLAlchemy.
"""

from db.actors import Actor
from db.choices import StoredChoice, TasteRevision
from db.enums import Depth, Platform, Verdict
from db.feedback import (
    AdminAgreement,
    Answer,
    AnsweredFace,
    FaceSummary,
    Feedback,
    Imported,
    KeptFace,
    Source,
)
from db.identity import Chat, Person
from db.judgement import Judgement
from db.retrainings import BusyError, LostError, Retraining, Retrainings, State
from db.store import FaceReading, Preferences, Store, StoredPhoto, StoredReading, StoreError
from db.version_facts import (
    ConflictError,
    Lesson,
    NotOfferedError,
    Origin,
    Part,
    Promotion,
    Role,
    ShadowComparison,
    Version,
    VersionError,
)
from db.versions import LEAST_REASON, Versions

__all__ = [
    "LEAST_REASON",
    "Actor",
    "AdminAgreement",
    "Answer",
    "AnsweredFace",
    "BusyError",
    "Chat",
    "ConflictError",
    "Depth",
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
    "Platform",
    "Preferences",
    "Promotion",
    "Retraining",
    "Retrainings",
    "Role",
    "ShadowComparison",
    "Source",
    "State",
    "Store",
    "StoreError",
    "StoredChoice",
    "StoredPhoto",
    "StoredReading",
    "TasteRevision",
    "Verdict",
    "Version",
    "VersionError",
    "Versions",
]
