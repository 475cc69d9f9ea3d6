# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""One repair on this node: look, ask the cause's own rule, prepare, write down, change, prove, or take it back."""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..._diagnosis import change as kinds
from ..._diagnosis import signs
from ..._diagnosis.change import Change
from ..._diagnosis.cluster import SCHEMA, ClusterEvidence
from ..._diagnosis.evidence import Undecided, amended, unknown
from ..._diagnosis.gate import upkeep
from ..._diagnosis.ledger import Order
from ..._diagnosis.node import Journal, Kubelet, NodeEvidence, Runtime
from ..._diagnosis.registry import CAUSES, judge
from ..._diagnosis.repair import Repair
from ..errors import EXPECTED, words
from ..observe import IDENTITY, SHOWING
from ..ordered import Ordered
from ..probes.cri import Refused
from ..task import Action, Checks, Outcome, Request
from . import certificates, cni, files, firewall, kubeconfig, kubelet, runtime, space, system
from .tools import NotPossible, Op, Tools

S = t.TypeVar("S", Kubelet, Runtime)
ALWAYS: t.Final = frozenset({IDENTITY, "processes"})  # of every repair: whether somebody is at work on the node
# Between two looks at all of the node, seconds: one costs it two to three.
PAUSE: t.Final = 2.0
# Between two looks at what the repair asks, and between two questions whether a kubelet that starts answers, seconds; and
# how long that is waited for without a look: on a small node it needs the processors itself, and a look that comes too
# early has to be made again.
PROMPT: t.Final = 0.5
STARTING: t.Final = 15.0
TROUBLE: t.Final = (*EXPECTED, Refused)
STATE: t.Final = 500  # characters
DOUBT: t.Final = "cannot tell: "
MAKERS: t.Final[dict[type, t.Callable[..., Iterator[Op]]]] = {
    kinds.Aside: files.aside,
    kinds.Content: files.content,
    kinds.Lines: files.lines,
    kinds.Reservations: cni.reservations,
    kinds.Unit: system.unit,
    kinds.Disabled: system.disabled,
    kinds.Sysctl: system.sysctl,
    kinds.Module: system.module,
    kinds.SwapOff: system.swap_off,
    kinds.Hostname: system.hostname,
    kinds.KubeletConfig: kubelet.rebuilt,
    kinds.ClientCa: certificates.client_ca,
    kinds.ClientCertificate: certificates.relinked,
    kinds.ApiServer: kubeconfig.api_server,
    kinds.NodeKubeconfig: kubeconfig.made_anew,
    kinds.Resolver: kubelet.resolver,
    kinds.PauseImage: runtime.pause_image,
    kinds.GoodCopy: runtime.good_copy,
    kinds.Orphan: files.orphan,
    kinds.Remembered: cni.remembered,
    kinds.Plugin: cni.plugin,
    kinds.Mounted: system.mounted,
    kinds.Leftover: kubelet.leftover,
    kinds.Addresses: cni.addresses,
    kinds.Mtu: system.mtu,
    kinds.ServiceChains: firewall.service_chains,
    kinds.Space: space.space,
}


class Trialling(t.Protocol):
    """What a repair needs of the node besides :class:`~..task.Host`."""

    def trial(self) -> t.Optional[str]:
        """None: a Pod sandbox was made and removed again; else why not."""


@dataclass(frozen=True)
class Repaired(Outcome):
    """What came of a repair, besides what comes of any action."""

    ops: tuple[Op, ...] = ()  # what is or would be changed
    said: tuple[str, ...] = ()  # what came of it, as far as that could not be known before
    undone: tuple[str, ...] = ()  # what was taken back, and what could not be
    owners: tuple[str, ...] = ()  # the Pods that stand in the way of what was refused


@dataclass(frozen=True)
class Repairing(Ordered):
    """One repair, once, on this host."""

    repair: Repair
    host: t.Any  # a task.Host that is Trialling
    tools: Tools
    request: Request
    undoing: list[Op] = field(default_factory=list)  # what has been done so far, in this order

    def carry_out(self) -> Repaired:
        """Refuse in words, or change, prove, and take back what was not proven."""
        evidence, refusals = self._look()
        seen = Repaired("refused", evidence)
        ops: tuple[Op, ...] = ()
        owners: tuple[str, ...] = ()
        if not refusals:
            try:
                ops = prepared(self.repair.changes(evidence), self.tools)
                refusals = () if ops else ("there is nothing to change: it is as it should be already",)
            except NotPossible as why:
                refusals, owners = (str(why),), why.owners
            except Undecided as why:
                refusals = (str(why),)
            except TROUBLE as error:
                refusals = (f"cannot tell what there is to change: {words(error)}",)
        wanted, state = self.request, " | ".join(op.words for op in ops)[:STATE]
        order = Order(self.repair.step, wanted.cause, wanted.fingerprint, wanted.holder, wanted.reason, state)
        return t.cast(Repaired, self.ordered(order, replace(seen, refusals=refusals, ops=ops, owners=owners)))

    def _look(self) -> tuple[NodeEvidence, tuple[str, ...]]:
        """A busy node can miss a deadline, and a rule can want to know more: when doubt is all that refuses, all is asked."""
        evidence = self.host.observe(ALWAYS | self.repair.asks)
        refusals = tuple(self._refusals(evidence))
        if refusals and all(refusal.startswith(DOUBT) for refusal in refusals):
            evidence = self.host.observe()
            refusals = tuple(self._refusals(evidence))
        return evidence, refusals

    def _refusals(self, node: NodeEvidence) -> Iterator[str]:
        """The gate: the cause is still there by its own rule, nobody works on the node, and nothing speaks against it."""
        try:
            if not self._fires(node):
                yield f"{self.request.cause} is not there any more: its rule does not hold on fresh evidence"
            yield from upkeep(node)
            yield from self.repair.refuse(node)
        except Undecided as doubt:
            yield f"{DOUBT}{doubt}"

    def _fires(self, node: NodeEvidence) -> bool:
        """By the sign of it on the node, or by its rule; raises Undecided."""
        if self.repair.sign:
            return any(True for dummy in self.repair.sign(node))
        verdict = judge(CAUSES[self.request.cause], node, unseen(node))
        if verdict.undecided:
            raise Undecided(verdict.undecided)
        return bool(verdict.evidence)

    def attempt(self, order: Order, seen: Outcome) -> Outcome:
        """All of it, or as little as before."""
        before = t.cast(Repaired, seen)
        started, pods = self.host.wall(), self.host.pods()
        begun = self.host.now().monotonic
        said, problem = self._change(before.ops)
        changed = self.host.now().monotonic
        if problem is None:
            evidence, checks, more = self._prove(before.evidence, changed, begun + self.request.timeout, pods)
            said += more
        else:
            evidence, checks = self.host.observe(), {}
        good = problem is None and all(checks.values())
        undone = () if good else tuple(self._take_back(broken=problem is not None))
        missing = ", ".join(name for name, ok in checks.items() if not ok)
        result = "done" if good else "failed"
        return replace(
            before,
            result=result,
            evidence=evidence,
            action=Action(
                order.step, order.cause, "repair", started, self.host.wall(changed), self.host.wall(), result
            ),
            checks=checks,
            said=said,
            undone=undone,
            detail="" if good else "; ".join([problem or f"not shown: {missing}", *undone]),
        )

    def _change(self, ops: Sequence[Op]) -> tuple[tuple[str, ...], t.Optional[str]]:
        """What was said of it, and why it went no further."""
        said: list[str] = []
        for op in ops:
            # Before: half of it may be done when it fails.
            self.undoing.append(op)
            try:
                told = op.do()
            except TROUBLE as error:
                return tuple(said), f"{op.words}: {words(error)}"
            said += [told] if told else []
        return tuple(said), None

    def _take_back(self, *, broken: bool) -> Iterator[str]:
        """In the order in which it was done: what reads a file comes after it, both times.

        *broken*: the last of it failed. Perhaps nothing of that was done, so there need not be anything to take back.
        """
        for number, op in enumerate(self.undoing, 1):
            last = broken and number == len(self.undoing)
            if op.undo is None:
                yield f"cannot be taken back ({op.words}){', as far as it was done' if last else ''}"
                continue
            try:
                stays = op.undo()
            except TROUBLE as error:
                if not last:
                    yield f"could not take back ({op.words}): {words(error)}"
            else:
                yield f"taken back in part ({op.words}): {stays}" if stays else f"taken back: {op.words}"

    def _prove(
        self, seen: NodeEvidence, since: float, until: float, pods: frozenset[str]
    ) -> tuple[NodeEvidence, Checks, tuple[str, ...]]:
        """Look until all is shown, or at all of it when the time is over; and what was said of a kubelet that had crashed."""
        evicted: frozenset[str] = frozenset()
        said: tuple[str, ...] = ()
        looped = loops(seen)
        asked: t.Optional[frozenset[str]] = ALWAYS | SHOWING | self.repair.asks
        while True:
            if looped:
                said = self._come_up(seen.profile.unit, said, since, until)
            evidence = self.host.observe(asked)
            evicted |= self._evicted(evidence)
            checks: Checks = {"repair_holds": None, "pods_kept": pods - evicted <= self.host.pods()}
            with contextlib.suppress(Undecided):
                evidence = said_since(evidence, since) if self.repair.trial else evidence
                checks["repair_holds"] = not self._fires(evidence) and self.repair.shows(evidence)
            if self.repair.trial and all(checks.values()):
                checks["sandbox_made"] = self.host.trial() is None
            if all(checks.values()):
                return evidence, checks, said
            if self.host.now().monotonic >= until:
                return (self.host.observe() if asked else evidence), checks, said
            # Only the whole node may be able to tell, or to say of a Pod that is gone that the kubelet evicted it.
            asked = asked if checks["repair_holds"] is not None and checks["pods_kept"] else None
            self.host.sleep(PROMPT if asked else PAUSE)

    def _come_up(self, unit: str, said: tuple[str, ...], since: float, until: float) -> tuple[str, ...]:
        """Until a kubelet that had crashed answers, or that takes too long; *said*: with what was said of its next turn."""
        until = min(until, self.host.now().monotonic + STARTING)
        while True:
            said = said or self._next_turn(unit)  # once: if it ends again, it found something else
            if self._answers():
                return said or self._count_anew(unit, since)  # once as well: a crash after that counts
            if self.host.now().monotonic >= until:
                return said
            self.host.sleep(PROMPT)

    def _count_anew(self, name: str, since: float) -> tuple[str, ...]:
        """Of a kubelet that systemd itself started on what was changed the crashes before are over.

        A process from before the change keeps its count, and with it the doubt; so does one of which nobody can tell.
        """
        with contextlib.suppress(Undecided, *TROUBLE):
            unit = self.host.unit(name)
            if unit.restarts and unit.started is not None and unit.started > since:
                system.forget_restarts(self.tools, name)
                return (f"{name} was started by systemd meanwhile: its count of restarts begins anew",)
        return ()

    def _answers(self) -> bool:
        with contextlib.suppress(Undecided):
            return bool(self.host.healthz().outcome == "ok")
        return False

    def _next_turn(self, unit: str) -> tuple[str, ...]:
        """systemd would give it by itself, RestartSec (kubeadm's unit: 10 s) after the last end."""
        try:
            why = system.next_turn(self.tools, unit)
        except TROUBLE as error:
            return (f"could not start {unit} at once: {words(error)}",)
        return (f"{unit} was started at once: {why}",) if why else ()

    def _evicted(self, node: NodeEvidence) -> frozenset[str]:
        """By the kubelet itself, for the very cause; what it says of another cause's repair is no excuse."""
        with contextlib.suppress(Undecided):
            if gone := signs.evicted(node):
                from ..._diagnosis.diagnose import evicts

                return gone if evicts(self.request.cause) else frozenset()
        return frozenset()


def prepared(changes: Sequence[Change], tools: Tools) -> tuple[Op, ...]:
    """What is to be done for *changes*, as the node is now; raises :class:`NotPossible` when one of them cannot be."""
    return tuple(op for change in changes for op in MAKERS[type(change)](change, tools))


def said_since(node: NodeEvidence, since: float) -> NodeEvidence:
    """Without what journals had to say until *since* (seconds since boot)."""
    return amended(node, kubelet=_newer(node.kubelet, since), runtime=_newer(node.runtime, since))


def _newer(section: S, since: float) -> S:
    journal = vars(section)["journal"]
    if not isinstance(journal, Journal):  # unknown, and it may well be that nobody asks it
        return section
    return amended(section, journal=amended(journal, lines=tuple(line for line in journal.lines if line.last > since)))


def loops(node: NodeEvidence) -> bool:
    """The kubelet crashes, and systemd starts it again and again and has not given up."""
    with contextlib.suppress(Undecided):
        return signs.crash_looping(node) and node.kubelet.unit.active_state != "failed"
    return False


def unseen(node: NodeEvidence) -> ClusterEvidence:
    """The cluster as the node sees it, which is not at all: a rule that asks it cannot tell."""
    gone = unknown("the node does not ask the API server for it")
    return ClusterEvidence(SCHEMA, node.observed, gone, gone, gone, gone)
