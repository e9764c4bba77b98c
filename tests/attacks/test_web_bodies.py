"""Bodies that are too large, too many, too slow, or not what they say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from bots.web.adapter import MOST_BYTES_IN_MEMORY
from bots.web.uploads import MOST_FILES
from tests.attacks.guest import Guest
from tests.bots.web.test_adapter import Bot
from tests.waiting import PATIENCE_S, until

MB = 1 << 20
ROUTES = [
    "upload",
    "/again/a-ticket",
    "/console/login",
    "/",
    "/nowhere",
    "/_nicegui_ws/socket.io/?EIO=4&transport=polling",
]


def _memory(bot: Bot) -> int:
    return int(psutil.Process(bot.process.pid).memory_info().rss)


def _files_of(bot: Bot) -> list[str]:
    """Return the files that the program has open, those already unlinked among them."""
    links = Path(f"/proc/{bot.process.pid}/fd").iterdir()
    return [target for link in links if (target := _target(link)).startswith("/tmp") and "deleted" in target]


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


async def _pieces(megabytes: int, head: bytes = b"", tail: bytes = b"") -> AsyncIterator[bytes]:
    yield head
    for _ in range(megabytes):
        yield bytes(MB)
    yield tail


def _form(name: str = "a.jpg") -> tuple[bytes, bytes, dict[str, str]]:
    """Return what comes before and after the one file of a form, and its headers."""
    head = f'--edge\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
    return head.encode(), b"\r\n--edge--\r\n", {"Content-Type": "multipart/form-data; boundary=edge"}


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_body_of_260_mb_is_refused_and_leaves_memory_as_it_was(
    bot: Bot, guest: Guest, is_announced: bool
) -> None:
    before = peak = _memory(bot)
    head, tail, headers = _form()
    if is_announced:
        headers["Content-Length"] = str(len(head) + 260 * MB + len(tail))
    for route in ROUTES:
        sending = asyncio.create_task(
            guest.http.post(
                guest.upload if route == "upload" else route, content=_pieces(260, head, tail), headers=headers
            )
        )
        while not sending.done():
            peak = max(peak, _memory(bot))
            assert not _files_of(bot)
            await asyncio.sleep(0.05)
        answer = await sending
        assert answer.status_code in ((413,) if is_announced or route == "upload" else (400, 404, 405, 413)), route
    assert peak - before < 130 * MB  # what one upload may take, and its copy while it is read
    assert _memory(bot) - before < 30 * MB
    assert await guest.is_served()


@pytest.mark.parametrize(
    ("megabytes", "files", "expected"), [(21, 1, 413), (15, 10, 413), (1, MOST_FILES + 1, 400), (1, 60, 400)]
)
async def test_too_much_in_one_upload_is_refused(guest: Guest, megabytes: int, files: int, expected: int) -> None:
    upload = [("f", (f"{number}.jpg", bytes(megabytes * MB), "image/jpeg")) for number in range(files)]
    assert (await guest.http.post(guest.upload, files=upload)).status_code == expected
    assert await guest.is_served()


async def test_what_is_allowed_is_taken(bot: Bot, guest: Guest) -> None:
    upload = [("f", (f"{number}.jpg", bytes(5 * MB), "image/jpeg")) for number in range(MOST_FILES)]
    assert (await guest.http.post(guest.upload, files=upload)).status_code == 200
    assert not _files_of(bot)


async def _begin(guest: Guest, length: int, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send the head of an upload and the beginning of its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", guest.port)
    head = (
        f"POST {guest.upload} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
        f"Content-Type: multipart/form-data; boundary=edge\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    return reader, writer


async def _status(reader: asyncio.StreamReader) -> int:
    async with asyncio.timeout(PATIENCE_S):
        return int((await reader.readline()).split()[1])


async def test_uploads_in_flight_share_a_limited_memory(bot: Bot, guest: Guest) -> None:
    before = _memory(bot)
    head, tail, _ = _form()
    length = len(head) + 19 * MB + len(tail)
    begun = [await _begin(guest, length, head + bytes(MB)) for _ in range(20)]
    fits = MOST_BYTES_IN_MEMORY // length
    assert {await _status(reader) for reader, _ in begun[fits:]} == {503}
    assert _memory(bot) - before < MOST_BYTES_IN_MEMORY
    for reader, writer in begun[:fits]:
        writer.write(bytes(18 * MB) + tail)
        await writer.drain()
        assert await _status(reader) == 200
    assert await guest.is_served()
    for _, writer in begun:
        writer.close()


async def test_a_body_that_does_not_come_is_given_up(guest: Guest) -> None:
    reader, writer = await _begin(guest, 500, b"--edge\r\n")
    assert await _status(reader) == 408
    writer.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--edge--\r\n",
        b"no form",
        b"--edge\r\n\r\n\r\n--edge--\r\n",
        b"--edge\r\nContent-Disposition: form-data; name=" + b"a" * 5_000 + b"\r\n\r\n\r\n--edge--\r\n",
        b"--edge\r\n" + b"X: " + b"a" * 100_000,
        b'--edge\r\nContent-Disposition: form-data; name="text"\r\n\r\nhello\r\n--edge--\r\n',
    ],
)
async def test_what_is_no_form_with_files_is_refused(guest: Guest, body: bytes) -> None:
    answer = await guest.http.post(guest.upload, content=body, headers=_form()[2])
    assert answer.status_code in (400, 413)


async def test_the_path_of_another_element_takes_nothing(guest: Guest) -> None:
    for path in (guest.upload[:-2] + "1", guest.upload + "1", guest.upload.replace(guest.id, "a"), guest.upload + "/x"):
        answer = await guest.http.post(path, files={"f": ("a.jpg", b"a", "image/jpeg")})
        assert answer.status_code == 404, path
    await guest.socket.disconnect()
    await until(lambda: not guest.socket.connected)
