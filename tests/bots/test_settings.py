"""Settings: valid values, and the messages about invalid ones."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.settings import CONSOLE_TOKEN_FILE, Settings
from db.settings import SECRET_FILE, SettingsError, load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_example_names_every_setting_with_its_default(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)
    assert sorted(names) == sorted(name.upper() for name in Settings.model_fields)
    (tmp_path / ".env").write_text(example, encoding="utf-8")
    assert load_settings(Settings) == Settings(_env_file=None)  # type: ignore[call-arg]


def test_a_mistake_is_named_without_quoting_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_PORT", "123456:secret-put-in-the-wrong-line")
    with pytest.raises(SettingsError, match="WEB_PORT") as error:
        load_settings(Settings)
    assert "secret-put" not in str(error.value)


def test_tokens_do_not_show_in_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "123456:hidden")
    assert "hidden" not in repr(load_settings(Settings))


def test_a_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    secret = settings.hashing_secret()
    assert len(secret) >= 32
    assert Settings(data_dir=tmp_path / "data").hashing_secret() == secret
    assert (tmp_path / "data" / SECRET_FILE).stat().st_mode & 0o077 == 0


def test_the_consoles_token_is_made_once_and_kept_private_unless_it_is_set(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    token = settings.console_secret()
    assert len(token) >= 32
    assert token not in (settings.hashing_secret(), settings.where_console_token_is())
    assert Settings(data_dir=tmp_path).console_secret() == token
    assert (tmp_path / CONSOLE_TOKEN_FILE).stat().st_mode & 0o077 == 0
    chosen = Settings(data_dir=tmp_path, console_token=SecretStr("chosen"))
    assert (chosen.console_secret(), chosen.where_console_token_is()) == ("chosen", "CONSOLE_TOKEN")


def test_an_unusable_data_folder_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match="DATA_DIR"):
        Settings(data_dir=tmp_path / "file").hashing_secret()


def test_admins_who_cannot_be_read_are_named_by_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMINS", "telegram:12, @anna-and-her-secret")
    with pytest.raises(SettingsError, match=r"ADMINS: .*entry 2 is not of the form telegram:123456") as error:
        load_settings(Settings)
    assert "anna" not in str(error.value)


def test_another_process_finds_the_same_files_from_another_folder(tmp_path: Path) -> None:
    settings = Settings(emoji_map=Path("mine.yaml"))
    environment = settings.for_another_process()
    assert environment == {
        "DATABASE_URL": f"sqlite:///{tmp_path}/data/mugmoji.db",
        "SECRET": settings.hashing_secret(),
        "EMOJI_MAP": f"{tmp_path}/mine.yaml",
        "DATA_DIR": f"{tmp_path}/data",
        "CROPS_KEY": "",
        "KEEP_CROPS_DAYS": "90",
        "KEEP_READINGS_DAYS": "365",
    }


def test_another_process_gets_the_whole_address_of_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://mugmoji:word@host/name")
    assert load_settings(Settings).for_another_process()["DATABASE_URL"] == "postgresql://mugmoji:word@host/name"


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    for name, asked in ((SECRET_FILE, "hashing_secret"), (CONSOLE_TOKEN_FILE, "console_secret")):
        (tmp_path / name).write_text("\n")
        with pytest.raises(SettingsError, match="is empty"):
            getattr(Settings(data_dir=tmp_path), asked)()


def test_a_secret_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_size: int) -> str:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("secrets.token_urlsafe", full)
        with pytest.raises(SettingsError, match="No space left"):
            Settings(data_dir=tmp_path).hashing_secret()
    assert list(tmp_path.iterdir()) == []
    assert len(Settings(data_dir=tmp_path).hashing_secret()) > 30


@pytest.mark.parametrize("hosts", ["https://bot.example.org", "*example.org", "*", "bot.*.org", "a b.org", "a/b"])
def test_a_host_that_is_no_name_is_refused(monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    monkeypatch.setenv("WEB_ALLOWED_HOSTS", hosts)
    with pytest.raises(SettingsError, match="WEB_ALLOWED_HOSTS"):
        load_settings(Settings)


def test_hosts_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_ALLOWED_HOSTS", "bot.example.org, *.example.net,[fd00::1]:8080,")
    assert load_settings(Settings).allowed_hosts() == ["bot.example.org", "*.example.net", "[fd00::1]:8080"]


@pytest.mark.parametrize(
    "address",
    [
        "bot.example.org/telegram",
        "https://bot.example.org",
        "https://bot.example.org/",
        "https://bot.example.org/a b",
        "https://bot.example.org/telegram?key=secret-in-it",
        "https://bot.example.org/telegram#part",
        "https://name:secret-in-it@bot.example.org/telegram",
        "ftp://bot.example.org/telegram",
        "https://[::1/telegram",
        "https:///telegram",
    ],
)
def test_an_address_that_is_none_for_a_webhook_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("TELEGRAM_WEBHOOK_URL", address)
    with pytest.raises(SettingsError, match="TELEGRAM_WEBHOOK_URL") as error:
        load_settings(Settings)
    assert "secret-in-it" not in str(error.value)


def test_the_webhooks_secret_is_set_or_follows_from_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(secret=SecretStr("a secret"))
    derived = settings.webhook_secret()
    assert re.fullmatch("[0-9a-f]{64}", derived)
    assert Settings(secret=SecretStr("a secret")).webhook_secret() == derived
    assert derived not in (Settings(secret=SecretStr("another")).webhook_secret(), settings.cookie_secret())
    monkeypatch.setenv("TELEGRAM_WEBHOOK_SECRET", "chosen_by-an-0perator")
    assert load_settings(Settings).webhook_secret() == "chosen_by-an-0perator"


@pytest.mark.parametrize("secret", ["short", "with a space in it", "ä" * 20, "a" * 257])
def test_a_secret_that_telegram_does_not_take_is_refused(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("TELEGRAM_WEBHOOK_SECRET", secret)
    with pytest.raises(SettingsError, match="TELEGRAM_WEBHOOK_SECRET") as error:
        load_settings(Settings)
    assert secret not in str(error.value)
