"""Feedback for tests of retraining: people with drawn crops and labels, in a real database."""

import numpy as np

from db import Imported, Person, Platform, Store
from recognizer import EMOTIONS


async def fill(store: Store, people: int, faces_each: int = 5) -> None:
    """Add labelled crops of this many people: a bright bar on noise, whose height is the label."""
    random = np.random.default_rng(people)
    faces = []
    for number in range(people * faces_each):
        label = int(random.integers(0, 7))
        crop = random.integers(0, 60, (48, 48), dtype=np.uint8)
        crop[6 * label : 6 * label + 8] = 230
        person = Person(Platform.IMPORT, str(number // faces_each))
        faces.append(Imported(crop.tobytes(), (1 / 7,) * 7, EMOTIONS[label], person))
    await store.feedback.add_imported(faces, "a model", "drawn")
