"""The matching of emoji to faces when a photo is fetched again."""

from bots.messages import Form, StickerEmoji
from bots.pictures.maker import FaceEmoji, PictureMaker, _emoji_of
from db import Platform
from recognizer import Recognizer


def test_emoji_follow_the_faces_when_their_order_has_changed(recognizer: Recognizer, group_photo: bytes) -> None:
    faces = recognizer.read(group_photo).faces
    answered = [FaceEmoji(face.probabilities, emoji) for face, emoji in zip(faces, "😎🤩", strict=True)]
    assert _emoji_of(faces, answered) == ["😎", "🤩"]
    assert _emoji_of(faces[::-1], answered) == ["🤩", "😎"]


def test_faces_beyond_those_answered_get_their_own(recognizer: Recognizer, group_photo: bytes) -> None:
    first, second = recognizer.read(group_photo).faces
    assert _emoji_of([first, second], [FaceEmoji(second.probabilities, "😎")]) == [first.emoji[0], "😎"]
    assert _emoji_of([first], [FaceEmoji(first.probabilities, "😎"), FaceEmoji(second.probabilities, "🤩")]) == ["😎"]
    assert _emoji_of([], [FaceEmoji(first.probabilities, "😎")]) == []


def test_the_emoji_of_a_sticker_is_where_it_is_wanted(
    picture_maker: PictureMaker, recognizer: Recognizer, selfie: bytes
) -> None:
    face = recognizer.read(selfie).faces[0]
    answered = FaceEmoji(face.probabilities, "😎")
    made = {each: picture_maker.sticker(selfie, answered, Platform.WEB, each) for each in StickerEmoji}
    files = {each: one.content for each, one in made.items() if one is not None and one.form is Form.STICKER}
    assert len(set(files.values())) == len(StickerEmoji)
    faces = {each: len(recognizer.read(content).faces) for each, content in files.items()}
    assert faces == {StickerEmoji.ON_FACE: 0, StickerEmoji.BESIDE: 1, StickerEmoji.NONE: 1}


def test_a_bystander_of_the_same_expression_stays_covered(
    picture_maker: PictureMaker, recognizer: Recognizer, group_photo: bytes
) -> None:
    subject, bystander = recognizer.read(group_photo).faces
    stickers = [
        picture_maker.sticker(group_photo, FaceEmoji(face.probabilities, "😎"), Platform.WEB, StickerEmoji.NONE)
        for face in (subject, bystander)
    ]
    assert stickers[0] == stickers[1]
    assert stickers[0] is not None
    assert len(recognizer.read(stickers[0].content).faces) == 1


def test_what_covers_the_faces_is_told_from_left_to_right(
    picture_maker: PictureMaker, recognizer: Recognizer, group_photo: bytes
) -> None:
    first = recognizer.read(group_photo).faces[0]
    covers = picture_maker.covers(group_photo, [FaceEmoji(first.probabilities, "😎", ("😎", "🤩"))])
    assert covers is not None
    assert covers[0].cover.x < covers[1].cover.x
    assert (covers[0].cover.emoji, covers[0].choices) == ("😎", ("😎", "🤩"))
    assert covers[1].choices == recognizer.read(group_photo).faces[1].emoji
    blurred = picture_maker.covers(group_photo, [], is_blurred=True)
    assert blurred is not None
    assert [each.cover.emoji for each in blurred] == [None, None]


def test_blurred_faces_are_no_longer_seen(
    picture_maker: PictureMaker, recognizer: Recognizer, group_photo: bytes
) -> None:
    made = picture_maker.emoji_me(group_photo, [], Platform.DISCORD, is_blurred=True)
    assert made is not None
    assert recognizer.read(made.content).faces == ()


def test_where_nobody_is_seen_nothing_is_made(picture_maker: PictureMaker, wall_photo: bytes) -> None:
    assert picture_maker.emoji_me(wall_photo, [], Platform.TELEGRAM) is None
    assert picture_maker.sticker(wall_photo, FaceEmoji((1 / 7,) * 7, "😎"), Platform.TELEGRAM) is None
