"""All sentences of the bot. They are short, friendly and without jargon; every refusal says what to do next.

They are written in English here and marked for `make translations`, which updates the catalogues under
`bots/conversation/locale`. A `bots.conversation.languages.Voice` translates them into a person's language.
"""

from typing import NamedTuple

from db import Platform


class Plural(NamedTuple):
    """A sentence with a count, in singular and plural; catalogues have the plural forms of their language."""

    one: str
    many: str


def _(sentence: str) -> str:
    """Mark a sentence for translation."""
    return sentence


def _n(one: str, many: str) -> Plural:
    """Mark a sentence with a count for translation."""
    return Plural(one, many)


INTRODUCTION = _(
    "I am an AI: I guess the expression of a face from a picture, for fun, and I may be wrong. I am not for use at "
    "work or in schools."
)
"""What people are told before or with the first answer (AI Act, Article 50)."""
START = _(
    "Hi! I am an AI that reads facial expressions, for fun; not for use at work or in schools. Send me a selfie and "
    "I'll answer with the emoji of your face. Tap a button to tell me which emoji fits best. What I keep, and your "
    "choice about it: /privacy"
)
HELP = _(
    "I am an AI that reads facial expressions, for fun; not for use at work or in schools.\n"
    "Send me a photo with a face (or several) and I'll find the emoji that fits.\n"
    "• In a group, reply /emoji to a photo, or /emoji_me to cover its faces with emoji.\n"
    "• Tap an emoji to tell me it fits; tap another to change your mind.\n"
    "• /play – copy an emoji with your face\n"
    "• /settings – language, and how emoji of people look\n"
    "• /privacy – what I keep, and your choice about it\n"
    "• /my_data – everything I know about you; /forget_me – delete it"
)
DISCORD_HELP = _(
    "I am an AI that reads facial expressions, for fun; not for use at work or in schools.\n"
    "Send me a photo with a face (or several) in a direct message, or mention me with it, and I'll find the emoji that "
    "fits.\n"
    "• Anywhere: `/emoji` with a photo, or right-click a message → Apps → Suggest emoji.\n"
    "• `/emoji_me` with a photo, or Apps → Emoji me, covers its faces with emoji.\n"
    "• Tap an emoji to tell me it fits; tap another to change your mind.\n"
    "• `/play` – copy an emoji with your face\n"
    "• `/settings` – language, and how emoji of people look\n"
    "• `/privacy` – what I keep, and your choice about it\n"
    "• `/my_data` – everything I know about you; `/forget_me` – delete it"
)
WEB_HELP = _(
    "I am an AI that reads facial expressions, for fun; not for use at work or in schools.\n"
    "Choose, drop or paste a photo with a face (or several), or take one with the camera, and I'll find the emoji that "
    "fits.\n"
    "• Tap an emoji to tell me it fits; tap another to change your mind.\n"
    "• Play – copy an emoji with your face\n"
    "• Settings – language, and how emoji of people look\n"
    "• Privacy – what I keep, and your choice about it\n"
    "• My data – everything I know about you; Forget me – delete it"
)
HELPS = {Platform.TELEGRAM: HELP, Platform.DISCORD: DISCORD_HELP, Platform.WEB: WEB_HELP}
"""The help for each platform."""
OPENMOJI = _("The emoji in pictures are by OpenMoji, CC BY-SA 4.0 (openmoji.org).")
"""Shown with the help, because the licence requires it."""
SUGGEST_EMOJI = _("Suggest emoji")
EMOJI_ME_MENU = _("Emoji me")
COMMANDS = {
    "help": _("What I can do"),
    "settings": _("Language, and how emoji of people look"),
    "privacy": _("What I keep, and your choice about it"),
    "play": _("A game: copy an emoji with your face"),
    "my_data": _("Everything I know about you, as a file"),
    "forget_me": _("Delete everything I know about you"),
    "chat_settings": _("What is automatic in this chat, and who may tap"),
}
"""The description of each command in the platforms' menus."""
EMOJI_ME_COMMAND = _("Cover the faces of a photo with emoji")
TELEGRAM_DESCRIPTION = _(
    "Send me a selfie and I'll answer with the emoji of your face.\n\n"
    "I am an AI: I guess the expression of a face from a picture, for fun, and I may be wrong. I am not for use at "
    "work or in schools. I keep no photos; what I keep, and your choice about it: /privacy"
)
"""What Telegram's apps show in a chat with the bot before the first message, at most 512 characters."""
TELEGRAM_SHORT_DESCRIPTION = _("An AI that answers selfies with emoji, for fun. Not for use at work or in schools.")
"""What Telegram's apps show on the bot's profile and with links to it, at most 120 characters."""
TELEGRAM_EMOJI = _("Reply to a photo: find its emoji")
DISCORD_EMOJI = _("Find the emoji of a photo")
DISCORD_EMOJI_PHOTO = _("A picture with a face, or several")
PRIVACY = _(
    "• Photos: I read them in memory and throw them away at once.\n"
    "• I keep what I read (seven numbers a face), what I suggested and what you tapped, {kept}; your settings and your "
    "scores until you delete them. All of it under a scrambled version of your id; the plain one only while your photo "
    "waits for its answer.\n"
    "• Faces: {choice}\n"
    "• Who sees it: the operator and the admins of this bot. Your messages pass through the app that you write in.\n"
    "• /my_data – everything I know about you; /forget_me – delete it"
)
KEPT_FOR = _n("for at most {count} day", "for at most {count} days")
KEPT_UNTIL_DELETED = _("until you delete it")
KEEPS_NO_FACES = _("I keep no picture of you.")
KEEPS_FACES = _(
    "with your permission I keep tiny 48x48 grey pictures of the faces you send, {kept}. The admins of this bot may "
    "look at them to correct me, and the next versions of me are trained on them."
)
CONSENT = _(
    "May I learn from your faces? With a yes I keep a tiny 48x48 grey picture of each face that you send, {kept}. The "
    "admins of this bot may look at them to correct me, and the next versions of me are trained on them. You can take "
    "it back at any time with /privacy; then they are deleted. With a no, everything works as before."
)
"""What people agree to. Where its meaning changes, raise `db.CONSENT_VERSION`."""
CONSENT_CHANGED = _("You said yes once, but what it covers has changed; until you say yes again I keep no new faces.")
CONSENT_SHOWN = _("Here is what I keep.")
CONSENT_MORE = _("More about it")
DECLINE_FACES = _("No, thanks")
CHOOSE_IN_PRIVATE = _("your choice is between us, so ask me for /privacy in a private chat.")
ALLOW_FACES = _("Yes, learn from my faces")
REFUSE_FACES = _("Stop, and delete my faces")
FACES_ALLOWED = _("Thank you! I'll learn from the faces you send from now on.")
FACES_REFUSED = _("Done: I keep no faces of yours, and those I had are deleted.")
FORGET_ASKS = _(
    "Everything, for good? That deletes what I read in your photos, the tiny pictures of your faces if you allowed "
    "them, what you tapped, your scores, your settings and your sticker pack. Nothing that I learn from now on "
    "contains any of it. It cannot be undone."
)
FORGET_YES = _("Yes, delete everything")
FORGET_NO = _("No, keep it")
FORGET_CANCELLED = _("All right, nothing is deleted.")
NOT_YOURS_TO_FORGET = _("Only the person who asked can answer this. To delete what I know about you: /forget_me")
FORGOTTEN = _("Done. Everything I knew about you is deleted.")
MY_DATA = _("Here is everything I know about you. /forget_me deletes it.")
NOTHING_KNOWN = _("I know nothing about you.")
ASK_IN_PRIVATE = _("That is for you only: ask me in a private chat.")
NOTHING_TO_FORGET = _("I know nothing about you, so there was nothing to delete.")

ONE_FACE = _("{emoji} You look {feeling}. Which emoji fits best?")
ONE_FACE_ONLY = _("{emoji} You look {feeling}. I can't remember choices right now.")
MIXED_FACE = _("{emoji} You look {feeling}, with {other}. Which emoji fits best?")
MIXED_FACE_ONLY = _("{emoji} You look {feeling}, with {other}. I can't remember choices right now.")
UNSURE_ONLY = _("Hard to say! Could be {first}, could be {second}. I can't remember choices right now.")
UNSURE = _("Hard to say! Could be {first}, could be {second}. Which emoji fits best?")
SEVERAL_FACES = _n("I see {count} face:", "I see {count} faces, biggest first:")
FACES_APART = _n("I see {count} face. Tap it to choose its emoji.", "I see {count} faces. Tap one to choose its emoji.")
NUMBERED_FACE = _("{number}. {emoji}")
NUMBERED_UNSURE = _("{number}. {emoji} (not sure)")
OF_PICTURE = _("Photo {number}: {text}")
MORE_FACES = _n("… and {count} more.", "… and {count} more.")
NO_FACE = _("I can't find a face here. Try a photo where the face is larger, brighter, and turned to the camera.")
BUSY = _n(
    "I'm busy right now, one moment. {count} photo is before yours, which will be answered.",
    "I'm busy right now, one moment. {count} photos are before yours, which will be answered.",
)
SLOW_DOWN = _("Slow down, please! I still have many photos of yours. Send me this one again in a moment.")
TOO_FAST = _("Slow down, please! That was a lot at once. Try again in a moment.")
INTERRUPTED_LONG = _("I was away for a while and have not answered all of your photos. Please send them again.")
MAYBE_ANSWERED = _("I was restarted while I answered this photo. If you see no answer, please send it again.")
STOPPING = _("I'm about to be restarted and didn't get to this one. Please send it again in a minute.")
NO_PHOTO_IN_REPLY = _("Reply with {command} to a message that has a photo.")
NO_PHOTO_IN_MESSAGE = _("There is no picture in that message. Try it on a message with a photo.")
MENTIONED_WITHOUT_PHOTO = _("Hi! Mention me together with a photo, or use /emoji, and I'll find its emoji.")
NO_PHOTO_SEEN_IN_REPLY = _(
    "I can't see a picture in that message. If it has one: right-click (or hold) the message → Apps → Suggest emoji."
)
FILE_TOO_LARGE = _("That file is larger than 20 MB. Please send a smaller version of the picture.")
SOME_TOO_LARGE = _("What is larger than 20 MB I can't fetch. Please send a smaller version of it.")
SOME_NOT_FETCHED = _("I couldn't fetch all of it. Please send what is missing again.")
SOME_NO_PICTURES = _("I can only read pictures and videos, so I left out the rest.")
NO_PICTURE_FILE = _("I can only read pictures and videos. Please send me a photo with a face.")
DOWNLOAD_FAILED = _("I couldn't fetch that picture. Please send it again.")
SOME_MISSING = {
    FILE_TOO_LARGE: SOME_TOO_LARGE,
    DOWNLOAD_FAILED: SOME_NOT_FETCHED,
    NO_PICTURE_FILE: SOME_NO_PICTURES,
}
"""The sentence about a file → the one for where other files of the same message could be read; the first one counts."""
FAILED = _("Something went wrong on my side. Please try again in a moment.")
FAILURES = frozenset({FAILED, SLOW_DOWN})
"""The sentences that say that nothing was done, for no reason in what was sent."""

MORE = _("More…")
MORE_MEANING = _("More emoji")
NONE_FITS = _("None of these")
BACK = _("Back")
CHOSEN = _("{emoji} it is. Thank you!")
CORRECTED = _("{emoji} instead. Thank you!")
WHICH_EMOTION = _("What does the face show?")
EMOTION_KEPT = _("Thank you! I'll remember that it shows {feeling}.")
MORE_SHOWN = _("Here are more.")
BACK_SHOWN = _("Here they are again.")
EMOJI_ME = _("🖼 Emoji me")
BLUR = _("🌫 Blur faces")
STICKER = _("✂️ Sticker")
EMOJI_ME_MADE = _("Here you are! Have a look before you share it: a face I have not seen is not covered.")
SWAP = _("🔀 Swap")
WHAT_COVERS = _("What shall cover face {number}?")
SWAPPED = _("Swapped!")
TOO_MANY_COVERS = _("I found more than {most} faces. That is too many to change their covers one by one.")
PACK_ADD = _("➕ To my stickers")
PACK_TITLE = _("My Mugmoji stickers")
PACK_ADDED = _("It is in your own sticker pack now: {link}")
PACK_FULL = _("Your sticker pack is full. /forget_me removes it, and the next sticker begins a new one.")
PACK_START = _("Write to me in a private chat first; then I can make a sticker pack for you.")
INLINE_START = _("Send me a selfie first")
STICKER_MADE = _("Here is your sticker!")
AVATAR = _("My avatar")
AVATAR_MADE = _("Here is your avatar!")
NO_AVATAR_YET = _("You have no avatar (any more). Choose one in the settings.")
STICKER_EMOJI = {
    "ON_FACE": _("Emoji on the face"),
    "BESIDE": _("Emoji beside it"),
    "NONE": _("No emoji"),
}
"""The name of each `bots.messages.StickerEmoji`."""
PHOTO_GONE = _("I can't get at that photo any more. Please send it again.")
NOT_YOURS = _("Only the person who sent the photo can choose. Send me one of yours!")
VOTED = _("Thank you! Your vote helps me learn.")
NOT_ASKED = _("Only the person who asked about this photo can choose. Send me one of yours!")
CHAT_SETTINGS = _(
    "The settings of this chat\n"
    "• Automatic reactions: {automatic}\n"
    "• Faces in a photo: {faces}\n"
    "• Quiet hours: {quiet}\n"
    "• Game: {play}\n"
    "• {taps}"
)
AUTOMATIC_REACTIONS = _("Automatic reactions")
AUTOMATIC = {
    "off": _("Off"),
    "react": _("React only"),
    "offer": _("React and offer buttons"),
    "ask": _("Ask first"),
}
"""The name of each `db.Automatic`."""
WHICH_AUTOMATIC = _(
    "What shall I do with photos that nobody asks me about? I only ever say something where I see a face."
)
MOST_FACES = _("Faces in a photo")
WHICH_MOST_FACES = _("How many faces of a photo shall I answer, the biggest first?")
ALL_FACES = _("All")
QUIET_HOURS = _("Quiet hours")
WHICH_QUIET_HOURS = _(
    "When shall nothing be automatic? I take it to be {time} here; if that is wrong, put my clock right first."
)
NO_QUIET_HOURS = _("None")
CLOCK_HOUR_BACK = _("1 hour back")
CLOCK_HALF_BACK = _("30 min back")
CLOCK_HOUR_ON = _("1 hour on")
SEES_NO_OTHER_PHOTOS = _(
    "Here I see only photos with which somebody turns to me, so nothing is automatic. On Telegram, make me an "
    "administrator of this group; on Discord, this bot's operator has to switch on the Message Content Intent."
)
CHAT_EMOJI_COMMAND = _("Let me use an emoji of this chat's own")
CHAT_EMOJI_EMOJI = _("The emoji")
CHAT_EMOJI_MEANS = _("What it shows: a feeling or another emoji; off to take it out")
CHAT_EMOJI_HOW = _(
    "Write /chat_emoji, an emoji of this chat's own, and what it shows: a feeling or another emoji. With off in place "
    "of it, I no longer use it."
)
CHAT_EMOJI_KEPT = _("Done: from now on I use {emoji} like {meaning} here.")
CHAT_EMOJI_LINE = _("{emoji} like {meaning}")
CHAT_EMOJI_GONE = _("Done: I no longer use {emoji} here.")
CHAT_EMOJI_UNKNOWN = _("I do not use {emoji} here anyway.")
CHAT_EMOJI_MEANING = _("I don't know what that shows. Name one of these feelings: {feelings}; or an emoji that I use.")
CHAT_EMOJI_FULL = _("This chat has as many emoji of its own as I can keep. Take one out with off first.")
PLAY_ALLOWED = _("On")
ALLOW_PLAY = _("Allow the game, with a scoreboard")
FORBID_PLAY = _("End the game, and delete its scoreboard")
PLAY_ASKS = _("Round {round} of {rounds}: make this face and send me a photo of it!\n{emoji}")
PLAY_ASKS_ALL = _(
    "Who shows it best? Make this face and send a photo of it in reply to this message! There are {minutes} minutes.\n"
    "{emoji}"
)
PLAY_GOT = _n("{count} point! I read: {feeling}.", "{count} points! I read: {feeling}.")
PLAY_GOT_BY = _("{name}: {got}")
PLAY_BEST_COUNTS = _("Your best photo of a round counts: {points}.")
PLAY_ENDS = _n("That makes {count} point in all.", "That makes {count} points in all.")
PLAY_SCOREBOARD = _("Scoreboard")
PLAY_SCORE = _("{place}. {name}: {points}")
PLAY_TEACHES = _("This teaches me what I know least, if you let me learn from your faces: /privacy")
PLAY_OFF = _(
    "The game is off in this chat. Its administrators can allow it with /chat_settings; or play with me alone."
)
PLAY_OVER = _("That round is over. /play begins a new one.")
PLAY_STOPPED = _("Thanks for playing!")
PLAY_AGAIN = _("Play again")
PLAY_CHANGE = _("Another face")
PLAY_STOP = _("Stop")
SHALL_I = _("Shall I find the emoji of this photo?")
YES_PLEASE = _("Yes, please")
NOT_YOURS_TO_ASK = _("Only the person who sent the photo can say yes. Send me one of yours!")
CHAT_ADMINS_ONLY = _("Only the administrators of this chat can set this. Please ask one of them.")
SENDER_TAPS = _("In this chat only the person who sent a photo can tap an emoji for it.")
EVERYONE_TAPS = _(
    "In this chat everybody can tap an emoji for a photo: a vote that helps me learn. What is shown stays the choice "
    "of the person who sent it."
)
LET_EVERYONE_TAP = _("Let everybody tap")
LET_SENDER_TAP = _("Let only the sender tap")
ADMINS_ONLY = _("This is for the admins of this bot. If you should be one, ask its operator to add {id} to ADMINS.")
GONE = _("I no longer know this photo. Please send it again.")

WEB_TITLE = "Mugmoji"
WEB_START = _(
    "Hi! I am an AI that reads facial expressions, for fun; not for use at work or in schools. Show me a selfie and "
    "I'll answer with the emoji of your face."
)
WEB_NOTHING_HERE = _("There is nothing here.")
WEB_TO_THE_START = _("To the start")
WEB_WORDS = {
    "start": WEB_START,
    "needs_scripts": _("This page needs JavaScript. Please allow it for this site."),
    "hint": _("Choose, drop or paste a photo, or take one now."),
    "kept_here": _("This conversation is kept in your browser only."),
    "pick": _("Choose a photo"),
    "camera": _("Camera"),
    "snap": _("Take the photo"),
    "timer": _("Take it in 3 seconds"),
    "flip": _("Other camera"),
    "mirror": _("Live mirror"),
    "mirror_hint": _("Your face, live, with its emoji on it. Nothing of it is kept."),
    "mirror_none": _("I see no face yet. Come a little closer, or turn to the light."),
    "mirror_full": _("Too many people look into the mirror right now. Please try again in a minute."),
    "mirror_lost": _("The connection is gone. I'm trying to get it back."),
    "mirror_meter": _("Show what I read"),
    "clip": _("Record 3 seconds"),
    "game": _("Play: copy the emoji"),
    "game_asks": _("Make this face: {emoji}"),
    "game_points": _("Faces: {number}"),
    "game_left": _("Seconds left: {number}"),
    "game_over": _("Time is up! Faces you made: {number}."),
    "close": _("Close"),
    "menu": _("Menu"),
    "again": _("Try again"),
    "samples": _("Try it with one of these photos"),
    "sample_astronaut": _("An astronaut, smiling (photo: NASA)"),
    "sample_officer": _("A naval officer, serious (photo: U.S. Navy)"),
    "drop": _("Drop it!"),
    "your_photo": _("the photo you sent"),
    "numbered_photo": _("photo {number}"),
    "made": _("the picture I made"),
    "face": _("face {number}, {feeling}: {emoji}"),
    "reaction": _("my reaction: {emoji}"),
    "sending": _("Sending …"),
    "looking": _("Looking at it …"),
    "offline": _("There is no connection. Photos wait here, and go out as soon as there is one."),
    "waits": _("No connection: this photo waits here, and goes out as soon as there is one."),
    "tap_lost": _("That didn't get through: there is no connection. Please try again in a moment."),
    "not_taken": _("That didn't get through. Please try again in a moment, or with a smaller photo."),
    "too_large": FILE_TOO_LARGE,
    "not_kept": _(
        "This browser can't keep our conversation any more: its memory for this page is full or switched off. We can "
        "go on, but what is new is gone when you close the page."
    ),
    "left_out": _("I take ten photos at once, so I left out: {names}."),
    "no_camera": _("I can't reach a camera here. Please allow it in your browser, or choose a photo."),
    "camera_needs_https": _(
        "Browsers give a page the camera only over https:// or on the machine itself. Open this page in one of these "
        "ways, or choose a photo."
    ),
    "share": _("Share"),
    "copy": _("Copy"),
    "copied": _("Copied."),
    "not_copied": _("I can't copy here. Please allow it in your browser, or download the picture."),
    "download": _("Download"),
    "covers": _("✏️ Change the covers"),
    "covers_title": _("What shall cover the faces?"),
    "covers_hint": _("Drag a cover, or move it with the arrow keys. The dot on it, + and − make it larger or smaller."),
    "cover": _("cover {number}: {what}"),
    "cover_at": _("{left} % from the left, {top} % from the top, {size} % wide"),
    "cover_other": _("Another emoji…"),
    "cover_blur": _("Blur"),
    "cover_none": _("Nothing"),
    "cover_smaller": _("Smaller"),
    "cover_larger": _("Larger"),
    "cover_reset": _("As it was"),
    "cover_add": _("Add a cover"),
    "covers_done": _("Make the picture"),
    "covers_made": EMOJI_ME_MADE,
    "photo_gone": PHOTO_GONE,
    "more_emoji": _("Which emoji fits best?"),
    "search": _("Search emoji"),
    "recent": _("Chosen lately"),
    "often": _("Chosen often"),
    "all": _("The best first"),
    "none_found": _("There is no such emoji among these."),
    "clear": _("Clear this conversation"),
    "clear_asks": _(
        "Clear the conversation? Its photos and pictures are kept in this browser only, and are gone then. What I keep "
        "about you is another matter: see “Forget me”."
    ),
    "clear_yes": _("Yes, clear it"),
    "keep": FORGET_NO,
    "look": _("Appearance"),
    "look_system": _("As my device"),
    "look_light": _("Light"),
    "look_dark": _("Dark"),
}
"""What the chat page says by itself, by the names that its scripts use."""
WEB_MENU = {
    _("Help"): "help",
    _("Play"): "play",
    _("Settings"): "settings",
    _("Privacy"): "privacy",
    _("My data"): "my_data",
    _("Forget me"): "forget_me",
}
"""The web chat's menu in place of commands, and the command that each entry stands for."""

SETTINGS = _(
    "Your settings\n"
    "• Language: {language}\n"
    "• Skin tone: {skin_tone}\n"
    "• Presentation: {presentation}\n"
    "I never guess sex, age or race from a face: how emoji of people look is your choice."
)
LANGUAGE = _("Language")
SKIN_TONE = _("Skin tone")
PRESENTATION = _("Presentation")
WHICH_LANGUAGE = _("Which language shall I speak?")
WHICH_SKIN_TONE = _("Which skin tone shall emoji have, where they can?")
WHICH_PRESENTATION = _("How shall emoji of people look, where they can?")
AS_MY_APP = _("As my app")
NO_SKIN_TONE = _("No skin tone")
WHICH_HAIR = _(
    "An avatar shows what your face shows; its button comes under photos of one person. I guess nothing: which hair "
    "shall it have? Skin tone and clothes go by your other settings."
)
WHICH_HAIR_COLOUR = _("Which colour shall the hair or the scarf of your avatar have?")
NO_AVATAR = _("No avatar")
HAIR_COLOUR = _("Colour")
AVATAR_SHOW = _("Show it")
HAIR = {
    "short": _("Short"),
    "round": _("Short, round"),
    "wavy": _("Short, wavy"),
    "curly": _("Short, curly"),
    "afro": _("Afro"),
    "locs": _("Locs"),
    "bob": _("Bob"),
    "long": _("Long"),
    "bun": _("Bun"),
    "buzz_cut": _("Buzz cut"),
    "none": _("No hair"),
    "headscarf": _("Headscarf"),
    "turban": _("Turban"),
}
HAIR_COLOURS = {
    "black": _("Black"),
    "dark_brown": _("Dark brown"),
    "brown": _("Brown"),
    "red": _("Red"),
    "blond": _("Blond"),
    "grey": _("Grey"),
    "pink": _("Pink"),
    "blue": _("Blue"),
}
PRESENTATIONS = {"": _("Neutral"), "woman": _("Woman"), "man": _("Man")}
"""The name of each `bots.conversation.emoji_variants.Presentation`, and of none."""
SETTING_KEPT = _("Done, I'll remember that.")

FEELINGS = {
    "angry": _("angry"),
    "disgust": _("disgusted"),
    "fear": _("afraid"),
    "happy": _("happy"),
    "neutral": _("neutral"),
    "sad": _("sad"),
    "surprise": _("surprised"),
}
"""An adjective for each of `recognizer.EMOTIONS`, for use in a sentence. In languages whose adjectives have a gender,
the catalogue has nouns ("joy") and fitting sentences.
"""

TRACES = {
    "angry": _("some anger"),
    "disgust": _("some disgust"),
    "fear": _("some fear"),
    "happy": _("some joy"),
    "sad": _("some sadness"),
    "surprise": _("some surprise"),
}
"""What is mixed in with a feeling, for use in a sentence."""

PHOTO_PROBLEMS = {
    "empty": _("The file is empty. Please send the picture again."),
    "too_many_bytes": _("The file is larger than 20 MB. Please send a smaller version of the picture."),
    "too_many_pixels": _("The picture has too many pixels. Please send a smaller version, or a JPEG."),
    "too_small": _("The picture is tiny (under 24 pixels a side). Please send a larger one."),
    "not_a_picture": _(
        "This is not a picture I can open. Please send a JPEG, PNG, WebP, HEIC, AVIF, JPEG XL, GIF, BMP or TIFF."
    ),
    "needs_heic": _("This is a HEIC picture, which is not set up here. Please send it as JPEG."),
    "needs_avif": _("This is an AVIF picture, which is not set up here. Please send it as JPEG."),
    "needs_jxl": _("This is a JPEG XL picture, which is not set up here. Please send it as JPEG."),
    "damaged": _("The picture is damaged or was cut off on the way. Please send it again."),
    "took_too_long": _("Reading this picture takes too long. Please send a smaller or simpler version of it."),
    "unreadable": _("Something in this picture keeps me from opening it. Please send it as a plain JPEG."),
}
"""The sentence for each `recognizer.PhotoProblem`."""
