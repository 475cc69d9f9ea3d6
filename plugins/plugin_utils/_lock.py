# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this plugin util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""A lock as one task hands it to the next: a plain dictionary without a secret."""

from __future__ import annotations

import contextlib
import os
import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleActionFail

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.lock import Holder, Slot, holder
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signs import instant
from ansible_collections.outward.kubelet.plugins.module_utils._kube.lock import Held, Keeper
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import AUTH_SPEC, Access

Lock = Mapping[str, t.Any]
TOKEN: t.Final = "K8S_AUTH_API_KEY"


class Keeping(t.Protocol):
    """Whether the lock was lost, and why."""

    lost: str | None


class Unlocked:
    """What is done without a lock has none to lose."""

    lost: str | None = None


def described(held: Held, options: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What the tasks to come need in order to keep it, and a report to tell of it."""
    slot = held.slot
    return {
        "slot": slot.name,
        "holder": str(slot.holder),
        "acquired": instant(slot.acquired) if slot.acquired else None,
        "waited": round(held.waited, 1),
        "took_over": _former(held.over, slot.holder),
        "access": {name: options[name] for name in AUTH_SPEC if name != "api_key" and options.get(name) is not None},
    }


def _former(over: Slot | None, me: Holder | None) -> str | None:
    """In words from whom it was taken over; None: it was free."""
    if over is None or over.holder in (None, me):
        return None
    left = f", which left {over.holder.node} behind: {over.handed_over}" if over.handed_over else ""
    return f"{over.holder.words}{left}" if left else f"{over.holder.words}, which had {over.holder.node} in hand"


def refuse_token(options: Mapping[str, t.Any]) -> None:
    """A token is never registered, so the tasks that keep the lock must find it where all of them look."""
    if options.get("api_key") and options["api_key"] != os.environ.get(TOKEN):
        raise AnsibleActionFail(f"the lock is kept by later tasks too: set {TOKEN} instead of the option api_key")


def access(lock: Lock) -> Access:
    """How the API server is reached that has the lock."""
    return Access.of({**lock["access"], "api_key": os.environ.get(TOKEN)})


def me(lock: Lock) -> Holder:
    """Whose it is."""
    return holder(lock["holder"])


def keeping(lock: Lock | None) -> contextlib.AbstractContextManager[Keeping]:
    """Renews *lock* within a ``with`` block; without one there is nothing to renew."""
    return Keeper(access(lock), lock["slot"], me(lock)) if lock else contextlib.nullcontext(Unlocked())
