# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What the API server answers to an eviction, told apart by what is to be done about it.

pkg/registry/core/pod/storage/eviction.go of Kubernetes 1.37: a budget refuses with 429, with 403 when its figures are
wrong, and with 500 when two of them cover the Pod.
"""

from __future__ import annotations

import dataclasses
import json
import typing as t
from dataclasses import dataclass
from urllib.parse import quote

from .._diagnosis.cluster import Pod
from . import refusal
from .connect import JSON, Api
from .convert import line
from .errors import KubeError, Silent
from .refusal import Question

# For the rights that it takes; the path of one Pod's is put in.
EVICT: t.Final = Question("create", "pods/eviction", "/api/v1/pods", role="recover")
# accepted: it will go; gone: it has; held: a budget says no; again: another try may do
Kind = t.Literal["accepted", "gone", "held", "again"]
BUDGET: t.Final = "DisruptionBudget"  # policy/v1: reason of a cause
TERMINATING: t.Final = "NamespaceTerminating"  # core/v1: the same
TWO_BUDGETS: t.Final = "more than one PodDisruptionBudget"
LATER: t.Final = frozenset({408, 409, 429})


@dataclass(frozen=True)
class Answer:
    """One answer, in one line where it is no success."""

    kind: Kind
    why: str = ""


def evict(api: Api, pod: Pod, grace: int | None) -> Answer:
    """Ask for the eviction of this very Pod, by its UID. Raises KubeError for what a person must mend."""
    namespace, name = quote(pod.namespace, safe=""), quote(pod.name, safe="")
    question = dataclasses.replace(EVICT, path=f"/api/v1/namespaces/{namespace}/pods/{name}/eviction")
    try:
        status, data = api.exchange("POST", question, body=request(pod, grace))
    except Silent as silence:
        return Answer("again", f"the API server does not answer: {silence}")
    answer = classify(status, _object(data))
    if answer is None:
        raise KubeError(str(refusal.answer(api.peer, question, status, data.decode("utf-8", "replace"))))
    return answer


def request(pod: Pod, grace: int | None) -> JSON:
    """The body: a namesake that came later has another UID, and is refused with 409."""
    options: JSON = {"preconditions": {"uid": pod.uid}}
    if grace is not None:
        options["gracePeriodSeconds"] = grace
    metadata = {"name": pod.name, "namespace": pod.namespace}
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata, "deleteOptions": options}


def classify(status: int, body: JSON) -> Answer | None:
    """What an answer means; None for a refusal that no waiting ends."""
    message = line(body.get("message")) or f"the API server answers {status}"
    causes = {cause.get("reason"): line(cause.get("message")) for cause in _causes(body)}
    if status in (200, 201):
        return Answer("accepted")
    if status == 404:
        return Answer("gone")
    if BUDGET in causes or (status == 500 and TWO_BUDGETS in message):
        return Answer("held", causes.get(BUDGET) or message)
    if TERMINATING in causes:
        return Answer("again", "its namespace is being deleted, and with it the Pod")
    return Answer("again", message) if status >= 500 or status in LATER else None


def _causes(body: JSON) -> list[JSON]:
    details = body.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    return [cause for cause in causes or () if isinstance(cause, dict)]


def _object(data: bytes) -> JSON:
    try:
        body = json.loads(data)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
