"""Every sentence the bot says. Short, friendly, without jargon; every refusal says what to do next."""

START = (
    "Hi! Send me a selfie and I'll answer with the emoji of your face. Tap a button to tell me which emoji fits best. "
    "I keep no pictures: /privacy"
)
HELP = (
    "Send me a photo with a face (or several) and I'll find the emoji that fits.\n"
    "• In a group, reply /emoji to a photo.\n"
    "• Tap an emoji to tell me it fits; tap another to change your mind.\n"
    "• /privacy – what I keep, and your choice about it\n"
    "• /forget_me – delete everything I know about you"
)
DISCORD_HELP = (
    "Send me a photo with a face (or several) in a direct message, or mention me with it, and I'll find the emoji that "
    "fits.\n"
    "• Anywhere: `/emoji` with a photo, or right-click a message → Apps → Suggest emoji.\n"
    "• Tap an emoji to tell me it fits; tap another to change your mind.\n"
    "• `/privacy` – what I keep, and your choice about it\n"
    "• `/forget_me` – delete everything I know about you"
)
WEB_HELP = (
    "Choose, drop or paste a photo with a face (or several), or take one with the camera, and I'll find the emoji that "
    "fits.\n"
    "• Tap an emoji to tell me it fits; tap another to change your mind.\n"
    "• Privacy – what I keep, and your choice about it\n"
    "• Forget me – delete everything I know about you"
)
HELPS = {"telegram": HELP, "discord": DISCORD_HELP, "web": WEB_HELP}
"""The help for each platform."""
SUGGEST_EMOJI = "Suggest emoji"
DISCORD_COMMANDS = {
    "emoji": "Find the emoji of a photo",
    "photo": "A picture with a face, or several",
    "help": "What I can do",
    "privacy": "What I keep, and your choice about it",
    "forget_me": "Delete everything I know about you",
}
"""What each Discord command and its option is for, as Discord's menu shows it."""
PRIVACY = (
    "Your photos are read in memory and thrown away at once. I keep what I read (seven numbers a face), what I "
    "suggested and what you tapped, under a scrambled version of your id.\n"
    "{choice}\n"
    "/forget_me deletes everything."
)
KEEPS_NO_FACES = "I keep no picture of you. If you like, I may keep tiny 48x48 grey crops of the faces to learn from."
KEEPS_FACES = "With your permission I also keep tiny 48x48 grey crops of the faces you send, to learn from."
ALLOW_FACES = "Yes, learn from my faces"
REFUSE_FACES = "Stop, and delete my faces"
FACES_ALLOWED = "Thank you! I'll learn from the faces you send from now on."
FACES_REFUSED = "Done: I keep no faces of yours, and those I had are deleted."
FORGOTTEN = "Done. Everything I knew about you is deleted."
NOTHING_TO_FORGET = "I know nothing about you, so there was nothing to delete."

ONE_FACE = "{emoji} You look {feeling}. Which emoji fits best?"
UNSURE = "Hard to say! Could be {first}, could be {second}. Which emoji fits best?"
SEVERAL_FACES = "I see {count} faces, biggest first:"
NUMBERED_FACE = "{number}. {emoji}"
NUMBERED_UNSURE = "{number}. {emoji} (not sure)"
OF_PICTURE = "Photo {number}: {text}"
MORE_FACES = "… and {count} more."
NO_FACE = "I can't find a face here. Try a photo where the face is larger, brighter, and turned to the camera."
BUSY = "I'm busy right now, one moment. Your photo is in the queue and will be answered."
NO_PHOTO_IN_REPLY = "Reply with /emoji to a message that has a photo."
NO_PHOTO_IN_MESSAGE = "There is no picture in that message. Try it on a message with a photo."
MENTIONED_WITHOUT_PHOTO = "Hi! Mention me together with a photo, or use /emoji, and I'll find its emoji."
NO_PHOTO_SEEN_IN_REPLY = (
    "I can't see a picture in that message. If it has one: right-click (or hold) the message → Apps → Suggest emoji."
)
FILE_TOO_LARGE = "That file is larger than 20 MB. Please send a smaller version of the picture."
DOWNLOAD_FAILED = "I couldn't fetch that picture. Please send it again."
FAILED = "Something went wrong on my side. Please try again in a moment."

MORE = "More…"
MORE_MEANING = "More emoji"
NONE_FITS = "None of these"
BACK = "Back"
CHOSEN = "{emoji} it is. Thank you!"
CORRECTED = "{emoji} instead. Thank you!"
WHICH_EMOTION = "What does the face show?"
EMOTION_KEPT = "Thank you! I'll remember that it shows {feeling}."
MORE_SHOWN = "Here are more."
BACK_SHOWN = "Here they are again."
NOT_YOURS = "Only the person who sent the photo can choose. Send me one of yours!"
GONE = "I no longer know this photo. Please send it again."

WEB_TITLE = "Mugmoji"
WEB_START = "Hi! Show me a selfie and I'll answer with the emoji of your face. I keep no pictures."
WEB_HINT = "Choose, drop or paste a photo, or take one now."
WEB_PICK = "Choose a photo"
WEB_CAMERA = "Camera"
WEB_SNAP = "Take the photo"
WEB_CANCEL = "Cancel"
WEB_NO_CAMERA = "I can't reach a camera here. Please allow it in your browser, or choose a photo."
WEB_REJECTED = "That didn't work: at most ten pictures at once, and 20 MB each. Please send fewer or smaller ones."
WEB_PHOTO_ALT = "the photo you sent"
WEB_MENU = {"Help": "help", "Privacy": "privacy", "Forget me": "forget_me"}
"""What the web chat offers in place of commands, and the command each stands for."""

FEELINGS = {
    "angry": "angry",
    "disgust": "disgusted",
    "fear": "afraid",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "surprise": "surprised",
}
"""An adjective for each of `recognizer.EMOTIONS`, as it stands in a sentence."""
