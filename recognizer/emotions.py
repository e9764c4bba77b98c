"""What the classifier tells apart, and the frame it was trained in."""

EMOTIONS = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""The seven classes of FER2013, in the order of every probability row in this project."""

FACE_SIZE = 48
"""Side in pixels of a registered face: FER2013's frame (Goodfellow et al. 2013, https://arxiv.org/abs/1307.0414)."""
