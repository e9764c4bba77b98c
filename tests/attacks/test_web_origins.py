"""Other sites in a visitor's browser: their names, their pages, their frames."""

import http.client
from collections.abc import Iterator

import pytest
import socketio

from tests.attacks.conftest import TOKEN
from tests.attacks.guest import ConsoleGuest
from tests.bots.web.program import Bot

REBOUND = "evil.example"
EVERYWHERE = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(self)",
    "x-frame-options": "DENY",
}
PATHS = [
    ("GET", "/"),
    ("GET", "/nowhere"),
    ("GET", "/console"),
    ("GET", "/console/login"),
    ("GET", "/console/nowhere"),
    ("GET", "/static/app.js"),
    ("GET", "/favicon.ico"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"),
    ("POST", "/api/v1/photos"),
    ("POST", "/api/v1/taps"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/app.webmanifest"),
    ("POST", "/"),
    ("OPTIONS", "/"),
    ("HEAD", "/"),
]


def _ask(bot: Bot, method: str, path: str, body: str = "", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", bot.port, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {"Host": f"127.0.0.1:{bot.port}", **named})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@pytest.fixture(scope="module")
def own_bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """One for the tests that leave nothing behind."""
    bot = Bot(tmp_path_factory.mktemp("bot"), CONSOLE_TOKEN="a token for tests", WEB_ALLOWED_HOSTS="bot.example.org")
    bot.wait_for("adapter_open")
    yield bot
    bot.stop()


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "host", [REBOUND, f"{REBOUND}:8080", "127.0.0.1.evil.example", "localhost.evil.example", "", "a b"]
)
def test_another_name_that_points_here_gets_nothing(own_bot: Bot, method: str, path: str, host: str) -> None:
    answer = _ask(own_bot, method, path, Host=host)
    assert answer.status == 400
    assert answer.getheader("set-cookie") is None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8080", "bot.example.org"])
def test_its_own_names_are_answered(own_bot: Bot, host: str) -> None:
    assert _ask(own_bot, "GET", "/", Host=host).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": f"http://{REBOUND}"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "http://localhost:1"},
        {"Origin": "http://[::1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Referer": f"http://{REBOUND}/"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/v1/photos", "/api/v1/taps", "/api/v1/commands", "/console/login", "/console/logout"]
)
def test_another_sites_page_changes_nothing(own_bot: Bot, path: str, headers: dict[str, str]) -> None:
    assert _ask(own_bot, "POST", path, **headers).status == 403


def test_its_own_page_may_post_also_through_a_proxy_that_changes_the_host(own_bot: Bot) -> None:
    for origin in (f"http://127.0.0.1:{own_bot.port}", "https://bot.example.org"):
        assert _ask(own_bot, "POST", "/console/login", Origin=origin).status in (200, 403)
        assert _ask(own_bot, "POST", "/api/v1/photos", Origin=origin).status == 400


@pytest.mark.parametrize("origin", [f"http://{REBOUND}", "null", "http://127.0.0.1:1"])
async def test_another_sites_page_opens_no_socket(bot: Bot, admin: ConsoleGuest, origin: str) -> None:
    for transport in ("websocket", "polling"):
        stranger = socketio.AsyncClient(reconnection=False)
        with pytest.raises((socketio.exceptions.ConnectionError, RuntimeError)):
            await stranger.connect(
                f"{bot.url}?client_id={admin.id}",
                socketio_path="/_nicegui_ws/socket.io",
                transports=[transport],
                headers={"Origin": origin},
            )
    await admin.socket.disconnect()
    async with ConsoleGuest(bot.port, TOKEN) as another:
        await another.socket.disconnect()
        await another.connect(Origin=f"http://127.0.0.1:{bot.port}")


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_every_answer_tells_browsers_what_pages_may_do_and_lets_no_other_site_read(
    own_bot: Bot, method: str, path: str
) -> None:
    answer = _ask(own_bot, method, path, Origin=f"http://127.0.0.1:{own_bot.port}")
    for name, value in EVERYWHERE.items():
        assert value in (answer.getheader(name) or ""), name
    for name, _ in answer.getheaders():
        assert not name.lower().startswith("access-control-"), name
    assert answer.getheader("server") is None


def test_cookies_are_out_of_reach_for_scripts_and_other_sites_and_secure_behind_https(own_bot: Bot) -> None:
    plain = (_ask(own_bot, "GET", "/").getheader("set-cookie") or "").lower()
    assert "httponly" in plain
    assert "samesite=lax" in plain
    assert "secure" not in plain
    behind = _ask(own_bot, "GET", "/", X_Forwarded_Proto="https").getheader("set-cookie") or ""
    assert "; Secure" in behind


def test_only_a_trusted_proxy_is_believed(tmp_path_factory: pytest.TempPathFactory) -> None:
    bot = Bot(tmp_path_factory.mktemp("bot"), WEB_TRUSTED_PROXIES="192.0.2.1")
    bot.wait_for("adapter_open")
    answer = _ask(bot, "GET", "/", X_Forwarded_Proto="https", X_Forwarded_For="203.0.113.9")
    assert "Secure" not in (answer.getheader("set-cookie") or "")
    assert _ask(bot, "GET", "/readyz", X_Forwarded_For="203.0.113.9").status == 200  # it is still this machine
    bot.stop()


@pytest.mark.parametrize("path", ["/nowhere", "/index.php", "/.env", "/static/../secrets", "/console/nowhere"])
@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_an_unknown_path_is_not_found(own_bot: Bot, path: str, accept: str) -> None:
    assert _ask(own_bot, "GET", path, Accept=accept).status == 404


def test_strangers_read_no_figures(own_bot: Bot) -> None:
    for path in ("/readyz", "/metrics"):
        assert _ask(own_bot, "GET", path).status == 200
        assert _ask(own_bot, "GET", path, X_Forwarded_For="203.0.113.9").status == 404
    assert _ask(own_bot, "GET", "/healthz", X_Forwarded_For="203.0.113.9").status == 200
