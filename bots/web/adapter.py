"""The web adapter: serves a chat page to try the bot without a token, and the admins' console."""

import asyncio
import base64
import copy
import html
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

import structlog
import uvicorn
from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import events, ui
from nicegui.language import Language
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bots.adapter import AdapterError
from bots.console import Console
from bots.conversation import texts
from bots.conversation.languages import Voice
from bots.conversation.service import EmojiService
from bots.messages import (
    MOST_FILE_BYTES,
    Button,
    Command,
    CommandName,
    Form,
    MadeFile,
    MadePicture,
    PhotoMessage,
    Picture,
    Reply,
    Tap,
    Tone,
)
from bots.operations import HEALTH, METRICS, READY, Operations
from bots.serving.addresses import is_loopback
from bots.serving.admission import Admission, Kind, RefusedError
from bots.serving.fair_queue import Whose
from bots.serving.post_route import PostRoute
from bots.serving.web_server import WebServer
from bots.web import guests, missing, uploads
from bots.web.bodies import BodyLimits, MemoryBudget, client_of
from bots.web.connections import MOST_HEAD_BYTES, BoundedProtocol
from bots.web.headers import SECURITY_HEADERS
from bots.web.origins import SOCKETS, SameOrigin, SecureCookies, allowed_hosts
from bots.web.refetching import PATH, PREFIX, Refetching
from db import Chat, Person, Platform

MOST_BODY_BYTES = 64 * 1024
"""The limit for a request that brings no photo."""
MOST_BYTES_IN_MEMORY = 192 * 1024 * 1024
"""Photos that are coming in or wait for their answer, of all guests."""
MOST_BYTES_OF_ONE = 96 * 1024 * 1024
"""The same, of one address."""
LAST_WORDS_S = 0.5
"""Seconds for pages to receive that their photos were not answered before the end."""
MOST_BUBBLES = 200
"""Messages on a page; beyond it the oldest goes."""

_PAGE_LANGUAGES: dict[str, Language] = {"en": "en-US", "pt": "pt-BR", "zh": "zh-CN"}
"""NiceGUI's names of languages where they differ from the bot's tags; they determine the page's `lang` and `dir`."""

_Result = TypeVar("_Result")
_FILE_PIECE = 400_000
"""Characters of a file in one message to the browser, a multiple of four; base64 can be joined there."""
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104  # what an operator may set to let others in
_MADE = {
    Form.PHOTO: ("jpeg", "emoji.jpg"),
    Form.STICKER: ("png", "sticker.png"),
    Form.ANIMATION: ("gif", "emoji.gif"),
}
"""The kind of image and the name of a file for each form of a picture that the bot made."""
_STATIC = Path(str(files("bots.web") / "static"))
_log = structlog.get_logger()


class WebAdapter:
    """Serves the chat page, the console, or both until cancelled."""

    name: ClassVar[Platform] = Platform.WEB
    allowed_reactions: ClassVar[frozenset[str] | None] = None

    def __init__(  # noqa: PLR0913  # the operator's settings
        self,
        service: EmojiService,
        *,
        host: str,
        port: int,
        secret: str,
        has_chat: bool = True,
        console: Console | None = None,
        hosts: Sequence[str] = (),
        trusted_proxies: str = "127.0.0.1",
        operations: Operations | None = None,
        has_figures: bool = True,
        post_routes: Sequence[PostRoute] = (),
        stop_after_s: float = 3.0,
    ) -> None:
        """Configure the server.

        secret: signs the cookie that identifies a browser. console: the admins' pages, None for none. hosts: the names
        under which people reach the server, besides its own addresses. trusted_proxies: addresses, separated by
        commas, of those whose word on a request's origin is believed (X-Forwarded-For, X-Forwarded-Proto). operations:
        answers whether the bot is alive, None for nobody. has_figures: tells admins and this machine also whether it
        is ready, and the figures for Prometheus; False where these have a port of their own. post_routes: where
        platforms post something for other parts of the bot. stop_after_s: for how many seconds what is in hand is
        waited for at the end.
        """
        self._service = service
        self._console = console
        self._host, self._port = host, port
        self._has_chat = has_chat
        self._trusted_proxies = trusted_proxies
        self._budget = MemoryBudget(MOST_BYTES_IN_MEMORY, MOST_BYTES_OF_ONE)
        self._stop_after_s = stop_after_s
        self._admission = Admission()
        self._refetching = Refetching(MOST_FILE_BYTES)
        self._post_routes = {each.path: each for each in post_routes}
        self._app = self._guarded(hosts)
        nicegui_app.add_static_files("/static", _STATIC)
        nicegui_app.add_api_route(PATH, self._refetching.receive, methods=["POST"])
        if operations is not None:
            self._app.add_route(HEALTH, operations.health)
            for path, answer in ((READY, operations.ready), (METRICS, operations.metrics)) if has_figures else ():
                nicegui_app.add_route(path, _only_if(self._is_operator, answer))
        for route in post_routes:
            self._app.add_route(route.path, route.receive, methods=["POST"])
        uploads.attach()
        guests.attach()
        missing.attach()
        if console is not None:
            console.attach()
        if has_chat:
            ui.page("/")(self._page)
        elif console is not None:
            nicegui_app.add_api_route("/", lambda: RedirectResponse("/console"))
        ui.run_with(
            self._app,
            title=texts.WEB_TITLE,
            favicon="😄",
            storage_secret=secret,
            show_welcome_message=False,
        )

    async def run(self) -> None:
        """Serve until cancelled. Raise `AdapterError` if the address is in use."""
        config = uvicorn.Config(
            self._app,
            http=BoundedProtocol,
            h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            ws_max_size=guests.MOST_MESSAGE_BYTES,
            ws_per_message_deflate=False,  # a few hundred kilobytes of memory a socket
            headers=SECURITY_HEADERS,
            server_header=False,
            forwarded_allow_ips=self._trusted_proxies,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
        self._admission.open()
        try:
            await self._serve(WebServer(config, self._announce))
        except OSError as error:
            reason = error.strerror or str(error)
            raise AdapterError(
                f"The web chat cannot listen on {self._host}:{self._port} ({reason}); set WEB_HOST or WEB_PORT."
            ) from error

    async def _serve(self, server: WebServer) -> None:
        """Serve until cancelled, then until what is in hand is done. Raise `OSError` if the address is in use."""
        serving = asyncio.create_task(server.serve_until_cancelled(self._host, self._port))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            if await self._admission.finish(self._stop_after_s):
                await asyncio.sleep(LAST_WORDS_S)
            raise
        finally:
            serving.cancel()
            await asyncio.wait({serving})

    def _guarded(self, hosts: Sequence[str]) -> FastAPI:
        """Return the application with what every request has to pass, the last first."""
        guarded = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        guarded.add_middleware(guests.PagePlaces)
        guarded.add_middleware(SecureCookies)
        guarded.add_middleware(BodyLimits, most_bytes=self._most_bytes, budget=self._budget)
        guarded.add_middleware(SameOrigin, named=hosts)
        guarded.add_middleware(
            TrustedHostMiddleware, allowed_hosts=allowed_hosts(hosts, self._host), www_redirect=False
        )
        return guarded

    def _most_bytes(self, path: str) -> int:
        """Return the limit for the body of a request."""
        route = self._post_routes.get(path)
        return route.most_bytes if route is not None else _most_bytes(path)

    def _is_operator(self, request: Request) -> bool:
        """Return whether somebody may see how the bot does: on this machine, or with a pass to the console."""
        is_admin = self._console is not None and self._console.is_admin(request)
        return is_admin or is_loopback(client_of(request.scope))

    def _announce(self) -> None:
        """Log the addresses, and print the one to open as the last line of the start."""
        address = f"http://{self._host}:{self._port}"
        _log.info("adapter_open", adapter=self.name, address=address)
        if self._console is not None:
            self._console.announce(address)
        if not self._has_chat and self._console is None:
            return
        here = "127.0.0.1" if self._host == _ANY_ADDRESS else self._host
        path = "" if self._has_chat else "/console"
        print(f"Open http://{here}:{self._port}{path}", flush=True)  # noqa: T201  # for people, not for the log

    async def _page(self) -> None:
        client = ui.context.client
        browser = str(nicegui_app.storage.browser["id"])
        person, accepted = Person(Platform.WEB, browser), client.request.headers.get("accept-language", "")
        voice = await self._service.voice_for(person, accepted)
        client.page = copy.copy(client.page)  # the page of this guest, in their language
        client.page.language = _PAGE_LANGUAGES.get(voice.language, cast("Language", voice.language))
        chat = Chat(Platform.WEB, browser)
        hold = partial(self._budget.holding, client_of(client.request.scope))
        known = _Guest(person, chat, voice, accepted)
        _Conversation(self._service, self._refetching, hold, self._admission, known).show()


def _only_if(
    may_ask: Callable[[Request], bool], answer: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Return a route that is not there for others."""

    async def route(request: Request) -> Response:
        if not may_ask(request):
            raise HTTPException(404)
        return await answer(request)

    return route


def _most_bytes(path: str) -> int:
    """Return the limit for the body of a request to one of this server's own paths."""
    if path.startswith(PREFIX):
        return MOST_FILE_BYTES
    if path.startswith(SOCKETS):
        return guests.MOST_MESSAGE_BYTES
    return uploads.most_bytes(path) or MOST_BODY_BYTES


@dataclass(frozen=True)
class _Guest:
    """Who has a page open. voice: for the page's own labels. accepted: the browser's languages, as it sent them."""

    person: Person
    chat: Chat
    voice: Voice
    accepted: str


class _Conversation:
    """One open page.

    Messages exist only in the page. Photos stay in the browser, which uploads one again if a picture is made from it.
    """

    def __init__(
        self,
        service: EmojiService,
        refetching: Refetching,
        hold: Callable[[int], AbstractContextManager[None]],
        admission: Admission,
        guest: "_Guest",
    ) -> None:
        """Set up the page. hold: counts so many bytes as in memory."""
        self._service = service
        self._refetching = refetching
        self._hold = hold
        self._admission = admission
        self._person, self._chat, self._voice, self._accepted = guest.person, guest.chat, guest.voice, guest.accepted

    def show(self) -> None:
        say = self._voice.say
        ui.add_head_html('<link rel="stylesheet" href="/static/chat.css"><script src="/static/chat.js"></script>')
        with ui.element("main").classes("chat") as chat:
            chat.props["data-drop"] = say(texts.WEB_DROP)
            with ui.element("header").classes("chat-head"):
                ui.html(texts.WEB_TITLE, tag="h1", sanitize=False)
                for label, command in texts.WEB_MENU.items():
                    handler = _later(self._command, CommandName(command))
                    ui.button(say(label), on_click=handler).props("flat dense no-caps color=deep-purple")
            self._messages = ui.element("div").classes("messages").props("role=log aria-live=polite")
            ui.label(say(texts.WEB_HINT)).classes("hint")
            self._uploader()
            self._camera()
            with ui.element("div").classes("bar"):
                _plain_button(say(texts.WEB_PICK)).on("click", js_handler="() => mugmoji.pick()")
                _plain_button(say(texts.WEB_CAMERA)).classes("second").on("click", self._open_camera)
        self._say(Reply(say(texts.WEB_START)))

    def _uploader(self) -> None:
        uploads.Uploader(
            self._on_pictures,
            on_rejected=lambda: self._say(Reply(self._voice.say(texts.WEB_REJECTED))),
            on_failed=lambda: self._say(Reply(self._voice.say(texts.WEB_NOT_TAKEN))),
        ).classes("bot-only")

    def _camera(self) -> None:
        with ui.dialog() as self._viewfinder, ui.card():
            ui.element("video").classes("viewfinder").props("autoplay playsinline muted")
            with ui.element("div").classes("keys"):
                for label, action in ((texts.WEB_SNAP, "mugmoji.snap()"), (texts.WEB_CANCEL, "mugmoji.closeCamera()")):
                    button = _plain_button(self._voice.say(label)).on("click", js_handler=f"() => {action}")
                    button.on("click", self._viewfinder.close)

    async def _open_camera(self) -> None:
        self._viewfinder.open()
        await asyncio.sleep(0.3)  # wait until the dialog's video element is in the page
        if not await ui.run_javascript("return mugmoji.openCamera()", timeout=60):
            self._viewfinder.close()
            self._say(Reply(self._voice.say(texts.WEB_NO_CAMERA)))

    async def _if_admitted(self, kind: Kind, answer: Awaitable[None]) -> None:
        """Answer a guest who does not send too much; say so where they do, or where the bot is about to end."""
        try:
            with self._admission.admitted(Whose(self._chat, self._person), kind):
                await answer
        except RefusedError as error:
            asyncio.ensure_future(answer).cancel()
            if self._admission.is_closed:
                self._say(Reply(self._voice.say(texts.STOPPING)))
            elif error.tells:
                self._say(Reply(self._voice.say(texts.SLOW_DOWN if kind is Kind.PHOTO else texts.TOO_FAST)))
        except asyncio.CancelledError:
            if self._admission.is_closed:
                self._say(Reply(self._voice.say(texts.STOPPING)))
            raise

    async def _on_pictures(self, upload: events.MultiUploadEventArguments) -> None:
        await self._if_admitted(Kind.PHOTO, self._answer_pictures(upload))

    async def _answer_pictures(self, upload: events.MultiUploadEventArguments) -> None:
        reactions = self._show_pictures([file.name for file in upload.files])
        pictures = tuple([Picture(await file.read()) for file in upload.files])
        names = [file.name for file in upload.files]
        shot = _Shot(reactions[0], names[0]) if len(names) == 1 else None
        photo = PhotoMessage(self._person, self._chat, pictures, self._accepted, comes_again=True)
        waiting: ui.element | None = None
        with self._hold(sum(len(picture.content) for picture in pictures)):
            async for reply in self._service.on_photo(photo):
                if waiting is not None:
                    waiting.delete()
                for label, reaction in zip(reactions, reply.reactions, strict=False):
                    label.set_text(reaction or "")
                bubble = self._say(reply, shot)
                waiting = bubble if reply.waiting else None

    def _show_pictures(self, names: Sequence[str]) -> list[ui.label]:
        """Show the pictures from the browser's own memory; return a label for each one's reaction."""
        reactions = []
        with self._messages, ui.element("div").classes("bubble mine"):
            for name in names:
                with ui.element("div").classes("shot"):
                    image = ui.element("img")
                    image.props["alt"] = self._voice.say(texts.WEB_PHOTO_ALT)
                    reactions.append(ui.label().classes("reaction").props("role=img"))
                ui.run_javascript(f"mugmoji.show({image.html_id!r}, {json.dumps(name)})")
        return reactions

    async def _command(self, name: CommandName) -> None:
        await self._if_admitted(Kind.OTHER, self._answer_command(name))

    async def _answer_command(self, name: CommandName) -> None:
        self._say(await self._service.on_command(Command(self._person, self._chat, name, self._accepted)))

    def _say(self, reply: Reply, shot: "_Shot | None" = None) -> ui.element:
        """Add a bubble; taps on its buttons change it, and the reaction on the photo it answers."""
        with self._messages, ui.element("div").classes("bubble") as bubble:
            if reply.picture is not None:
                self._show_made(reply.picture)
            text = ui.label(reply.text)
            if reply.file is not None:
                _show_file(reply.file)
            keys = ui.element("div")
        self._fill(keys, reply.rows, text, shot)
        for oldest in self._messages.default_slot.children[:-MOST_BUBBLES]:
            oldest.delete()
        with self._messages:  # the button that was tapped, in whose place this may run, can be gone by now
            ui.run_javascript("window.scrollTo({top: document.body.scrollHeight, behavior: 'smooth'})")
        return bubble

    def _show_made(self, picture: MadePicture) -> None:
        """Show a picture made by the bot, with a download; it is sent to the browser once and not stored here."""
        kind, name = _MADE[picture.form]
        with ui.element("a") as link:
            link.props["download"] = name
            image = ui.element("img").classes("made")
            image.props["alt"] = self._voice.say(texts.WEB_MADE_ALT)
        content = base64.b64encode(picture.content).decode()
        ui.run_javascript(f"mugmoji.keep({link.html_id!r}, {image.html_id!r}, 'image/{kind}', '{content}')")

    def _fill(self, keys: ui.element, rows: Sequence[Sequence[Button]], text: ui.label, shot: "_Shot | None") -> None:
        keys.clear()
        with keys:
            for row in rows:
                with ui.element("div").classes("keys"):
                    for button in row:
                        pressed = _later(self._on_tap, button.token, keys, text, shot)
                        _key(button).on("click", pressed)

    async def _on_tap(self, token: str, keys: ui.element, text: ui.label, shot: "_Shot | None") -> None:
        await self._if_admitted(Kind.OTHER, self._answer_tap(token, keys, text, shot))

    async def _answer_tap(self, token: str, keys: ui.element, text: ui.label, shot: "_Shot | None") -> None:
        with ExitStack() as held:
            fetch = _later(self._fetch_again, shot.name, held) if shot is not None else None
            tap = Tap(self._person, self._chat, token, self._accepted, fetch, is_sent_again=True)
            answer = await self._service.on_tap(tap)
        voice = await self._service.voice_for(self._person, self._accepted)
        if voice is not self._voice:  # update the page's own labels
            ui.navigate.reload()
            return
        if answer.picture is not None:
            rows = answer.picture_rows or (answer.rows or () if answer.is_whole else ())
            self._say(Reply(answer.text or answer.notice, rows=rows, picture=answer.picture), shot)
            return
        if answer.text is not None:
            text.set_text(answer.text)
        else:
            ui.notify(answer.notice, position="top")
        if answer.reaction is not None and shot is not None:
            shot.reaction.set_text(answer.reaction)
        if answer.rows is not None:
            self._fill(keys, answer.rows, text, shot)
        if answer.question is not None:
            self._say(answer.question)

    async def _fetch_again(self, name: str, held: ExitStack) -> Picture | None:
        """Return a photo from the guest's browser, counted as in memory until `held` is closed; None if it is gone."""
        picture = await self._refetching.fetch(self._person, name)
        if picture is not None:
            held.enter_context(self._hold(len(picture.content)))
        return picture


@dataclass(frozen=True)
class _Shot:
    """A photo on the page: the label of its reaction, and its name in the browser's memory."""

    reaction: ui.label
    name: str


def _show_file(file: MadeFile) -> None:
    """Show a link that keeps a file; it is sent to the browser once and not stored here."""
    with ui.element("a").classes("file") as link:
        link.props["download"] = file.name
        ui.html(html.escape(file.name), tag="span", sanitize=False)
    content = base64.b64encode(file.content).decode()
    for start in range(0, len(content), _FILE_PIECE):
        ui.run_javascript(f"mugmoji.keepFile({link.html_id!r}, '{content[start : start + _FILE_PIECE]}')")


def _later(
    action: Callable[..., Coroutine[Any, Any, _Result]], *arguments: object
) -> Callable[[], Coroutine[Any, Any, _Result]]:
    """Return the action as a handler with its arguments bound."""
    return lambda: action(*arguments)


def _key(button: Button) -> ui.element:
    is_emoji = not any(character.isalpha() for character in button.label)
    look = {Tone.PLAIN: "", Tone.CHOSEN: "chosen", Tone.QUIET: "quiet"}[button.tone]
    is_numbered = is_emoji and " " in button.label
    kinds = f"{'emoji' if is_emoji else ''} {'numbered' if is_numbered else ''}"
    key = _plain_button(button.label).classes(f"{look} {kinds}")
    key.props["aria-label"] = key.props["title"] = button.meaning
    return key.props(f"aria-pressed={'true' if button.tone is Tone.CHOSEN else 'false'}")


def _plain_button(label: str) -> ui.element:
    """Create a native button, which is focusable and reacts to Enter and Space without further code."""
    with ui.element("button").props("type=button") as button:
        ui.html(html.escape(label), tag="span", sanitize=False)
    return button
