"""Assemble the parts that the adapters need, run the background tasks, and create the configured adapters."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import structlog

from bots.adapter import Adapter
from bots.admin.allowlist import Allowlist
from bots.admin.commands import AdminCommands
from bots.admin.retraining_chat import RetrainingChat
from bots.admin.review_chat import ReviewChat
from bots.admin.versions_chat import VersionsChat
from bots.conversation.service import EmojiService
from bots.learning.retraining_process import RetrainingProcess
from bots.learning.review_queue import ReviewQueue
from bots.learning.schedule import RetrainingSchedule
from bots.operations import Check, DailyRetention, Operations, Readiness, database_problem
from bots.pictures.artwork import Artwork
from bots.pictures.maker import PictureMaker
from bots.serving.emoji_map_watch import EmojiMapWatch
from bots.serving.inference_pool import InferencePool
from bots.serving.lease import Lease, leases_of_a_process
from bots.serving.measures import Measures
from bots.serving.model_watch import ModelWatch, whole_version
from bots.serving.post_route import PostRoute
from bots.serving.shadowing import Shadowing
from bots.serving.supervision import Supervisor
from bots.settings import Settings
from db import Platform, Store
from recognizer import EmojiMap, ModelError, Recognizer
from recognizer.classification import Classifier
from recognizer.face_finder import FaceFinder
from recognizer.finding.segmentation import PersonSegmenter

_log = structlog.get_logger()
_REACTION_SETS = (Platform.TELEGRAM, Platform.DISCORD, Platform.WEB)
"""The platforms for which an emoji map says of every emoji whether a bot can react with it there."""

_AHEAD = 1
"""Number of photos that are at hand for the recogniser's processes, so that none waits while this process classifies.
"""


@dataclass(frozen=True)
class Assembly:
    """What the adapters are made around.

    supervisor: keeps them running. lease: returns this process's part in what only one does, by its name. problem:
    returns what is wrong with the bot, in sentences, empty where nothing is. operations: tells operators how it does.
    """

    service: EmojiService
    store: Store
    emoji_map_watch: EmojiMapWatch
    retraining_process: RetrainingProcess
    supervisor: Supervisor
    lease: Callable[[str], Lease]
    problem: Callable[[], str]
    operations: Operations


@dataclass(frozen=True)
class AdapterFactory:
    """One configured adapter: its class, and a function that creates it."""

    kind: type[Adapter]
    make: Callable[[Assembly], Adapter]


def configured_adapters(settings: Settings) -> list[AdapterFactory]:
    """Return a factory for each configured adapter; a platform's library is imported only if the platform is
    configured.
    """
    factories, post_routes = [], []
    if settings.telegram_token.get_secret_value():
        from bots.telegram.adapter import TelegramAdapter  # noqa: PLC0415

        route = _route_for_telegram(settings)
        post_routes += [route] if route is not None else []
        factories.append(AdapterFactory(TelegramAdapter, lambda made: _telegram_adapter(settings, made, route)))
    if settings.discord_token.get_secret_value():
        from bots.discord.adapter import DiscordAdapter  # noqa: PLC0415

        factories.append(AdapterFactory(DiscordAdapter, lambda made: _discord_adapter(settings, made)))
    if settings.web_chat or settings.console or post_routes:
        from bots.web.adapter import WebAdapter  # noqa: PLC0415

        factories.append(AdapterFactory(WebAdapter, lambda made: _web_adapter(settings, made, post_routes)))
    return factories


@asynccontextmanager
async def assembled(
    settings: Settings, factories: list[AdapterFactory], measures: Measures | None = None
) -> AsyncIterator[Assembly]:
    """Assemble all parts and run the background tasks, until the context is left.

    measures: counts the events of the log; None for figures that nobody counts.
    Raise `DetectorError`, `ModelError`, `EmojiMapError`, `SettingsError`, `StoreError` or `ArtworkError`.
    """
    emoji_map, check = EmojiMap.load(settings.emoji_map), _emoji_map_check(factories)
    check(emoji_map)
    artwork = Artwork.load()
    store = await settings.open_store()
    try:
        classifier, damage = await _classifier(store)
        finder, segmenter = FaceFinder.load(), PersonSegmenter.load()
    except BaseException:
        await store.close()
        raise
    recognizer = Recognizer(finder, segmenter, classifier, emoji_map, is_isolated=True, most_processes=settings.workers)
    picture_maker = PictureMaker(recognizer, artwork)
    pool = InferencePool(settings.workers + _AHEAD, settings.waiting)
    model_watch = ModelWatch(recognizer, store, damage)
    shadowing = Shadowing(store, pool, lambda: model_watch.shadow)
    try:
        await model_watch.start()
        async with Supervisor() as supervisor:

            def problem() -> str:
                return " ".join(filter(None, (model_watch.problem, supervisor.problem)))

            emoji_map_watch = EmojiMapWatch(recognizer, check)
            retraining_process = RetrainingProcess(
                store, settings.for_another_process(), queue=settings.retraining_queue(store)
            )
            admin_commands = AdminCommands(
                Allowlist.parse(settings.admins),
                ReviewChat(ReviewQueue(store, lambda: recognizer.emoji_map)),
                RetrainingChat(retraining_process, store),
                VersionsChat(store, problem),
            )
            service = EmojiService(
                recognizer,
                store,
                pool,
                picture_maker,
                shadowing=shadowing,
                admin_commands=admin_commands,
                candidates=settings.candidates,
            )
            lease = leases_of_a_process(store.leases)
            for name, work in (
                ("The start of the recogniser", partial(pool.run, recognizer.prepare)),
                ("The watch on the emoji map", emoji_map_watch.run),
                ("The watch on the served model", model_watch.run),
                ("The journal of photos", service.journal.run),
                (
                    "The daily deletion of what is too old",
                    partial(lease("retention").while_held, DailyRetention(store).run),
                ),
            ):
                supervisor.start(name, work)
            if settings.retrain_at is not None:
                schedule = RetrainingSchedule(store, retraining_process, settings.retrain_at, settings.retrain_after)
                supervisor.start("The schedule of retrainings", partial(lease("retraining").while_held, schedule.run))
            measures = measures or Measures()
            measures.watch(lambda: pool.waiting, lambda: recognizer.version)
            operations = Operations(_readiness(store, model_watch, pool, supervisor), measures)
            if settings.ops_port is not None:
                supervisor.start("The port for operations", partial(_serve_operations, operations, settings))
            _spare_the_garbage_collector()
            try:
                yield Assembly(
                    service, store, emoji_map_watch, retraining_process, supervisor, lease, problem, operations
                )
            finally:
                await service.close()
        await service.journal.release()
    finally:
        await shadowing.close()
        pool.close()
        recognizer.close()
        await store.close()


def _readiness(store: Store, model_watch: ModelWatch, pool: InferencePool, supervisor: Supervisor) -> Readiness:
    async def model_problem() -> str:
        return model_watch.problem

    async def recogniser_problem() -> str:
        return pool.problem

    checks: dict[str, Check] = {
        "The database": partial(database_problem, store),
        "The model": model_problem,
        "The recogniser": recogniser_problem,
    }
    return Readiness(checks, lambda: supervisor.problems)


async def _serve_operations(operations: Operations, settings: Settings) -> None:
    host, port = settings.ops_host, settings.ops_port
    assert port is not None
    await operations.serve(host, port, lambda: _log.info("operations_open", address=f"http://{host}:{port}"))


async def _classifier(store: Store) -> tuple[Classifier, str]:
    """Return the model that came with the software and nothing, or a whole one from the database and what is wrong.

    Raise `ModelError` if none is whole.
    """
    try:
        return await asyncio.to_thread(Classifier.load), ""
    except ModelError as error:
        whole = await whole_version(store)
        if whole is None:
            raise
        _log.error("shipped_model_damaged", reason=str(error), served=whole.card.version)
        return whole, f"The model that came with the software is damaged ({error})"


def _spare_the_garbage_collector() -> None:
    """Take what is loaded by now out of garbage collections: it stays until the end, and looking through its hundred
    thousands of objects would hold up the event loop for some 100 ms each time."""
    gc.collect()
    gc.freeze()


def _route_for_telegram(settings: Settings) -> PostRoute | None:
    """Return where Telegram posts updates; None if they are polled."""
    from bots.telegram.webhook import MOST_UPDATE_BYTES  # noqa: PLC0415

    path = urlsplit(settings.telegram_webhook_url).path
    return PostRoute(path, MOST_UPDATE_BYTES) if path else None


def _telegram_adapter(settings: Settings, made: Assembly, route: PostRoute | None) -> Adapter:
    """Return the adapter for Telegram. route: where it posts updates, None if they are polled."""
    from bots.telegram.adapter import TelegramAdapter  # noqa: PLC0415
    from bots.telegram.claims import Claims  # noqa: PLC0415
    from bots.telegram.polling import Polling  # noqa: PLC0415
    from bots.telegram.webhook import Webhook  # noqa: PLC0415

    token = settings.telegram_token.get_secret_value()
    claims = Claims(made.store, token)
    return TelegramAdapter(
        made.service,
        token,
        source=Polling(claims, made.lease("telegram polling"))
        if route is None
        else Webhook(settings.telegram_webhook_url, settings.webhook_secret(), route, claims),
        api_url=settings.telegram_api_url,
        stop_after_s=settings.stop_after,
    )


def _discord_adapter(settings: Settings, made: Assembly) -> Adapter:
    """Return the adapter for Discord."""
    from bots.discord.adapter import DiscordAdapter  # noqa: PLC0415
    from bots.discord.shards import Shards  # noqa: PLC0415

    count = settings.discord_shards
    return DiscordAdapter(
        made.service,
        settings.discord_token.get_secret_value(),
        lease=made.lease,
        shards=Shards(count, made.store.leases, made.lease) if count else None,
        reads_all_messages=settings.discord_message_content,
        stop_after_s=settings.stop_after,
    )


def _web_adapter(settings: Settings, made: Assembly, post_routes: Sequence[PostRoute]) -> Adapter:
    """Return the adapter with the web chat, the console, or both, and with the routes for what platforms post."""
    from bots.console import Access, Console  # noqa: PLC0415
    from bots.learning.training_window import TrainingWindow  # noqa: PLC0415
    from bots.web.adapter import WebAdapter  # noqa: PLC0415

    console = None
    if settings.console:
        access = Access(
            settings.console_secret(),
            settings.where_console_token_is(),
            settings.console_remote,
            settings.console_pass_file(),
            settings.console_account_file(),
        )
        training_window = TrainingWindow(made.store, settings.training_folder())
        made.supervisor.start("The deletion of abandoned uploads", training_window.keep_tidy)
        refresh = made.emoji_map_watch.refresh
        console = Console(made.store, refresh, made.retraining_process, training_window, access, made.problem)
    return WebAdapter(
        made.service,
        host=settings.web_host,
        port=settings.web_port,
        secret=settings.cookie_secret(),
        has_chat=settings.web_chat,
        console=console,
        hosts=[*settings.allowed_hosts(), *_own_names(settings.telegram_webhook_url)],
        trusted_proxies=settings.web_trusted_proxies,
        operations=made.operations,
        has_figures=settings.ops_port is None,
        post_routes=post_routes,
        stop_after_s=settings.stop_after,
    )


def _own_names(url: str) -> list[str]:
    """Return the host that an address of the bot's own names, with its port; nothing for no address."""
    return [netloc] if (netloc := urlsplit(url).netloc) else []


def _emoji_map_check(factories: list[AdapterFactory]) -> Callable[[EmojiMap], None]:
    """Return the check that an emoji map must pass besides its own rules, at the start and after it was edited."""
    reactions = {factory.kind.name: factory.kind.allowed_reactions for factory in factories}

    def check(emoji_map: EmojiMap) -> None:
        emoji_map.require_reaction_sets(_REACTION_SETS)
        for platform, allowed in reactions.items():
            if allowed is not None:
                emoji_map.require_reactions(platform, allowed)

    return check
