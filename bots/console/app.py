"""Add the console's pages to the web server, and refuse everyone without a pass or from another machine."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import structlog
from fastapi import Request
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.middleware.base import RequestResponseEndpoint
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from bots.console import admins, join_page, login_page, models, overview, retraining, review, training, uploading
from bots.console.account_file import AccountFile
from bots.console.accounts import Accounts
from bots.console.figures_cache import FiguresCache
from bots.console.layout import PAGES, Place
from bots.console.page import ConsolePage, ConsoleServices
from bots.console.pass_file import PassFile
from bots.console.sessions import LoginRefusedError, Sessions
from bots.learning.retraining_process import RetrainingProcess
from bots.learning.review_queue import ReviewQueue
from bots.learning.training_window import TrainingWindow
from bots.serving.addresses import is_loopback
from db import Store
from recognizer import EmojiMap

_SESSION_KEY, _NAME_KEY = "console", "console_name"
_LEAST_TOKEN = 16
"""Characters of a token that nobody finds by trying; the ones that are made here have 43."""
_TOO_FAR = (
    "The console only answers requests from the machine that the bot runs on. "
    "Reach it through an SSH tunnel, or set CONSOLE_REMOTE=true (then put HTTPS in front of it).\n"
)
_SHOW: dict[Place, Callable[[ConsolePage], None]] = {
    Place.OVERVIEW: overview.show,
    Place.REVIEW: review.show,
    Place.MODELS: models.show,
    Place.RETRAINING: retraining.show,
    Place.TRAINING: training.show,
    Place.ADMINS: admins.show,
}
_log = structlog.get_logger()


@dataclass(frozen=True)
class Access:
    """Who may enter.

    token: the operator's, which anybody may share, stored in `token_place`. remote: also from other machines.
    pass_file: where the passes of those who entered are stored. account_file: where those who were invited are.
    """

    token: str
    token_place: str
    remote: bool
    pass_file: Path
    account_file: Path


class Console:
    """The pages under /console. Every page and every action checks the pass."""

    def __init__(  # noqa: PLR0913, PLR0917  # the services of the pages
        self,
        store: Store,
        emoji_map: Callable[[], EmojiMap],
        retraining_process: RetrainingProcess,
        training_window: TrainingWindow,
        access: Access,
        problem: Callable[[], str] = lambda: "",
    ) -> None:
        """emoji_map: returns the current map. problem: returns a sentence about what is wrong with the
        models, or nothing.
        """
        queue, figures = ReviewQueue(store, emoji_map), FiguresCache(store, emoji_map)
        accounts = Accounts(AccountFile(access.account_file), time.time)
        self._services = ConsoleServices(
            store, emoji_map, retraining_process, training_window, queue, figures, accounts, problem
        )
        self._uploads = uploading.Uploads(training_window)
        self._access = access
        self._gate = Sessions(access.token, time.time, PassFile(access.pass_file), accounts)

    def attach(self) -> None:
        """Add the pages to the NiceGUI app, before it starts."""
        nicegui_app.middleware("http")(self._guard)
        nicegui_app.add_static_files("/console-static", Path(str(files("bots.console") / "static")))
        nicegui_app.add_api_route(login_page.PATH, self._ask, methods=["GET"])
        nicegui_app.add_api_route(login_page.PATH, self._enter, methods=["POST"])
        nicegui_app.add_api_route(login_page.LEAVE, self._leave, methods=["POST"])
        nicegui_app.add_api_route(f"{join_page.PATH}/{{link}}", self._ask_to_join, methods=["GET"])
        nicegui_app.add_api_route(f"{join_page.PATH}/{{link}}", self._join, methods=["POST"])
        nicegui_app.add_api_route(uploading.PATH, self._take_piece, methods=["POST"])
        for place, (path, title, _) in PAGES.items():
            ui.page(path, title=f"{title} · Mugmoji", dark=None, language="en-US")(self._page(place))

    def announce(self, address: str) -> None:
        """Log the console's address, and where its token is; never the token."""
        if len(self._access.token) < _LEAST_TOKEN:
            _log.warning("console_token_short", least_characters=_LEAST_TOKEN)
        _log.info("console_open", address=f"{address}/console", token_in=self._access.token_place)

    def is_admin(self, request: Request) -> bool:
        """Return whether a request comes with a valid pass."""
        return self._admin(request) is not None

    def _page(self, place: Place) -> Callable[[], Response | None]:
        def page() -> Response | None:
            request = ui.context.client.request
            if (name := self._admin(request)) is None:
                return RedirectResponse(login_page.PATH, status_code=303)
            _SHOW[place](ConsolePage(self._services, name, place, lambda: self._admin(request) == name))
            return None

        return page

    def _admin(self, request: Request) -> str | None:
        """Return the name of the admin who made a request; None if they may not enter."""
        return self._gate.holder(request.session.get(_SESSION_KEY)) if self._is_near(request) else None

    def _is_near(self, request: Request) -> bool:
        return self._access.remote or is_loopback(_address_of(request))

    async def _guard(self, request: Request, answer: RequestResponseEndpoint) -> Response:
        if request.url.path != "/console" and not request.url.path.startswith("/console/"):
            return await answer(request)
        if not self._is_near(request):
            _log.warning("console_refused", reason="not from this machine", address=_address_of(request))
            return PlainTextResponse(_TOO_FAR, 403)
        response = await answer(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    async def _ask(self, request: Request) -> Response:
        if self._admin(request) is not None:
            return RedirectResponse("/console", status_code=303)
        return login_page.page(name=request.session.get(_NAME_KEY, ""))

    async def _enter(self, request: Request) -> Response:
        form: Any = await request.form(max_files=0, max_fields=10)
        name, token = str(form.get("name", "")), str(form.get("token", ""))
        try:
            request.session[_SESSION_KEY] = await self._gate.admit(self._place_of(request), token, name)
        except LoginRefusedError as error:
            _log.warning("console_refused", reason=str(error), address=_address_of(request))
            return login_page.page(str(error), name)
        request.session[_NAME_KEY] = name
        _log.info("console_entered", address=_address_of(request))
        return RedirectResponse("/console", status_code=303)

    async def _leave(self, request: Request) -> Response:
        self._gate.take_back(request.session.pop(_SESSION_KEY, None))
        return RedirectResponse(login_page.PATH, status_code=303)

    async def _ask_to_join(self, request: Request, link: str) -> Response:
        try:
            return join_page.ask(await self._gate.invited(self._place_of(request), link))
        except LoginRefusedError as error:
            return self._refuse_link(request, error)

    async def _join(self, request: Request, link: str) -> Response:
        try:
            joined = await self._gate.join(self._place_of(request), link)
        except LoginRefusedError as error:
            return self._refuse_link(request, error)
        self._gate.take_back(request.session.get(_SESSION_KEY))
        request.session[_SESSION_KEY], request.session[_NAME_KEY] = joined.kept, joined.name
        _log.info("console_entered", address=_address_of(request))
        return join_page.welcome(joined)

    async def _take_piece(self, request: Request) -> Response:
        if (name := self._admin(request)) is None:
            _log.warning("console_refused", reason="no pass", address=_address_of(request))
            return PlainTextResponse("Log in to the console first.\n", 403)
        return await self._uploads.take(request, name)

    def _refuse_link(self, request: Request, error: LoginRefusedError) -> Response:
        _log.warning("console_refused", reason=str(error), address=_address_of(request))
        return join_page.refuse(str(error))

    def _place_of(self, request: Request) -> str:
        """Return whose attempts are counted together: those of a browser that was let in before, else of an address.

        So an admin who shares an address with a guesser, or a proxy, does not wait for the guesser's turns.
        """
        if request.session.get(_NAME_KEY):
            return "browser " + hashlib.sha256(str(request.session.get("id", "")).encode()).hexdigest()[:16]
        return _address_of(request)


def _address_of(request: Request) -> str:
    return request.client.host if request.client else ""
