# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take a node in hand, and ask all guards again; or let go of it."""

from __future__ import annotations

import dataclasses
import time
import typing as t
from datetime import UTC, datetime

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis import lock as slots
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.conclude import Look, conclude
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.incident import OWN_PLAN, refuse
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.saved import look_of
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signs import instant
from ansible_collections.outward.kubelet.plugins.module_utils._kube.connect import connect
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.lock import (
    Held,
    Lost,
    acquire,
    clear,
    hand_over,
    release,
    settles_in,
)
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access
from ansible_collections.outward.kubelet.plugins.plugin_utils._cluster import evidence_now
from ansible_collections.outward.kubelet.plugins.plugin_utils._holder import gone, this_run
from ansible_collections.outward.kubelet.plugins.plugin_utils._lock import access, described, me, refuse_token
from ansible_collections.outward.kubelet.plugins.plugin_utils._options import Spec, arguments
from ansible_collections.outward.kubelet.plugins.plugin_utils._policy import POLICY, policy
from ansible_collections.outward.kubelet.plugins.plugin_utils._remote import observe

ARGUMENTS: t.Final[Spec] = {
    **AUTH_SPEC,
    **POLICY,
    "state": {"type": "str", "choices": ["held", "released"], "default": "held"},
    "diagnosis": {"type": "dict"},
    "timeout": {"type": "int", "default": 600},
    "lock": {"type": "dict"},
    "acted": {"type": "list", "elements": "dict", "default": []},
    "proof": {"type": "dict"},
}
# Seconds. An ordinary run takes the lock some seconds after its look; after longer (a starved node or controller) another
# run may have come and gone meanwhile.
OLD: t.Final = 30


class ActionModule(ActionBase):
    """Runs on the controller; looks at the node again only when its look is old."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return ``lock``, and for ``held`` the diagnosis as it is now, or with its steps refused."""
        super().run(tmp, task_vars)
        options = arguments(self, ARGUMENTS)
        if options["state"] == "released":
            return released(options)
        if not options["diagnosis"]:
            raise AnsibleActionFail("state held needs diagnosis: what node_diagnosis returned")
        return self._held(options, task_vars or {})

    def _held(self, options: dict[str, t.Any], variables: dict[str, t.Any]) -> dict[str, t.Any]:
        known = {name: options["diagnosis"][name] for name in ("incident", "permitted", "repairs", "fingerprint")}
        if self._task.check_mode:
            return {"changed": False, **known, "lock": None}
        me = this_run(variables, known["incident"]["node"])
        if not known["permitted"]:
            known = self._settled(options, known, me, variables)
        if not known["permitted"]:
            return {"changed": False, **known, "incident": tidied(options, known["incident"], me), "lock": None}
        refuse_token(options)
        held = self._acquire(options, me)
        if isinstance(held, str):
            return {
                "changed": False,
                **known,
                "incident": refuse(known["incident"], held),
                "permitted": {},
                "repairs": [],
                "lock": None,
            }
        lock = described(held, options)
        # What speaks against such a plan is asked on the node, by the process that acts.
        if known["incident"]["mode"] in OWN_PLAN:
            return {"changed": True, **known, "lock": lock}
        try:
            fresh = self._afresh(options, known["incident"], held, variables)
        except AnsibleError:
            _let_go(lock, None)
            raise
        return {"changed": True, **fresh, "lock": lock}

    def _acquire(self, options: dict[str, t.Any], holder: slots.Holder) -> Held | str:
        """The slot, or why there is none."""
        patience = options["timeout"]
        try:
            found = acquire(
                Access.of(options),
                claim(options, holder),
                patience,
                lambda slot: self._display.display(slots.waiting(slot, holder, patience)),
            )
        except Silent as silence:
            return f"no lock: the API server does not answer the controller: {silence}"
        except KubeError as error:
            raise AnsibleActionFail(str(error)) from error
        return found if isinstance(found, Held) else slots.refused(found.slot, patience)

    def _afresh(
        self, options: dict[str, t.Any], incident: dict[str, t.Any], held: Held, variables: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        """All guards asked again of the fleet as it is now that nobody else may change it, and of the node if we knew it long ago."""
        look = look_of(incident)
        if held.waited > slots.RENEWAL or age(look) > OLD:
            look = self._observed(look, variables)
        return concluded(options, incident, look, locked=True)

    def _settled(
        self, options: dict[str, t.Any], known: dict[str, t.Any], me: slots.Holder, variables: dict[str, t.Any]
    ) -> dict[str, t.Any]:
        """*known*; or for a node that looks well, what is known when that which a killed run did has had its time to show."""
        incident = known["incident"]
        rest = unsettled(options, me) if works(incident) else 0.0
        if not rest:
            return known
        time.sleep(rest)
        found = concluded(options, incident, self._observed(look_of(incident), variables), locked=False)
        if incident["mode"] not in OWN_PLAN:
            return found
        if not works(found["incident"]):  # and what is to be done now only the task before this one can judge
            raise AnsibleActionFail(
                f"{incident['node']} looked well until a run that was killed came to its end: run this again"
            )
        return known

    def _observed(self, look: Look, variables: dict[str, t.Any]) -> Look:
        return dataclasses.replace(look, node=observe(self, vars(look.node)["profile"].name, variables))


def concluded(options: dict[str, t.Any], incident: dict[str, t.Any], look: Look, locked: bool) -> dict[str, t.Any]:
    """What follows from *look*, with the cluster as it is now; what *incident* explains and notes is kept."""
    cluster = evidence_now(options, look.name)
    now = dataclasses.replace(look, mode=incident["mode"], cluster=cluster)
    found = conclude(now, policy(options, locked=locked))
    told = {name: incident[name] for name in ("explanations", "notes") if name in incident}
    return {**found, "incident": {**found["incident"], **told}}


def claim(options: dict[str, t.Any], me: slots.Holder) -> slots.Claim:
    """What this run asks of the lock."""
    return slots.Claim(me, options["max_unavailable"], gone)


def age(look: Look) -> float:
    """Seconds since it began, by the clock of this machine, which also began it."""
    return (datetime.now(UTC) - look.started).total_seconds()


def works(incident: dict[str, t.Any]) -> bool:
    """Nothing is wrong with the node, as far as *incident* knows."""
    return bool(incident["diagnosis"]["status"] == "healthy")


def unsettled(options: dict[str, t.Any], me: slots.Holder) -> float:
    """Seconds; 0 also when nobody can tell: an API server that does not answer is told elsewhere."""
    try:
        return settles_in(Access.of(options), claim(options, me))
    except (Silent, KubeError):
        return 0.0


def tidied(options: dict[str, t.Any], incident: dict[str, t.Any], me: slots.Holder) -> dict[str, t.Any]:
    """*incident* with a note about each lock of this node that an interrupted run has left, and that is freed now.

    An API server that does not answer, or a right that is missing, is told elsewhere, and such a lock expires anyway.
    """
    try:
        freed = clear(Access.of(options), claim(options, me), works(incident))
    except (Silent, KubeError):
        return incident
    notes = [slots.cleared(slot) for slot in freed]
    return {**incident, "notes": [*incident.get("notes", ()), *notes]} if notes else incident


def released(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Let go of ``lock``: at once when nothing was done or what was done is proven, else by its expiry. Never fails."""
    lock = options["lock"]
    if not lock:
        return {"changed": False, "skipped": True, "lock": None, "msg": "there is no lock to release"}
    if "ended" in lock:  # by a task before one that failed
        return {"changed": False, "skipped": True, "lock": lock, "msg": "it was let go of already"}
    proven = bool((options["proof"] or {}).get("proven"))
    ended = _let_go(lock, slots.handing_over(options["acted"], proven))
    return {"changed": True, "lock": {**{name: lock[name] for name in lock if name != "access"}, "ended": ended}}


def _let_go(lock: dict[str, t.Any], reason: str | None) -> str:
    """How it ended, in words."""
    try:
        with connect(access(lock)) as api:
            if reason is None:
                release(api, lock["slot"], me(lock))
                return "released"
            until = hand_over(api, lock["slot"], me(lock), reason).until
    except Lost as lost:
        return f"lost: {lost}"
    except (Silent, KubeError) as problem:
        return f"left to expire within {slots.DURATION} s: {problem}"
    return f"handed over: {reason}; other runs stay away until {instant(until) if until else '-'}"
