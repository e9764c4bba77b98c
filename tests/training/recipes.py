"""A recipe small enough to fit in seconds."""

from training.recipe import Augmentation, Loss, Network, Recipe, Schedule

STILL = Augmentation(rotation_degrees=0, shift=0, zoom=0, stretch=0, flip=False, brightness=0, contrast=0, erase=0)
LIVELY = Augmentation(
    rotation_degrees=12, shift=0.08, zoom=0.12, stretch=0.06, flip=True, brightness=0.15, contrast=0.3, erase=0.25
)


def tiny_recipe(*, name: str = "tiny", epochs: int = 2, ferplus_weight: float = 0.5) -> Recipe:
    return Recipe(
        name=name,
        seed=1,
        precision="float32",
        epochs=epochs,
        batch_size=16,
        network=Network(widths=(8, 12), convolutions=(1, 1), dropout=0.0),
        augmentation=STILL,
        loss=Loss(label_smoothing=0.0, ferplus_weight=ferplus_weight, class_weight_power=0.25),
        schedule=Schedule(peak_learning_rate=0.02, warmup=0.2, weight_decay=0.01),
    )
