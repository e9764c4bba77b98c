"""A recipe small enough to fit in seconds."""

from training.fitting.recipe import Augmentation, Convolutional, Cosine, Loss, Recipe

LIVELY = Augmentation(
    rotation_degrees=12,
    shift=0.08,
    zoom=0.12,
    stretch=0.06,
    flip=True,
    brightness=0.15,
    contrast=0.3,
    gamma=0.4,
    side_light=0.3,
    low_resolution=0.2,
    blur=0.2,
    noise=0.2,
    jpeg=0.2,
    erase=0.25,
    mixup=0.2,
)


def tiny_recipe(
    *, name: str = "tiny", epochs: int = 2, ferplus_weight: float = 0.5, patience: int | None = None, average: float = 0
) -> Recipe:
    return Recipe(
        name=name,
        seed=1,
        precision="float32",
        epochs=epochs,
        batch_size=16,
        network=Convolutional(kind="convolutional", stages=((8,), (12,))),
        loss=Loss(ferplus_weight=ferplus_weight, class_weight_power=0.25),
        schedule=Cosine(
            kind="cosine", learning_rate=0.02, warmup=0.2, weight_decay=0.01, patience=patience, average=average
        ),
    )
