"""An invented community for the console: drawn faces, model readings and people's feedback. No real people."""

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import update

from db import Actor, Chat, Depth, FaceReading, Judgement, Lesson, Origin, Part, Person, Platform, State, Store, Verdict
from db.schema import LabelRow, ModelRow, PhotoRow, PromotionRow, TapRow
from recognizer import EMOTIONS, FACE_SIZE, EmojiMap
from tests.model_files import renamed

SHIPPED = "shipped-2026.10"
_MIX = (0.08, 0.04, 0.07, 0.42, 0.2, 0.1, 0.09)
_SCALE = 8


def draw_face(emotion: str, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a face of simple strokes that shows an emotion, `(48, 48)`."""
    side = FACE_SIZE * _SCALE
    skin, wall, ink = int(random.integers(120, 215)), int(random.integers(40, 235)), int(random.integers(15, 60))
    shade = np.linspace(-18, 18, side)[None] * random.choice([-1, 1])
    canvas = np.full((side, side), wall, np.float32) + shade

    def at(x: float, y: float) -> tuple[int, int]:
        return int(x * side), int(y * side)

    cv2.ellipse(canvas, at(0.5, 0.46), at(0.44, 0.54), 0, 0, 360, ink, -1)  # hair
    cv2.ellipse(canvas, at(0.5, 0.56), at(0.37, 0.47), 0, 0, 360, skin, -1)
    lift, tilt, open_ = {
        "angry": (0.03, 14, 0.6),
        "disgust": (0.02, 9, 0.5),
        "fear": (-0.05, -12, 1.3),
        "happy": (-0.02, -4, 0.75),
        "neutral": (0.0, 0, 0.9),
        "sad": (-0.02, -15, 0.7),
        "surprise": (-0.08, 0, 1.5),
    }[emotion]
    for sign in (-1, 1):
        x = 0.5 + sign * 0.16
        cv2.ellipse(canvas, at(x, 0.46), (int(0.075 * side), int(0.045 * side * open_)), 0, 0, 360, 240, -1)
        cv2.circle(canvas, at(x, 0.46), int(0.03 * side), ink, -1, cv2.LINE_AA)
        cv2.ellipse(canvas, at(x, 0.37 + lift), at(0.1, 0.03), sign * tilt, 180, 360, ink, 12, cv2.LINE_AA)
    cv2.line(canvas, at(0.5, 0.5), at(0.47, 0.63), skin - 45, 9, cv2.LINE_AA)
    lips = max(skin - 90, 10)
    match emotion:
        case "happy":
            cv2.ellipse(canvas, at(0.5, 0.72), at(0.17, 0.13), 0, 0, 180, 235, -1, cv2.LINE_AA)
            cv2.ellipse(canvas, at(0.5, 0.72), at(0.17, 0.13), 0, 0, 180, lips, 10, cv2.LINE_AA)
        case "sad" | "angry" | "disgust":
            cv2.ellipse(canvas, at(0.5, 0.86), at(0.15, 0.09), 0, 200, 340, lips, 14, cv2.LINE_AA)
        case "surprise" | "fear":
            cv2.ellipse(canvas, at(0.5, 0.79), at(0.08, 0.11), 0, 0, 360, ink, -1, cv2.LINE_AA)
        case _:
            cv2.line(canvas, at(0.38, 0.78), at(0.62, 0.78), lips, 13, cv2.LINE_AA)
    turned = cv2.warpAffine(
        canvas,
        cv2.getRotationMatrix2D(at(0.5, 0.5), float(random.normal(0, 6)), float(random.uniform(0.92, 1.08))),
        (side, side),
        borderMode=cv2.BORDER_REPLICATE,
    )
    small = cv2.resize(cv2.GaussianBlur(turned, (0, 0), 2), (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA)
    grainy = small + random.normal(0, 3, small.shape)
    return np.asarray(np.clip(grainy, 0, 255), np.uint8)


async def fill(store: Store, emoji_map: EmojiMap, *, faces: int, days: int = 84, people: int = 60) -> None:
    """Store this many faces of this many people over the last days, about every second one with feedback."""
    random, now = np.random.default_rng(5), datetime.now(UTC)
    senders = [Person(Platform.TELEGRAM, f"invented {number}") for number in range(people)]
    for sender in senders[: people * 3 // 4]:
        await store.set_keeps_faces(sender, True)
    moments: list[tuple[int, datetime]] = []
    for number in range(faces):
        age = timedelta(days=days * (1 - np.sqrt((number + 0.5) / faces)) + float(random.uniform(0, 0.04)))
        true = int(random.choice(7, p=_MIX))
        blur = 0.9 - 0.45 * (1 - age.days / days)  # the model improves over time
        said = random.dirichlet(np.full(7, 0.25 + blur / 4) + 3.2 * (np.arange(7) == true) * random.random())
        crop = draw_face(EMOTIONS[true], random).tobytes()
        sender = senders[int(random.integers(people))]
        reading = FaceReading(tuple(float(share) for share in said), ("😀",), crop)
        (stored,) = (await store.add_photo(sender, Chat(Platform.TELEGRAM, "invented"), SHIPPED, [reading])).readings
        moments.append((stored.id, now - age))
        if random.random() < 0.5:
            likely = emoji_map.likelihoods[true] / emoji_map.likelihoods[true].sum()
            await store.taps.add(stored.id, emoji=emoji_map.emoji[int(random.choice(len(likely), p=likely))])
        elif random.random() < 0.15:
            await store.taps.add(stored.id, emotion=EMOTIONS[true])
        if random.random() < 0.06:
            for admin in ("Ada", "Grace"):
                right = EMOTIONS[true] if random.random() < 0.85 else Verdict.NOT_A_FACE
                await store.feedback.add_label(stored.id, Person(Platform.CONSOLE, admin), right)
    await _date_back(store, moments)


async def _date_back(store: Store, moments: list[tuple[int, datetime]]) -> None:
    """Readings, with what was said of them, as if they came in at these moments. One reading a photo."""
    async with store.transactions.write() as session:
        for reading, at in moments:
            await session.execute(update(PhotoRow).where(PhotoRow.id == reading).values(taken_at=at))
            await session.execute(update(TapRow).where(TapRow.reading_id == reading).values(tapped_at=at))
            await session.execute(update(LabelRow).where(LabelRow.reading_id == reading).values(labelled_at=at))


def judgement(*, gain: float, reach: float, offered: bool, guard: float, learned: int) -> Judgement:
    """Return a judgement: a gain in points, plus or minus `reach`; guard: change in points."""
    by_emotion = {
        name: (n, before, min(1.0, before + gain / 100 * lift))
        for name, n, before, lift in zip(
            EMOTIONS,
            (14, 6, 11, 71, 38, 21, 17),
            (0.5, 0.33, 0.36, 0.86, 0.68, 0.48, 0.71),
            (1.6, 0.5, 2.1, 0.6, 0.9, 1.8, 1.0),
            strict=True,
        )
    }
    why = (
        "It reads your people's faces better, and everybody else's as well as before."
        if offered
        else "It may be no better on your people's faces: that could be chance."
    )
    return Judgement(
        offered=offered,
        why=why,
        learned_faces=learned,
        learned_people=learned // 9,
        judged_faces=178,
        judged_people=21,
        served=0.66,
        candidate=0.66 + gain / 100,
        gain=gain,
        low=gain - reach,
        high=gain + reach,
        sure=0.999 if offered else 0.6,
        guard_faces=3589,
        guard_served=0.712,
        guard_candidate=0.712 + guard / 100,
        guard_shipped=0.712,
        by_emotion=by_emotion,
        seconds=48.0,
    )


async def add_versions(store: Store) -> None:
    """Add four versions: the second is served after a promotion, and one runs in shadow."""
    versions = store.versions
    await versions.begin_with(SHIPPED, renamed(SHIPPED))
    found = judgement(gain=6.2, reach=3.6, offered=True, guard=-0.1, learned=214)
    await _add(store, "adapt-11-02", SHIPPED, found, faces=12)
    await versions.promote("adapt-11-02", instead_of=SHIPPED, by=Actor("Ada"))
    found = judgement(gain=1.4, reach=4.1, offered=False, guard=0.1, learned=268)
    await _add(store, "adapt-11-09", "adapt-11-02", found, faces=12)
    found = judgement(gain=5.1, reach=3.3, offered=True, guard=-0.2, learned=391)
    await _add(store, "full-11-20", "adapt-11-02", found, faces=40, origin=Origin.FULL)
    now = datetime.now(UTC)
    ages = {SHIPPED: 60, "adapt-11-02": 19, "adapt-11-09": 12, "full-11-20": 1}
    async with store.transactions.write() as session:
        for name, days in ages.items():
            made = now - timedelta(days=days)
            await session.execute(update(ModelRow).where(ModelRow.version == name).values(created_at=made))
        for number, days in ((1, 60), (2, 18)):
            at = now - timedelta(days=days)
            await session.execute(update(PromotionRow).where(PromotionRow.id == number).values(at=at))


async def _add(
    store: Store, name: str, parent: str, found: Judgement, *, faces: int, origin: Origin = Origin.ADAPT
) -> None:
    kept = (await store.feedback.faces())[:faces]
    lessons = [
        Lesson(face.reading, Part.JUDGE if place % 4 == 0 else Part.LEARN, 1.0, (0.0,) * 3 + (1.0,) + (0.0,) * 3)
        for place, face in enumerate(kept)
    ]
    await store.versions.add(
        name,
        renamed(name),
        origin=origin,
        parent=parent,
        metrics=found.to_metrics(),
        fingerprint="f" * 64,
        lessons=lessons,
    )


async def add_retraining(store: Store, version: str) -> None:
    """A retraining that ended well and made a version."""
    number = await store.retrainings.start(Depth.FULL, Actor("Grace"))
    await store.retrainings.finish(number, State.DONE, f"{version} is ready to look at.", version)


async def run_in_shadow(store: Store, name: str) -> None:
    """Let a version run in shadow, with some faces read."""
    await store.versions.set_shadow(name)
    kept, random = await store.feedback.faces(), np.random.default_rng(1)
    readings = [
        (face.reading, face.probabilities if random.random() < 0.88 else tuple(reversed(face.probabilities)))
        for face in kept[:140]
    ]
    await store.versions.add_shadow(name, readings)


async def damage(store: Store, version: str) -> None:
    """Change a version's files behind its checksum."""
    async with store.transactions.write() as session:
        await session.execute(update(ModelRow).where(ModelRow.version == version).values(artefact=b"something else"))
