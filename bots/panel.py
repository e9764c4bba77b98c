"""The pages behind /settings: what is chosen now, and a button for every choice. Taps come back as tokens."""

from collections.abc import Sequence
from dataclasses import replace

from bots import texts
from bots.buttons import Action, Page, Token, in_rows
from bots.events import Button, Tone
from bots.guest import Guest
from bots.languages import OWN_NAMES, Voice
from bots.looks import Looks, Presentation, SkinTone, dressed
from db import Preferences

_HAND, _PERSON = "🖐️", "🧑"
"""The emoji on which tones and presentations are shown."""
_LANGUAGES_A_ROW = 4

_Rows = tuple[tuple[Button, ...], ...]


def after(token: Token, preferences: Preferences) -> Preferences:
    """The preferences once a `SET_…` token was tapped; its choice 0 takes a preference back."""
    place = token.choice - 1
    match token.action:
        case Action.SET_LANGUAGE:
            return replace(preferences, language=tuple(OWN_NAMES)[place] if token.choice else None)
        case Action.SET_SKIN_TONE:
            return replace(preferences, skin_tone=tuple(SkinTone)[place].value if token.choice else None)
        case Action.SET_PRESENTATION:
            return replace(preferences, presentation=tuple(Presentation)[place].value if token.choice else None)
    return preferences


def text(page: Page, preferences: Preferences, guest: Guest) -> str:
    """What a page says above its buttons."""
    say = guest.voice.say
    match page:
        case Page.LANGUAGE:
            return say(texts.WHICH_LANGUAGE)
        case Page.SKIN_TONE:
            return say(texts.WHICH_SKIN_TONE)
        case Page.PRESENTATION:
            return say(texts.WHICH_PRESENTATION)
        case Page.OVERVIEW:
            return say(
                texts.SETTINGS,
                language=OWN_NAMES.get(preferences.language or "") or say(texts.AS_MY_APP),
                skin_tone=_swatch(guest.looks.skin_tone, guest.voice)[0],
                presentation=say(texts.PRESENTATIONS[guest.looks.presentation or ""]),
            )


def rows(page: Page, preferences: Preferences, guest: Guest) -> _Rows:
    """The buttons of a page."""
    match page:
        case Page.LANGUAGE:
            return _language_rows(preferences, guest)
        case Page.SKIN_TONE:
            return _skin_tone_rows(guest)
        case Page.PRESENTATION:
            return _presentation_rows(guest)
        case Page.OVERVIEW:
            labels = {
                Page.LANGUAGE: texts.LANGUAGE,
                Page.SKIN_TONE: texts.SKIN_TONE,
                Page.PRESENTATION: texts.PRESENTATION,
            }
            return (tuple(_opening(page, guest.voice.say(label)) for page, label in labels.items()),)


def _language_rows(preferences: Preferences, guest: Guest) -> _Rows:
    names = [guest.voice.say(texts.AS_MY_APP), *OWN_NAMES.values()]
    chosen = ["", *OWN_NAMES].index(preferences.language if preferences.language in OWN_NAMES else "")
    as_my_app, *languages = _choices(Action.SET_LANGUAGE, [(name, name) for name in names], chosen)
    return ((as_my_app,), *in_rows(languages, _LANGUAGES_A_ROW), (_back(guest),))


def _skin_tone_rows(guest: Guest) -> _Rows:
    swatches = [_swatch(tone, guest.voice) for tone in (None, *SkinTone)]
    chosen = [None, *SkinTone].index(guest.looks.skin_tone)
    return (*in_rows(_choices(Action.SET_SKIN_TONE, swatches, chosen), 3), (_back(guest),))


def _presentation_rows(guest: Guest) -> _Rows:
    presentations = (None, *Presentation)
    names = [guest.voice.say(texts.PRESENTATIONS[each or ""]) for each in presentations]
    people = [dressed(_PERSON, replace(guest.looks, presentation=each)) for each in presentations]
    labels = [(f"{person} {name}", name) for person, name in zip(people, names, strict=True)]
    chosen = presentations.index(guest.looks.presentation)
    return (tuple(_choices(Action.SET_PRESENTATION, labels, chosen)), (_back(guest),))


def _choices(action: Action, labels: Sequence[tuple[str, str]], chosen: int) -> list[Button]:
    """A button for each label and meaning, the chosen one standing out."""
    return [
        Button(label, meaning, str(Token(action, choice=place)), Tone.CHOSEN if place == chosen else Tone.PLAIN)
        for place, (label, meaning) in enumerate(labels)
    ]


def _swatch(tone: SkinTone | None, voice: Voice) -> tuple[str, str]:
    """A hand in a tone, and the name of the tone."""
    if tone is None:
        return _HAND, voice.say(texts.NO_SKIN_TONE)
    return dressed(_HAND, Looks(tone)), voice.name_of(tone.modifier) or tone.value.replace("_", "-")


def _opening(page: Page, label: str, tone: Tone = Tone.PLAIN) -> Button:
    return Button(label, label, str(Token(Action.OPEN_SETTINGS, choice=page)), tone)


def _back(guest: Guest) -> Button:
    return _opening(Page.OVERVIEW, guest.voice.say(texts.BACK), Tone.QUIET)
