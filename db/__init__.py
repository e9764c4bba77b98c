"""What is stored: hashed people and chats, readings without pictures, taps, labels, and versions of the model.

One `Store` in front of SQLAlchemy.
"""

from db.actors import Actor
from db.chat_emoji import ChatEmoji, OwnEmoji
from db.chats import ChatChoices, Chats
from db.choices import StoredChoice, TasteRevision
from db.consent import CONSENT_VERSION, Consent
from db.crop_sealing import CropKeyError, CropSealing
from db.enums import Automatic, Depth, Platform, TapOrigin, Verdict
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
from db.forgettings import ForgottenError
from db.games import Game, Games, Score
from db.identity import Chat, ChatMessage, Person
from db.journal import PARTS, Address, Journal, KnownError, Opened, OpenMessage, OwnMessages, gathering
from db.judgement import Judgement
from db.keeping import Keeping
from db.leases import Leases
from db.moments import utc_now
from db.personal_data import OwnData, OwnFace, OwnTap, PersonalData
from db.photo_context import PhotoContext
from db.preferences import Preferences
from db.retention import Expired
from db.retrainings import BusyError, ErasedError, LostError, QueueError, Retraining, Retrainings, State
from db.store import FaceReading, Store, StoredPhoto, StoredReading, StoreError
from db.taps import Taps
from db.update_claims import Claimed, UpdateClaims
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
    "CONSENT_VERSION",
    "LEAST_REASON",
    "PARTS",
    "Actor",
    "Address",
    "AdminAgreement",
    "Answer",
    "AnsweredFace",
    "Automatic",
    "BusyError",
    "Chat",
    "ChatChoices",
    "ChatEmoji",
    "ChatMessage",
    "Chats",
    "Claimed",
    "ConflictError",
    "Consent",
    "CropKeyError",
    "CropSealing",
    "Depth",
    "ErasedError",
    "Expired",
    "FaceReading",
    "FaceSummary",
    "Feedback",
    "ForgottenError",
    "Game",
    "Games",
    "Imported",
    "Journal",
    "Judgement",
    "Keeping",
    "KeptFace",
    "KnownError",
    "Leases",
    "Lesson",
    "LostError",
    "NotOfferedError",
    "OpenMessage",
    "Opened",
    "Origin",
    "OwnData",
    "OwnEmoji",
    "OwnFace",
    "OwnMessages",
    "OwnTap",
    "Part",
    "Person",
    "PersonalData",
    "PhotoContext",
    "Platform",
    "Preferences",
    "Promotion",
    "QueueError",
    "Retraining",
    "Retrainings",
    "Role",
    "Score",
    "ShadowComparison",
    "Source",
    "State",
    "Store",
    "StoreError",
    "StoredChoice",
    "StoredPhoto",
    "StoredReading",
    "TapOrigin",
    "Taps",
    "TasteRevision",
    "UpdateClaims",
    "Verdict",
    "Version",
    "VersionError",
    "Versions",
    "gathering",
    "utc_now",
]
