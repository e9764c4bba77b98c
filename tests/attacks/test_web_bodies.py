"""Bodies that are too large, too many, too slow, or not what they say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from bots.web.adapter import MOST_BYTES_IN_MEMORY
from tests.attacks.guest import COMMANDS, COVERS, PHOTOS, PICTURES, TAPS, Guest
from tests.bots.web.program import Bot
from tests.waiting import PATIENCE_S

MB = 1 << 20
ROUTES = [
    PHOTOS,
    TAPS,
    COMMANDS,
    COVERS,
    PICTURES,
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
    field = '--edge\r\nContent-Disposition: form-data; name="id"\r\n\r\na-photo-of-mine\r\n'
    part = f'Content-Disposition: form-data; name="photo"; filename="{name}"\r\nContent-Type: image/jpeg\r\n\r\n'
    head = f"{field}--edge\r\n{part}"
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
        sending = asyncio.create_task(guest.http.post(route, content=_pieces(260, head, tail), headers=headers))
        while not sending.done():
            peak = max(peak, _memory(bot))
            assert not _files_of(bot)
            await asyncio.sleep(0.05)
        answer = await sending
        assert answer.status_code in (
            (413,) if is_announced or route in (PHOTOS, TAPS) else (400, 404, 405, 413, 422)
        ), route
    assert peak - before < 130 * MB  # what one upload may take, and its copy while it is read
    assert _memory(bot) - before < 60 * MB  # of 260 MB each time; what the first request loads is among it
    assert await guest.is_served()


@pytest.mark.parametrize(
    ("megabytes", "files", "fields", "expected"), [(21, 1, 1, 413), (1, 2, 1, 400), (0, 60, 1, 400), (1, 1, 9, 400)]
)
async def test_too_much_in_one_form_is_refused(
    guest: Guest, megabytes: int, files: int, fields: int, expected: int
) -> None:
    upload = [("photo", (f"{number}.jpg", bytes(megabytes * MB), "image/jpeg")) for number in range(files)]
    form = {"id": "a-photo-of-mine", **{f"field{number}": "a" for number in range(1, fields)}}
    assert (await guest.http.post(PHOTOS, data=form, files=upload)).status_code == expected
    assert await guest.is_served()


@pytest.mark.parametrize("name", ["", "short", "x" * 65, "not a name", "../../etc/passwd", "x" * 10_000])
async def test_the_name_of_a_photo_has_a_form(guest: Guest, name: str) -> None:
    answer = await guest.http.post(PHOTOS, data={"id": name}, files={"photo": ("a.jpg", b"a", "image/jpeg")})
    assert answer.status_code == 400


async def test_what_is_allowed_is_taken(bot: Bot, guest: Guest) -> None:
    assert "text" in (await guest.send(bytes(19 * MB)))[-1]
    assert not _files_of(bot)


async def _begin(guest: Guest, length: int, body: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send the head of an upload and the beginning of its body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", guest.port)
    head = (
        f"POST {PHOTOS} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n"
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
    answer = await guest.http.post(PHOTOS, content=body, headers=_form()[2])
    assert answer.status_code in (400, 413)
