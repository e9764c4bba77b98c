"""Read facial expressions: from the bytes of a photo to emotion probabilities and ranked emoji for each face.

The package knows nothing of chats and databases, and does not need TensorFlow.
"""

from recognizer.classification import ModelError
from recognizer.cues import Cue
from recognizer.decoding.photo import PhotoError, PhotoProblem
from recognizer.emoji_map import EmojiMap, EmojiMapError
from recognizer.emotions import EMOTIONS, FACE_SIZE
from recognizer.expression import Expression
from recognizer.finding.detection import DetectorError
from recognizer.finding.face_geometry import Box
from recognizer.isolation.processes import IsolationError
from recognizer.reader import Recognizer
from recognizer.readings import Face, Reading

__all__ = [
    "EMOTIONS",
    "FACE_SIZE",
    "Box",
    "Cue",
    "DetectorError",
    "EmojiMap",
    "EmojiMapError",
    "Expression",
    "Face",
    "IsolationError",
    "ModelError",
    "PhotoError",
    "PhotoProblem",
    "Reading",
    "Recognizer",
]
