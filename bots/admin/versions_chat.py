"""The versions of the model in a chat: a list, and the buttons that change which one is served."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from bots.admin import texts as admin_texts
from bots.admin.tokens import AdminAction, AdminToken
from bots.messages import Button, Reply, Tone
from db import Actor, Judgement, NotOfferedError, Person, Role, ShadowComparison, Store, Version, VersionError

_SHOWN = 5
"""Maximum number of versions on a page."""
_WITH_BUTTONS = 4
"""Number of them that get buttons: with one more row a message has the maximum number of rows."""


class VersionsChat:
    """Shows the versions and changes the served one. Raises `VersionError`; SQLAlchemy's errors are passed on."""

    def __init__(
        self,
        store: Store,
        problem: Callable[[], str] = lambda: "",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """problem: returns what is wrong with the bot, in sentences, empty if nothing is. clock: the current time with
        its zone.
        """
        self._store = store
        self._problem = problem
        self._clock = clock

    async def page(self, headline: str = "") -> Reply:
        """Return the newest versions. headline: says what has just been done."""
        versions = await self._store.versions.all()
        active = _holding(versions, Role.ACTIVE)
        if active is None:
            return Reply(admin_texts.NO_MODELS)
        shadow = _holding(versions, Role.SHADOW)
        shadow_comparison = None if shadow is None else await self._store.versions.shadow_comparison(shadow.name)
        shown = _shown(versions)
        lines = [self._line(version, shadow_comparison) for version in shown]
        if len(versions) > len(shown):
            lines.append(admin_texts.MORE_VERSIONS.format(count=len(versions) - len(shown)))
        back = await self._store.versions.way_back()
        last = (*_back(back, active), *((_end_shadow(),) if shadow is not None else ()))
        candidates = [version for version in shown if version is not active and version.is_kept]
        rows = (*(candidate_row(each, active) for each in candidates[:_WITH_BUTTONS]), *((last,) if last else ()))
        parts = (headline, self._problem(), "\n".join(lines))
        return Reply("\n\n".join(part for part in parts if part), rows=rows)

    async def way_back(self) -> Reply:
        """Return which version one can go back to, with the button that does it."""
        active = _holding(await self._store.versions.all(), Role.ACTIVE)
        if active is None:
            return Reply(admin_texts.NO_MODELS)
        back = await self._store.versions.way_back()
        if back is None:
            return Reply(admin_texts.NO_WAY_BACK.format(served=active.name))
        return Reply(admin_texts.WAY_BACK.format(served=active.name, back=back), rows=(_back(back, active),))

    async def promote(self, admin: Person, number: int, served: int) -> str:
        """Serve a version in place of the one that was served when the button was made; return the sentence to say."""
        version, before = await self._named(number), await self._named(served)
        return await self._promote(admin, version.name, before.name, "")

    async def promote_by_name(self, admin: Person, name: str, reason: str) -> str:
        """Serve a version in place of the one that is served now; return the sentence to say."""
        active = await self._store.versions.holding(Role.ACTIVE)
        return await self._promote(admin, name, active.name if active is not None else "", reason)

    async def roll_back(self, admin: Person, served: int) -> str:
        """Go back from the version that was served when the button was made; return the sentence to say."""
        before = await self._named(served)
        name = await self._store.versions.roll_back(instead_of=before.name, by=Actor.of(admin))
        return admin_texts.ROLLED_BACK.format(version=name)

    async def shadow(self, number: int) -> str:
        """Let a version run in shadow; return the sentence to say."""
        version = await self._named(number)
        await self._store.versions.set_shadow(version.name)
        return admin_texts.SHADOW_BEGUN.format(version=version.name)

    async def end_shadow(self) -> str:
        """Let no version run in shadow; return the sentence to say."""
        await self._store.versions.set_shadow(None)
        return admin_texts.SHADOW_ENDED

    async def _promote(self, admin: Person, name: str, before: str, reason: str) -> str:
        try:
            await self._store.versions.promote(name, instead_of=before, by=Actor.of(admin), reason=reason)
        except NotOfferedError as error:
            raise NotOfferedError(admin_texts.SAY_WHY.format(why=error, version=name)) from error
        said = admin_texts.PROMOTED.format(version=name, before=before)
        return f"{said} {admin_texts.REASON_KEPT}" if reason else said

    async def _named(self, number: int) -> Version:
        for version in await self._store.versions.all():
            if version.number == number:
                return version
        raise VersionError(admin_texts.VERSION_GONE)

    def _line(self, version: Version, shadow_comparison: ShadowComparison | None) -> str:
        facts = {
            "version": version.name,
            "age": _age(self._clock() - version.created_at),
            "origin": admin_texts.ORIGINS[version.origin],
            "judged": _judged(version),
        }
        if version.role is Role.ACTIVE:
            return admin_texts.SERVED.format(**facts)
        if version.role is Role.SHADOW and shadow_comparison is not None:
            return admin_texts.IN_SHADOW.format(**facts, agreement=_agreement(shadow_comparison))
        return (admin_texts.NOT_SERVED if version.is_kept else admin_texts.CLEARED_AWAY).format(**facts)


def candidate_row(version: Version, active: Version) -> tuple[Button, ...]:
    """Return the buttons of a version that is not served: to promote it if it is offered, and to run it in shadow."""
    promote = _button(admin_texts.PROMOTE, version, AdminToken(AdminAction.PROMOTE, version.number, active.number))
    shadow = _button(admin_texts.SHADOW, version, AdminToken(AdminAction.SHADOW, version.number))
    return (
        *((promote,) if version.is_offered_over(active.name) else ()),
        *((shadow,) if version.role is not Role.SHADOW else ()),
    )


def _button(label: str, version: Version, token: AdminToken) -> Button:
    said = label.format(version=version.name)
    return Button(said, said, str(token))


def _back(back: str | None, active: Version) -> tuple[Button, ...]:
    if back is None:
        return ()
    label = admin_texts.ROLL_BACK.format(version=back)
    return (Button(label, label, str(AdminToken(AdminAction.ROLL_BACK, active.number))),)


def _end_shadow() -> Button:
    return Button(admin_texts.END_SHADOW, admin_texts.END_SHADOW, str(AdminToken(AdminAction.END_SHADOW)), Tone.QUIET)


def _holding(versions: Sequence[Version], role: Role) -> Version | None:
    return next((version for version in versions if version.role is role), None)


def _shown(versions: Sequence[Version]) -> list[Version]:
    """Return the newest versions, the newest first, and in any case those that have a role."""
    others = [version for version in versions if version.role is None]
    held = len(versions) - len(others)
    kept = {version.number for version in others[: _SHOWN - held]}
    return [version for version in versions if version.role is not None or version.number in kept]


def _judged(version: Version) -> str:
    judgement = Judgement.of(version.metrics)
    if judgement is None:
        return ""
    return admin_texts.GAIN.format(
        gain=f"{judgement.gain:+.1f}",
        low=f"{judgement.low:+.1f}",
        high=f"{judgement.high:+.1f}",
        guard=f"{100 * (judgement.guard_candidate - judgement.guard_served):+.1f}",
        offer=admin_texts.IS_OFFERED if judgement.offered else admin_texts.IS_NOT_OFFERED,
    )


def _agreement(shadow_comparison: ShadowComparison) -> str:
    if not shadow_comparison.faces:
        return admin_texts.SHADOW_NEW
    share = f"{shadow_comparison.same / shadow_comparison.faces:.0%}"
    return admin_texts.SHADOW_AGREES.format(same=shadow_comparison.same, faces=shadow_comparison.faces, share=share)


def _age(passed: timedelta) -> str:
    """Return an age in the largest unit that fits."""
    minutes = max(0, int(passed.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
