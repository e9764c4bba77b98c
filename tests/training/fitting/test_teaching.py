"""Teachers that look at the same picture as the network that learns."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training.fitting.networks import build
from training.fitting.teaching import Taught

FACES = easy_faces(6).pixels


def network(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return build(tiny_recipe(), ferplus=True)


def loss_against(model: keras.Model, targets: dict[str, np.ndarray], *, training: bool) -> float:
    said = model(FACES, training=False)
    loss = {head: keras.losses.CategoricalCrossentropy() for head in said}
    model.compile("sgd", loss=loss)
    return float(model.compute_loss(FACES, targets, said, training=training))


def test_the_target_is_what_teachers_say_of_the_picture_and_its_mirror_image() -> None:
    pupil, teachers = network(0), [network(1), network(2)]
    both = [teacher(pixels, training=False) for teacher in teachers for pixels in (FACES, FACES[:, :, ::-1])]
    mean = {head: np.mean([ops.convert_to_numpy(said[head]) for said in both], axis=0) for head in both[0]}
    labels = {head: np.eye(rows.shape[1], dtype=np.float32)[np.zeros(len(FACES), int)] for head, rows in mean.items()}
    blended = {head: 0.25 * labels[head] + 0.75 * mean[head] for head in labels}
    taught = Taught(pupil, teachers, 0.75)
    assert loss_against(taught, labels, training=True) == pytest.approx(
        loss_against(pupil, blended, training=True), rel=1e-5
    )


def test_only_the_labels_judge() -> None:
    pupil = network(0)
    labels = {"fer2013": np.eye(7, dtype=np.float32)[:6], "ferplus": np.eye(8, dtype=np.float32)[:6]}
    assert loss_against(Taught(pupil, [network(1)], 1.0), labels, training=False) == pytest.approx(
        loss_against(pupil, labels, training=False)
    )


def test_only_the_pupil_learns() -> None:
    pupil, teacher = network(0), network(1)
    before = [[weight.numpy() for weight in each.weights] for each in (pupil, teacher)]
    taught = Taught(pupil, [teacher], 1.0)
    taught.compile("sgd", loss=dict.fromkeys(pupil.output_names, "categorical_crossentropy"))
    labels = {"fer2013": np.eye(7, dtype=np.float32)[:6], "ferplus": np.eye(8, dtype=np.float32)[:6]}
    taught.fit(FACES, labels, verbose=0)
    changed = [
        any((old != new.numpy()).any() for old, new in zip(olds, each.weights, strict=True))
        for olds, each in zip(before, (pupil, teacher), strict=True)
    ]
    assert changed == [True, False]
