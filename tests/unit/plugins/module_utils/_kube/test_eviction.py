# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers to an eviction, as Kubernetes 1.37 words them, and what is done about each."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._kube.convert_pods import pod as converted
from ansible_collections.outward.kubelet.plugins.module_utils._kube.eviction import classify, request
from tests.unit.small_cluster import held, pod

NEGATIVE = "The disruption budget web does not allow evicting pods currently: pdb disruptions allowed is negative"
TWO = {"message": "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."}


def caused(reason: str, message: str) -> dict[str, t.Any]:
    return {"message": "forbidden", "details": {"causes": [{"reason": reason, "message": message}]}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (201, {"status": "Success"}, "accepted", ""),
        (404, {}, "gone", ""),
        (*held(), "held", "needs 1 healthy pods and has 1 currently"),
        (403, caused("DisruptionBudget", NEGATIVE), "held", "is negative"),
        (500, TWO, "held", "more than one PodDisruptionBudget"),
        (403, caused("NamespaceTerminating", "being terminated"), "again", "its namespace is being deleted"),
        (429, {"message": "the server is too busy"}, "again", "too busy"),
        (409, {"message": "the UID in the precondition does not match"}, "again", "the UID"),
        (500, {"message": "failed calling webhook"}, "again", "webhook"),
        (504, {"details": {"causes": "damaged"}}, "again", "answers 504"),
        (503, {"details": None}, "again", "answers 503"),
    ],
)
def test_answers(status: int, body: t.Any, kind: str, words: str) -> None:
    answer = classify(status, body)
    assert answer is not None
    assert answer.kind == kind
    assert words in answer.why


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_what_no_waiting_ends(status: int) -> None:
    assert classify(status, caused("SomethingElse", "no")) is None


def test_the_request_is_for_this_very_pod() -> None:
    body = request(converted(pod("web-1")), 0)
    assert (body["apiVersion"], body["metadata"]) == ("policy/v1", {"name": "web-1", "namespace": "default"})
    assert body["deleteOptions"] == {"preconditions": {"uid": "uid-web-1"}, "gracePeriodSeconds": 0}
    assert "gracePeriodSeconds" not in request(converted(pod("web-1")), None)["deleteOptions"]
