"""The log of a busy and unlucky day on Discord names nobody."""

import pytest
from simcord import ChannelHandle, Env, GuildHandle

from bots.conversation import texts
from db import Store
from tests.bots.discord.driving import buttons_of, last_in, response_to, send_direct
from tests.bots.log_privacy import assert_names_nothing, logged_at_debug
from tests.rows import execute
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.simcord(settle_timeout=PATIENCE_S)
COMMANDS = ("help", "settings", "privacy", "my_data", "forget_me", "play")


async def test_photos_taps_commands_and_failures_leave_no_trace_of_people(
    simcord_env: Env,
    guild: GuildHandle,
    channel: ChannelHandle,
    store: Store,
    selfie: bytes,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ada = guild.add_member(simcord_env.create_user("whitcombe_adalgisa"))
    with logged_at_debug():
        await send_direct(simcord_env, ada.user, [("whitcombe-on-holiday.jpg", selfie)])
        direct = last_in(ada.user.dm_channel)
        await ada.user.click(direct, label=buttons_of(direct)[0][1].label)
        answered = await ada.slash(channel, "emoji", photo=("whitcombe-at-home.jpg", selfie))
        await ada.click(response_to(answered), label=buttons_of(response_to(answered))[0][1].label)
        for name in COMMANDS:
            await ada.slash(channel, name)
        await send_direct(simcord_env, ada.user, [("whitcombe-broken.jpg", selfie[:3000])])
        simcord_env.inject_error("POST", "/channels/*/messages", status=403, code=50007)
        await send_direct(simcord_env, ada.user, [("whitcombe-refused.jpg", selfie)])
        forget = await ada.slash(channel, "forget_me")
        await ada.click(response_to(forget), label=texts.FORGET_NO)
        await execute(store, "DROP TABLE taps", "DROP TABLE people")
        await send_direct(simcord_env, ada.user, [("whitcombe-without-database.jpg", selfie)])
        await ada.slash(channel, "settings")
    log = capsys.readouterr().err
    ids = [ada.user.id, guild.id, channel.id, ada.user.dm_channel.id, direct.id, response_to(answered).id]
    assert_names_nothing(log, [*ids, "whitcombe", "adalgisa", "cdn.discordapp.com/a", "selfies"], [selfie])
    assert "preferences_not_read" in log
