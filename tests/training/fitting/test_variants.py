from pathlib import Path

import keras
import numpy as np
import pytest

from tests.training.faces import easy_faces
from tests.training.recipes import LIVELY, tiny_recipe
from training.data import Faces
from training.fitting.batches import Batches
from training.fitting.epochs import Epochs
from training.fitting.networks import build
from training.fitting.recipe import Augmentation, Data, Loss, Recipe
from training.fitting.targets import targets_of
from training.fitting.variants import variants

FACES = easy_faces(40)


def recipe(augmentation: Augmentation = LIVELY) -> Recipe:
    loss = Loss(teachers=("teacher",), teaching=0.75, teaching_on="pictures", ferplus_weight=0.5)
    return tiny_recipe().model_copy(
        update={"augmentation": augmentation, "loss": loss, "data": Data(variants=2), "batch_size": len(FACES)}
    )


@pytest.fixture(scope="module")
def teacher() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build(tiny_recipe(), ferplus=True, dtype="float32")


def test_a_variant_is_a_changed_picture_with_what_the_teacher_says_of_it_and_its_mirror_image(
    teacher: keras.Model, tmp_path: Path
) -> None:
    first, second = variants(FACES, None, recipe(), teacher, tmp_path)
    assert (first.pixels != FACES.pixels).any(axis=(1, 2)).all()
    assert (first.pixels != second.pixels).any(axis=(1, 2)).all()
    for variant in (first, second):
        sides = [teacher.predict(pixels, verbose=0) for pixels in (variant.pixels, variant.pixels[:, :, ::-1])]
        for head, said in variant.said.items():
            np.testing.assert_allclose(said, (sides[0][head] + sides[1][head]) / 2, atol=0.02)  # its weights are int8


def test_they_are_made_once_and_again_where_the_file_was_cut_off(
    teacher: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = variants(FACES, None, recipe(), teacher, tmp_path)
    cut_off = min(tmp_path.iterdir())
    cut_off.write_bytes(cut_off.read_bytes()[:500])
    assert [
        (variant.pixels == again.pixels).all()
        for variant, again in zip(made, variants(FACES, None, recipe(), teacher, tmp_path), strict=True)
    ] == [True, True]
    monkeypatch.setattr("training.fitting.variants._said", None)
    assert len(variants(FACES, None, recipe(), teacher, tmp_path)) == 2


def test_other_faces_augmentation_or_teachers_make_other_variants(teacher: keras.Model, tmp_path: Path) -> None:
    other = build(tiny_recipe(), ferplus=True, dtype="float32")
    variants(FACES, None, recipe(), teacher, tmp_path)
    variants(FACES[:30], None, recipe(), teacher, tmp_path)
    variants(FACES, None, recipe(Augmentation(blur=1)), teacher, tmp_path)
    variants(FACES, None, recipe(), other, tmp_path)
    assert len(list(tmp_path.iterdir())) == 4 * 2


def test_mixed_pictures_are_what_the_teacher_sees_and_stay_as_they_were_made(
    teacher: keras.Model, tmp_path: Path
) -> None:
    black_or_white = Faces(
        np.where(np.arange(len(FACES)) % 2, 255, 0).astype(np.uint8)[:, None, None] * np.ones_like(FACES.pixels),
        FACES.labels,
        FACES.votes,
    )
    mixing = recipe(Augmentation(cutmix=1)).model_copy(
        update={"loss": Loss(teachers=("teacher",), teaching=1, teaching_on="pictures", ferplus_weight=0.5)}
    )
    (first, _) = made = variants(black_or_white, None, mixing, teacher, tmp_path)
    cut = [len(np.unique(picture)) == 2 for picture in first.pixels]
    assert sum(cut) > len(FACES) / 4
    wanted = targets_of(black_or_white, mixing, FACES.class_counts)
    epochs = Epochs(black_or_white, wanted, mixing, None, made)
    pixels, targets, _ = epochs.batch(0, 0, np.arange(len(FACES)))
    np.testing.assert_array_equal(pixels, first.pixels)
    for head, said in first.said.items():
        np.testing.assert_allclose(targets[head], said, atol=1e-6)


def test_epochs_show_the_variants_in_turn_plain_or_mirrored_with_blended_targets(
    teacher: keras.Model, tmp_path: Path
) -> None:
    mild = recipe(Augmentation(brightness=0.1, flip=True))
    made = variants(FACES, None, mild, teacher, tmp_path)
    wanted = targets_of(FACES, mild, FACES.class_counts)
    batches = Batches(Epochs(FACES, wanted, mild, None, made))
    for epoch in (0, 1, 2, 3):
        batches.shuffle(epoch)
        pixels, targets, _ = batches[0]
        variant, sides = made[epoch % 2], set()
        known = {
            side.tobytes(): (row, mirrored)
            for row, face in enumerate(variant.pixels)
            for mirrored, side in enumerate((face, face[:, ::-1]))
        }
        for picture, target in zip(pixels, targets["fer2013"], strict=True):
            row, mirrored = known[picture.tobytes()]
            sides.add(mirrored)
            said = variant.said["fer2013"][row]
            np.testing.assert_allclose(target, 0.25 * wanted.targets["fer2013"][row] + 0.75 * said, atol=1e-6)
        assert sides == {0, 1}
