"""An idle or outdated host goes: it asks the newest, drains, waits until everybody knows, moves its tasks, leaves."""

from __future__ import annotations

from supervisor.cluster.moving import hand_over_guarding, move_all
from supervisor.cluster.rollout import NOT_OUTDATED, is_outdated, wanted_image, why_not_update
from supervisor.cluster.shared import Shared
from supervisor.cluster.shutdown import granters, is_granted, is_rested, why_stay, why_wait
from supervisor.cluster.values import Departure, HostState, Member

MOVING_S = 90.0


class GoingHome:
    """The decision and the way of one host. Loop thread."""

    def __init__(self, shared: Shared, stays_s: float = 0.0) -> None:
        """`stays_s`: it does not go for so long."""
        self._shared = shared
        self._not_before = shared.now + stays_s
        self.is_gone = False
        self.is_held = False  # an operator drains the host: whether and when it is up again is not for this one to say

    async def look(self) -> None:
        """Goes if it is time to. Every five seconds with jitter; returns when the host is gone, or up again."""
        shared = self._shared
        if shared.state is not HostState.UP or shared.now < self._not_before:
            return
        departure = self._reason()
        if departure is None or self._why_not(departure) is not None:
            return
        if await self._is_granted():
            if not shared.rules.goes_home:
                shared.notice("would-leave", {"departure": departure})
                self._not_before = shared.now + shared.rules.idle_s
                return
            try:
                await shared.say(HostState.DRAINING)
                if await self._go(departure):
                    return
            except Exception:
                await self._stay()
                raise
            await self._stay()
        else:
            self._back_off()

    async def _stay(self) -> None:
        """It did not go: it takes part as before, for a while."""
        self._back_off()
        if not self.is_held:
            await self._shared.say(HostState.UP)

    def _back_off(self) -> None:
        shared = self._shared
        self._not_before = shared.now + shared.rules.back_off_s * shared.chance.uniform(0.5, 1.5)

    def _me(self) -> Member | None:
        return self._shared.view.get(self._shared.me)

    def _reason(self) -> Departure | None:
        shared, me = self._shared, self._me()
        if me is None:
            return None
        if why_not_update(shared.view, me, shared.now, shared.rules, shared.missed) is None:
            return Departure.UPDATE
        idle_since = shared.local.idle_since()
        up_s = shared.now - shared.started
        is_idle = idle_since is not None and is_rested(shared.view, me, shared.now - idle_since, up_s, shared.rules)
        return Departure.IDLE if is_idle else None

    def _why_not(self, departure: Departure) -> str | None:
        shared, me = self._shared, self._me()
        if me is None:
            return "it does not see itself"
        if departure is Departure.UPDATE and not is_outdated(shared.view, me, shared.now, shared.missed):
            return NOT_OUTDATED
        rule = why_wait if departure is Departure.UPDATE else why_stay
        if departure is Departure.IDLE and shared.local.idle_since() is None:
            return "it has work"
        return rule(shared.view, me, shared.rules)

    def _why_still(self) -> str | None:
        """Why a host that has handed over all that it had stays all the same."""
        shared = self._shared
        if self.is_held or shared.state is not HostState.DRAINING:
            return "an operator stops it, or has it take part"
        came = len(shared.ledger.labels_of(shared.me)) + len(shared.boots)
        return f"{came} tasks came meanwhile" if came else None

    async def _go(self, departure: Departure) -> bool:
        """Whether it went."""
        shared = self._shared
        await shared.scheduler.sleep(2 * shared.rules.propagation_s)
        if self._why_not(departure) is not None or not await self._is_granted():
            return False
        stayed = await move_all(shared, shared.now + MOVING_S)
        if stayed:
            shared.notice("stays", {"why": f"{len(stayed)} tasks found no other host"})
            return False
        needed = await hand_over_guarding(shared)
        if needed:
            shared.notice("stays", {"why": f"{len(needed)} strict tasks found no other guardian"})
            return False
        image = wanted_image(shared.view) if departure is Departure.UPDATE else ""
        why = await self._why_not_noted(image) or self._why_not(departure) or self._why_still()
        if why is not None:  # much may have happened meanwhile
            await self._forget_update(image)
            shared.notice("stays", {"why": why})
            return False
        self.is_gone = True
        shared.notice("leaves", {"departure": departure})
        try:
            await shared.local.leave()
            await shared.local.power_off(departure)
        except Exception as problem:  # noqa: BLE001 - a host that is on, and no part of the cluster, is lost
            shared.notice("still-on", {"problem": str(problem) or repr(problem)})
            await self._forget_update(image)
            shared.local.come_back(shared.rules.still_on_s)
        return True

    async def _why_not_noted(self, image: str) -> str | None:
        """A host that would not know afterwards that it went for an image would go for it again and again."""
        try:
            if image:
                await self._shared.local.note_update(image)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the host stays
            return f"it cannot keep that it goes for image {image}: {str(problem) or repr(problem)}"
        return None

    async def _forget_update(self, image: str) -> None:
        """It did not start again, so it does not know whether it would get the image."""
        try:
            if image:
                await self._shared.local.forget_update(image)
        except Exception as problem:  # noqa: BLE001 - it goes for it a day later then
            self._shared.notice("defect", {"error": repr(problem)})

    async def _is_granted(self) -> bool:
        shared = self._shared
        asked = granters(shared.view, shared.me)
        answers = await shared.ask([member.id for member in asked], self._ask)
        return is_granted(sum(answers.values()), len(asked))

    async def _ask(self, member: Member) -> bool:
        return await self._shared.peers.grant(member, self._shared.me)
