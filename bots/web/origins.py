"""Which names the server answers to, and which pages may act on it: only its own."""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

import ifaddr
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SOCKETS = "/_nicegui_ws/"
"""Path of the sockets that pages open."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ITS_OWN = frozenset({"same-origin", "none"})
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def allowed_hosts(named: Iterable[str], bound_to: str) -> list[str]:
    """Return the names that a request may be for.

    named: those that the operator set, perhaps none. bound_to: the address that the server listens on; every address
    of this machine where that is a wildcard. A page of another site whose name was made to point here (DNS rebinding)
    asks for a name that is not among them.
    """
    return [*_LOOPBACK, *_bound(bound_to), *(_without_port(each) for each in named)]


def _bound(address: str) -> list[str]:
    try:
        is_wildcard = ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return [address] if address else []
    if not is_wildcard:
        return [_in_url(address)]
    own = (each.ip for adapter in ifaddr.get_adapters() for each in adapter.ips)
    return [_in_url(each if isinstance(each, str) else each[0]) for each in own]


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _without_port(host: str) -> str:
    head, colon, tail = host.rpartition(":")
    return head if colon and tail.isdigit() else host


class SameOrigin:
    """Middleware: lets only the server's own pages open sockets and change anything.

    What is no browser sends none of the headers that tell a page's origin, and has no cookie that a page could abuse.
    """

    def __init__(self, app: ASGIApp, named: Iterable[str]) -> None:
        """named: hosts, with their port unless it is the usual one, for a proxy that changes the header Host."""
        self.app = app
        self._named = frozenset(each.lower() for each in named)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        acts = scope["type"] == "websocket" or (
            scope["type"] == "http" and (scope["method"] not in _READING or scope["path"].startswith(SOCKETS))
        )
        if acts and not self._is_own(Headers(scope=scope)):
            await PlainTextResponse("Only this site's own pages may do that.\n", 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_own(self, headers: Headers) -> bool:
        host = headers.get("host", "").lower()
        if origins := headers.getlist("origin"):
            return all(self._is_this_host(each, host) for each in origins)
        if site := headers.get("sec-fetch-site"):
            return site in _ITS_OWN
        if referer := headers.get("referer"):
            return self._is_this_host(referer, host)
        return True

    def _is_this_host(self, address: str, host: str) -> bool:
        try:
            netloc = urlsplit(address).netloc.lower()
        except ValueError:
            return False
        return bool(netloc) and (netloc == host or netloc in self._named)


class SecureCookies:
    """Middleware: marks cookies as `Secure` where the browser came by HTTPS, as a trusted proxy reports it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["scheme"] != "https":
            await self.app(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                cookies = headers.getlist("set-cookie")
                del headers["set-cookie"]
                for cookie in cookies:
                    headers.append("set-cookie", cookie if "; secure" in cookie.lower() else f"{cookie}; Secure")
            await send(message)

        await self.app(scope, receive, send_marked)
