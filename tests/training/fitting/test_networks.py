import keras
import numpy as np
import pytest

from tests.training.faces import easy_faces
from tests.training.recipes import tiny_recipe
from training import MissingError
from training.fitting.networks import averaged, build, multiply_adds
from training.fitting.normalization import BatchNormalization
from training.fitting.recipe import (
    Convolutional,
    EfficientLite,
    FaceMobile,
    FaceResidual,
    Network,
    Residual,
    SlimResidual,
)


@pytest.mark.parametrize(("ferplus", "heads"), [(True, {"fer2013": 7, "ferplus": 8}), (False, {"fer2013": 7})])
def test_every_head_returns_probabilities(ferplus: bool, heads: dict[str, int]) -> None:
    given = build(tiny_recipe(), ferplus=ferplus).predict(easy_faces(5).pixels, verbose=0)
    assert {head: rows.shape for head, rows in given.items()} == {head: (5, width) for head, width in heads.items()}
    for rows in given.values():
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)


def test_a_darker_and_flatter_face_reads_the_same() -> None:
    network = build(tiny_recipe(), ferplus=False)
    bright = easy_faces(14).pixels.astype(np.float32)
    dark = bright * 0.3 + 10
    given = [network.predict(faces, verbose=0)["fer2013"] for faces in (bright, dark)]
    np.testing.assert_allclose(given[0], given[1], atol=0.02)


def test_the_network_returns_float32_whatever_the_precision() -> None:
    recipe = tiny_recipe().model_copy(update={"precision": "mixed_bfloat16"})
    assert build(recipe, ferplus=True).predict(easy_faces(2).pixels, verbose=0)["fer2013"].dtype == np.float32


def test_multiply_adds_are_counted_over_every_convolution() -> None:
    first, second = 48 * 48 * 9 * 1 * 8, 24 * 24 * 9 * 8 * 12
    assert multiply_adds(build(tiny_recipe(), ferplus=True)) == first + second


def test_batch_normalization_trains_like_that_of_keras() -> None:
    random = np.random.default_rng(0)
    x = random.normal(3, 2, (16, 6, 6, 4)).astype(np.float32)
    wanted = random.normal(size=x.shape).astype(np.float32)
    given = []
    for kind in (BatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=0.9)
        network = keras.Sequential([keras.Input(x.shape[1:]), layer])
        network.compile(keras.optimizers.SGD(0.5), "mse")
        network.fit(x, wanted, batch_size=16, epochs=5, verbose=0)
        given.append([network.predict(x, verbose=0), *(weight.numpy() for weight in layer.weights)])
    for own, keras_own in zip(*given, strict=True):
        np.testing.assert_allclose(own, keras_own, atol=0.02)  # the fused variance is the sample variance: n / (n - 1)


def test_a_network_without_imagenet_weights_says_what_to_do() -> None:
    network = Residual(kind="resnet18", side=32, weights="imagenet")
    with pytest.raises(MissingError, match="--from-scratch"):
        build(tiny_recipe().model_copy(update={"network": network}), ferplus=False)


@pytest.mark.parametrize(
    "network",
    [
        Convolutional(kind="convolutional", stages=((4, 6), (8,)), padding="valid", summary="flatten", dense=(5,)),
        Convolutional(kind="convolutional", stages=((4,),), batch_normalization=False, stage_dropout=0.2, dropout=0.2),
        Residual(kind="resnet18", side=32, weights="none", dense=(6,), dropout=0.1),
        Residual(kind="resnet50", side=32, weights="none"),
        FaceResidual(kind="face_resnet", side=64, weights="none", dense=(6,), dropout=0.1),
        FaceMobile(kind="face_mobilenet", side=64, weights="none"),
        EfficientLite(kind="efficientnet_lite0", side=64, weights="none"),
        SlimResidual(kind="slim_resnet", stem=4, stages=((4, 1), (8, 2)), dropout=0.1),
        SlimResidual(kind="slim_resnet", stem=4, stages=((4, 1),)),
    ],
)
def test_every_kind_of_network_learns_a_step(network: Network) -> None:
    model = build(tiny_recipe(ferplus_weight=0).model_copy(update={"network": network}), ferplus=False)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.compile("sgd", {"fer2013": "sparse_categorical_crossentropy"})
    faces = easy_faces(8)
    model.fit(faces.pixels, {"fer2013": faces.labels}, verbose=0)
    assert all(
        (old != new.numpy()).any() for old, new in zip(before, model.trainable_weights, strict=True) if old.ndim > 1
    )


def test_of_several_networks_the_mean_is_taken_and_one_stays_itself() -> None:
    faces = easy_faces(5).pixels
    members = [build(tiny_recipe(), ferplus=True), build(tiny_recipe(name="other"), ferplus=False)]
    given = averaged(members).predict(faces, verbose=0)
    assert set(given) == {"fer2013"}
    each = [member.predict(faces, verbose=0)["fer2013"] for member in members]
    np.testing.assert_allclose(given["fer2013"], np.mean(each, axis=0), atol=1e-6)
    assert averaged(members[:1]) is members[0]
