"""The classes of the classifier and the size of its input."""

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""The seven classes of FER2013, in the order used by every probability row in this project."""

FACE_SIZE = 48
"""Side of a registered face in pixels, as in FER2013 (Goodfellow et al. 2013, https://arxiv.org/abs/1307.0414)."""
