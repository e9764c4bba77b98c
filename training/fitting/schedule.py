"""The schedule of a recipe in Keras's terms."""

import keras

from training.fitting.recipe import Cosine, Exponential, Plateau, Recipe


def learning_rate(recipe: Recipe, steps_an_epoch: int) -> keras.optimizers.schedules.LearningRateSchedule | float:
    """Return the learning rate of every step, or the first one if a callback changes it."""
    schedule = recipe.schedule
    if isinstance(schedule, Exponential):
        return keras.optimizers.schedules.ExponentialDecay(
            schedule.learning_rate, steps_an_epoch, schedule.decay, staircase=True
        )
    if isinstance(schedule, Cosine):
        steps = recipe.epochs * steps_an_epoch
        warmup = round(steps * schedule.warmup)
        return keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=schedule.learning_rate / 25 if warmup else schedule.learning_rate,
            warmup_target=schedule.learning_rate if warmup else None,
            warmup_steps=warmup,
            decay_steps=max(1, steps - warmup),
        )
    return schedule.learning_rate


def schedule_callbacks(schedule: Cosine | Exponential | Plateau, monitored: str) -> list[keras.callbacks.Callback]:
    """Return what happens between epochs: another learning rate, an early stop, the averaged weights.

    monitored: the figure on valid, the higher the better, that decides when to stop.
    """
    callbacks = []
    if isinstance(schedule, Plateau):
        callbacks.append(keras.callbacks.ReduceLROnPlateau("val_loss", factor=schedule.factor, patience=schedule.wait))
    if schedule.patience is not None:
        callbacks.append(keras.callbacks.EarlyStopping(monitored, mode="max", patience=schedule.patience))
    if schedule.average:  # after the checkpoint, which needs the raw weights, and before the best ones are saved
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    return callbacks
