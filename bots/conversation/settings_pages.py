"""The pages of /settings: current choices, and a button for each option. Taps come back as tokens."""

from collections.abc import Sequence
from dataclasses import replace

from bots.conversation import texts
from bots.conversation.buttons import Action, SettingsPage, Token
from bots.conversation.emoji_variants import Appearance, Presentation, SkinTone, variant_of
from bots.conversation.languages import OWN_NAMES, Voice
from bots.conversation.recipient import Recipient
from bots.messages import Button, ButtonRows, Tone, in_rows
from bots.pictures.looks import Hair, HairColour
from db import Preferences

_HAND, _PERSON = "🖐️", "🧑"
"""The emoji that demonstrate tones and presentations."""
_LANGUAGES_A_ROW = 4


def after(token: Token, preferences: Preferences) -> Preferences:
    """Return the preferences after a tap on a `SET_…` token; its choice 0 resets a preference that may be unset."""
    place = token.choice - 1
    match token.action:
        case Action.SET_LANGUAGE:
            return replace(preferences, language=tuple(OWN_NAMES)[place] if token.choice else None)
        case Action.SET_SKIN_TONE:
            return replace(preferences, skin_tone=tuple(SkinTone)[place].value if token.choice else None)
        case Action.SET_PRESENTATION:
            return replace(preferences, presentation=tuple(Presentation)[place].value if token.choice else None)
        case Action.SET_HAIR:
            return replace(preferences, hair=tuple(Hair)[place].value if token.choice else None)
        case Action.SET_HAIR_COLOUR:
            return replace(preferences, hair_colour=tuple(HairColour)[token.choice].value)
    return preferences


def text(page: SettingsPage, preferences: Preferences, recipient: Recipient) -> str:
    """Return the text of a page above its buttons."""
    say = recipient.voice.say
    match page:
        case SettingsPage.LANGUAGE:
            return say(texts.WHICH_LANGUAGE)
        case SettingsPage.SKIN_TONE:
            return say(texts.WHICH_SKIN_TONE)
        case SettingsPage.PRESENTATION:
            return say(texts.WHICH_PRESENTATION)
        case SettingsPage.AVATAR:
            return say(texts.WHICH_HAIR)
        case SettingsPage.HAIR_COLOUR:
            return say(texts.WHICH_HAIR_COLOUR)
        case SettingsPage.OVERVIEW:
            return say(
                texts.SETTINGS,
                language=OWN_NAMES.get(preferences.language or "") or say(texts.AS_MY_APP),
                skin_tone=_swatch(recipient.appearance.skin_tone, recipient.voice)[0],
                presentation=say(texts.PRESENTATIONS[recipient.appearance.presentation or ""]),
            )


def rows(page: SettingsPage, preferences: Preferences, recipient: Recipient) -> ButtonRows:
    """Return the buttons of a page."""
    match page:
        case SettingsPage.LANGUAGE:
            return _language_rows(preferences, recipient)
        case SettingsPage.SKIN_TONE:
            return _skin_tone_rows(recipient)
        case SettingsPage.PRESENTATION:
            return _presentation_rows(recipient)
        case SettingsPage.AVATAR:
            return _hair_rows(recipient)
        case SettingsPage.HAIR_COLOUR:
            return _hair_colour_rows(recipient)
        case SettingsPage.OVERVIEW:
            labels = {
                SettingsPage.LANGUAGE: texts.LANGUAGE,
                SettingsPage.SKIN_TONE: texts.SKIN_TONE,
                SettingsPage.PRESENTATION: texts.PRESENTATION,
                SettingsPage.AVATAR: texts.AVATAR,
            }
            return in_rows([_opening(page, recipient.voice.say(label)) for page, label in labels.items()], 2)


def page_after(action: Action) -> SettingsPage:
    """Return the page that is shown after a `SET_…` token."""
    return SettingsPage.AVATAR if action in (Action.SET_HAIR, Action.SET_HAIR_COLOUR) else SettingsPage.OVERVIEW


def _language_rows(preferences: Preferences, recipient: Recipient) -> ButtonRows:
    names = [recipient.voice.say(texts.AS_MY_APP), *OWN_NAMES.values()]
    chosen = ["", *OWN_NAMES].index(preferences.language if preferences.language in OWN_NAMES else "")
    as_my_app, *languages = _choices(Action.SET_LANGUAGE, [(name, name) for name in names], chosen)
    return ((as_my_app,), *in_rows(languages, _LANGUAGES_A_ROW), (_back(recipient),))


def _skin_tone_rows(recipient: Recipient) -> ButtonRows:
    swatches = [_swatch(tone, recipient.voice) for tone in (None, *SkinTone)]
    chosen = [None, *SkinTone].index(recipient.appearance.skin_tone)
    return (*in_rows(_choices(Action.SET_SKIN_TONE, swatches, chosen), 3), (_back(recipient),))


def _presentation_rows(recipient: Recipient) -> ButtonRows:
    presentations = (None, *Presentation)
    names = [recipient.voice.say(texts.PRESENTATIONS[each or ""]) for each in presentations]
    people = [variant_of(_PERSON, replace(recipient.appearance, presentation=each)) for each in presentations]
    labels = [(f"{person} {name}", name) for person, name in zip(people, names, strict=True)]
    chosen = presentations.index(recipient.appearance.presentation)
    return (tuple(_choices(Action.SET_PRESENTATION, labels, chosen)), (_back(recipient),))


def _hair_rows(recipient: Recipient) -> ButtonRows:
    say, look = recipient.voice.say, recipient.look
    names = [say(texts.NO_AVATAR), *(say(texts.HAIR[each]) for each in Hair)]
    chosen = 1 + list(Hair).index(look.hair) if look is not None else 0
    rows = in_rows(_choices(Action.SET_HAIR, [(name, name) for name in names], chosen), 4)
    if look is None:
        return (*rows, (_back(recipient),))
    show = say(texts.AVATAR_SHOW)
    colour = _opening(SettingsPage.HAIR_COLOUR, say(texts.HAIR_COLOUR))
    return (*rows, (colour, Button(show, show, str(Token(Action.AVATAR))), _back(recipient)))


def _hair_colour_rows(recipient: Recipient) -> ButtonRows:
    say, look = recipient.voice.say, recipient.look
    names = [say(texts.HAIR_COLOURS[each]) for each in HairColour]
    chosen = list(HairColour).index(look.colour if look is not None else HairColour.BROWN)
    back = _opening(SettingsPage.AVATAR, say(texts.BACK), Tone.QUIET)
    return (*in_rows(_choices(Action.SET_HAIR_COLOUR, [(name, name) for name in names], chosen), 4), (back,))


def _choices(action: Action, labels: Sequence[tuple[str, str]], chosen: int) -> list[Button]:
    """Return a button for each label and meaning, with the current choice highlighted."""
    return [
        Button(label, meaning, str(Token(action, choice=place)), Tone.CHOSEN if place == chosen else Tone.PLAIN)
        for place, (label, meaning) in enumerate(labels)
    ]


def _swatch(tone: SkinTone | None, voice: Voice) -> tuple[str, str]:
    """Return a hand in a tone, and the name of the tone."""
    if tone is None:
        return _HAND, voice.say(texts.NO_SKIN_TONE)
    return variant_of(_HAND, Appearance(tone)), voice.name_of(tone.modifier) or tone.value.replace("_", "-")


def _opening(page: SettingsPage, label: str, tone: Tone = Tone.PLAIN) -> Button:
    return Button(label, label, str(Token(Action.OPEN_SETTINGS, choice=page)), tone)


def _back(recipient: Recipient) -> Button:
    return _opening(SettingsPage.OVERVIEW, recipient.voice.say(texts.BACK), Tone.QUIET)
