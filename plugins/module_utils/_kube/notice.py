# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Telling the cluster what was done to a node: an annotation of the Node, and an event about it."""

from __future__ import annotations

import secrets
import typing as t
from datetime import datetime, timezone
from functools import partial

from .._diagnosis.notice import Notice
from .connect import JSON, Api
from .cordon import PATCH
from .errors import Conflict, KubeError, NotThere, Silent
from .refusal import Question

LAST_ACTION: t.Final = "outward.kubelet/last-action"
CONTROLLER: t.Final = "outward.kubelet"
NAMESPACE: t.Final = "default"  # of events about what has no namespace (validation of events.k8s.io/v1)
EVENT: t.Final = Question(
    "create", "events.events.k8s.io", f"/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events", NAMESPACE, role="recover"
)
MOST: t.Final = 1024  # characters of a note, of which the API allows 1 kB (bytes)
INSTANCE: t.Final = 128  # characters of reportingInstance


def tell(api: Api, node: JSON, notices: t.Sequence[Notice], instance: str) -> list[str]:
    """What could not be told, one line each. *node*: ``name`` and ``uid`` of the Node; *instance*: our controller."""
    problems: list[str] = []
    for notice in notices:
        if notice.annotation:
            change = {"metadata": {"annotations": {LAST_ACTION: notice.annotation}}}
            problems += _tried("the Node's annotation", partial(api.patch, PATCH, node["name"], change))
        body = event(node, notice, api.now or datetime.now(timezone.utc), instance)
        problems += _tried("an event", partial(api.create, EVENT, body))
    return list(dict.fromkeys(problems))


def event(node: JSON, notice: Notice, now: datetime, instance: str) -> JSON:
    """As `kubectl describe node` finds it: about the Node of this uid."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{node['name']}.{secrets.token_hex(8)}", "namespace": NAMESPACE},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:INSTANCE],
        "action": notice.action,
        "reason": notice.reason,
        "regarding": {"apiVersion": "v1", "kind": "Node", "name": node["name"], "uid": node["uid"]},
        "note": notice.note.encode("ascii", "replace").decode("ascii")[:MOST],
        "type": notice.kind,
    }


def _tried(what: str, write: t.Callable[[], JSON]) -> list[str]:
    """A cluster that cannot be written to does not undo what was done."""
    try:
        write()
    except (KubeError, Silent, NotThere, Conflict) as error:
        return [f"the cluster could not be told by {what}: {error}"]
    return []
