"""The pages of /chat_settings: what holds in a chat, and a button for each other choice. Taps come back as tokens."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from bots.conversation import texts
from bots.conversation.buttons import (
    CLOCK_STEP_MINUTES,
    EARLIEST_CLOCK_MINUTES,
    LATEST_CLOCK_MINUTES,
    MOST_FACES,
    QUIET_HOURS,
    Action,
    ChatSettingsPage,
    Token,
)
from bots.conversation.languages import Voice
from bots.messages import Button, ButtonRows, Tone, in_rows
from db import Automatic, ChatChoices

_OPENED_BY = {
    Action.SET_QUIET_HOURS: ChatSettingsPage.QUIET_HOURS,
    Action.SET_CLOCK: ChatSettingsPage.QUIET_HOURS,
}
"""The page that is shown after a choice, where it is not the overview: hours mean nothing without the clock."""

_TAPS = (texts.LET_SENDER_TAP, texts.LET_EVERYONE_TAP)


def is_quiet(choices: ChatChoices, now: datetime) -> bool:
    """Return whether a moment, with its zone, is in the quiet hours of a chat."""
    if choices.quiet_from is None or choices.quiet_until is None:
        return False
    hour = _clock(choices, now).hour
    if choices.quiet_from < choices.quiet_until:
        return choices.quiet_from <= hour < choices.quiet_until
    return hour >= choices.quiet_from or hour < choices.quiet_until


def after(token: Token, choices: ChatChoices) -> ChatChoices:
    """Return the choices after a tap on a `SET_…` token."""
    changes: dict[str, Any] = {}
    match token.action:
        case Action.SET_EVERYONE_TAPS:
            changes = {"everyone_taps": token.choice == 1}
        case Action.SET_PLAY:
            changes = {"allows_play": token.choice == 1}
        case Action.SET_AUTOMATIC:
            changes = {"automatic": tuple(Automatic)[token.choice]}
        case Action.SET_QUIET_HOURS:
            start, end = QUIET_HOURS[token.choice] or (None, None)
            changes = {"quiet_from": start, "quiet_until": end}
        case Action.SET_CLOCK:
            changes = {"utc_offset_minutes": EARLIEST_CLOCK_MINUTES + CLOCK_STEP_MINUTES * token.choice}
        case Action.SET_MOST_FACES:
            changes = {"most_faces": MOST_FACES[token.choice]}
    return replace(choices, **changes)


def page_of(token: Token) -> ChatSettingsPage:
    """Return the page that a tap leads to."""
    if token.action is Action.OPEN_CHAT_SETTINGS:
        return ChatSettingsPage(token.choice)
    return _OPENED_BY.get(token.action, ChatSettingsPage.OVERVIEW)


def text(page: ChatSettingsPage, choices: ChatChoices, now: datetime, voice: Voice) -> str:
    """Return the text of a page above its buttons."""
    match page:
        case ChatSettingsPage.AUTOMATIC:
            return voice.say(texts.WHICH_AUTOMATIC)
        case ChatSettingsPage.MOST_FACES:
            return voice.say(texts.WHICH_MOST_FACES)
        case ChatSettingsPage.QUIET_HOURS:
            return voice.say(texts.WHICH_QUIET_HOURS, time=f"{_clock(choices, now):%H:%M}")
        case ChatSettingsPage.OVERVIEW:
            return voice.say(
                texts.CHAT_SETTINGS,
                automatic=voice.say(texts.AUTOMATIC[choices.automatic]),
                faces=_faces(choices.most_faces, voice),
                quiet=_hours((choices.quiet_from, choices.quiet_until), voice),
                play=voice.say(texts.PLAY_ALLOWED if choices.allows_play else texts.AUTOMATIC["off"]),
                taps=voice.say(texts.EVERYONE_TAPS if choices.everyone_taps else texts.SENDER_TAPS),
            )


def rows(page: ChatSettingsPage, choices: ChatChoices, voice: Voice) -> ButtonRows:
    """Return the buttons of a page."""
    match page:
        case ChatSettingsPage.AUTOMATIC:
            names = [voice.say(texts.AUTOMATIC[each]) for each in Automatic]
            chosen = list(Automatic).index(choices.automatic)
            return (*in_rows(_choices(Action.SET_AUTOMATIC, names, chosen), 2), (_back(voice),))
        case ChatSettingsPage.MOST_FACES:
            names = [_faces(each, voice) for each in MOST_FACES]
            return (
                tuple(_choices(Action.SET_MOST_FACES, names, _place(MOST_FACES, choices.most_faces))),
                (_back(voice),),
            )
        case ChatSettingsPage.QUIET_HOURS:
            return _quiet_rows(choices, voice)
        case ChatSettingsPage.OVERVIEW:
            pages = {
                ChatSettingsPage.AUTOMATIC: texts.AUTOMATIC_REACTIONS,
                ChatSettingsPage.MOST_FACES: texts.MOST_FACES,
                ChatSettingsPage.QUIET_HOURS: texts.QUIET_HOURS,
            }
            return (
                tuple(_opening(page, voice.say(label)) for page, label in pages.items()),
                (_switch(Action.SET_PLAY, choices.allows_play, (texts.FORBID_PLAY, texts.ALLOW_PLAY), voice),),
                (_switch(Action.SET_EVERYONE_TAPS, choices.everyone_taps, _TAPS, voice),),
            )


def _switch(action: Action, is_on: bool, labels: tuple[str, str], voice: Voice) -> Button:
    """Return the button for the opposite of what holds. labels: to switch it off, and to switch it on."""
    label = voice.say(labels[0] if is_on else labels[1])
    return Button(label, label, str(Token(action, choice=0 if is_on else 1)))


def _quiet_rows(choices: ChatChoices, voice: Voice) -> ButtonRows:
    names = [_hours(each or (None, None), voice) for each in QUIET_HOURS]
    hours = choices.quiet_from, choices.quiet_until
    chosen = _place([each or (None, None) for each in QUIET_HOURS], hours)
    none, *others = _choices(Action.SET_QUIET_HOURS, names, chosen)
    return ((none,), *in_rows(others, 4), tuple(_clock_buttons(choices, voice)), (_back(voice),))


def _clock_buttons(choices: ChatChoices, voice: Voice) -> list[Button]:
    """Return the buttons that put the chat's clock back or forward."""
    buttons = []
    for minutes, label in ((-60, texts.CLOCK_HOUR_BACK), (-30, texts.CLOCK_HALF_BACK), (60, texts.CLOCK_HOUR_ON)):
        offset = choices.utc_offset_minutes + minutes
        if EARLIEST_CLOCK_MINUTES <= offset <= LATEST_CLOCK_MINUTES:
            shown = voice.say(label)
            place = (offset - EARLIEST_CLOCK_MINUTES) // CLOCK_STEP_MINUTES
            buttons.append(Button(shown, shown, str(Token(Action.SET_CLOCK, choice=place)), Tone.QUIET))
    return buttons


def _clock(choices: ChatChoices, now: datetime) -> datetime:
    return now + timedelta(minutes=choices.utc_offset_minutes)


def _faces(most: int | None, voice: Voice) -> str:
    return voice.say(texts.ALL_FACES) if most is None else str(most)


def _hours(hours: tuple[int | None, int | None], voice: Voice) -> str:
    start, end = hours
    return voice.say(texts.NO_QUIET_HOURS) if start is None or end is None else f"{start:02}:00-{end:02}:00"


def _place(choices: Sequence[object], chosen: object) -> int | None:
    return choices.index(chosen) if chosen in choices else None


def _choices(action: Action, names: Sequence[str], chosen: int | None) -> list[Button]:
    """Return a button for each name, with the current choice highlighted."""
    return [
        Button(name, name, str(Token(action, choice=place)), Tone.CHOSEN if place == chosen else Tone.PLAIN)
        for place, name in enumerate(names)
    ]


def _opening(page: ChatSettingsPage, label: str, tone: Tone = Tone.PLAIN) -> Button:
    return Button(label, label, str(Token(Action.OPEN_CHAT_SETTINGS, choice=page)), tone)


def _back(voice: Voice) -> Button:
    return _opening(ChatSettingsPage.OVERVIEW, voice.say(texts.BACK), Tone.QUIET)
