# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token that is lent, and what becomes of it when another run is at the same node."""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._kube.bootstrap import SECRETS, token_id
from ansible_collections.outward.kubelet.plugins.module_utils._kube.errors import KubeError, Silent
from ansible_collections.outward.kubelet.plugins.module_utils._kube.options import Access
from ansible_collections.outward.kubelet.plugins.module_utils._kube.renewal import lent
from tests.unit.api_server import FakeApi, serving

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
SECRET = f"{SECRETS}/bootstrap-token-{token_id('pi-04')}"
TAKEN: t.Any = {"kind": "Status", "message": "already exists"}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with serving() as found:
        found.answers[REVIEWS] = lambda body: (201, {**body, "status": {"allowed": True}})
        yield found


def test_it_is_there_meanwhile_and_gone_afterwards(api: FakeApi) -> None:
    problems: list[str] = []
    with lent(Access(host=api.url, api_key="x"), "pi-04", 60, problems) as token:
        data = api.written[SECRET]["stringData"]
        assert token.bearer == f"{data['token-id']}.{data['token-secret']}"
    assert (api.written, problems) == ({}, [])


def test_one_that_a_later_run_has_made_stays(api: FakeApi) -> None:
    """A run whose ansible-playbook was killed alone comes to its end while the next one joins (tests.join, v1.37.2)."""
    problems: list[str] = []
    access = Access(host=api.url, api_key="x")
    with lent(access, "pi-04", 60, problems) as theirs:
        with lent(access, "pi-04", 60, problems):
            api.written[SECRET]["metadata"]["uid"] = "of a later run"
        assert api.written[SECRET]["metadata"]["uid"] == "of a later run"
        assert theirs.uid
    assert problems == []


def test_another_run_that_makes_one_at_this_moment_keeps_it(api: FakeApi) -> None:
    deleted: list[str] = []

    def taken(method: str, path: str, body: t.Any) -> tuple[int, t.Any]:
        deleted.extend([path] if method == "DELETE" else [])
        return (404, {"kind": "Status"}) if method == "DELETE" else (409, TAKEN)

    api.react = taken
    problems: list[str] = []
    with (
        pytest.raises(KubeError, match="another run makes a token for pi-04 at this moment"),
        lent(Access(host=api.url, api_key="x"), "pi-04", 60, problems),
    ):
        pytest.fail("there is no token")
    assert (deleted, problems) == ([SECRET], [])  # what was left before; nothing after


def test_one_whose_making_was_not_answered_is_deleted(api: FakeApi) -> None:
    def made(body: t.Any) -> tuple[int, t.Any]:
        api.written[SECRET] = body
        return 503, {"kind": "Status"}

    api.answers[SECRETS] = made
    problems: list[str] = []
    with pytest.raises(Silent, match="503"), lent(Access(host=api.url, api_key="x"), "pi-04", 60, problems):
        pytest.fail("there is no token")
    assert (api.written, problems) == ({}, [])
