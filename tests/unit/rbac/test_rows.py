# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a row about a right is judged, and what the scratch roles are."""

from __future__ import annotations

import json

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._kube.cordon import PATCH
from ansible_collections.outward.kubelet.plugins.module_utils._kube.notice import EVENT
from ansible_collections.outward.kubelet.plugins.module_utils._kube.rights import complaint, manifest
from tests.lab._access import MANIFESTS, ROLES
from tests.rbac.__main__ import SCRATCH, messages, row, scratch

RIGHT, OTHER = PATCH, EVENT


@pytest.mark.parametrize(
    ("status", "said", "ok"),
    [
        (2, [complaint("x", "recover", [RIGHT])], True),
        (2, [complaint("x", "recover", [RIGHT, OTHER])], False),
        (2, [complaint("x", "recover", [OTHER])], False),
        (2, [complaint("x", "recover", [RIGHT]), "and another"], False),
        (2, [], False),
        (0, [], False),
        (4, [complaint("x", "recover", [RIGHT])], False),
    ],
)
def test_only_the_one_error_that_names_the_right_is_right(status: int, said: list[str], ok: bool) -> None:
    assert row("recover", RIGHT, status, said, 1.0)["ok"] is ok


@pytest.mark.parametrize(("status", "said", "ok"), [(0, [], True), (2, ["x"], False), (0, ["x"], False)])
def test_with_all_rights_there_is_no_error(status: int, said: list[str], ok: bool) -> None:
    assert row("recover", None, status, said, 1.0)["ok"] is ok


def test_what_ansible_prints() -> None:
    output = 'TASK [x] ***\nfatal: [pi-04]: FAILED! => {"changed": false, "msg": "one } brace"}\n\nPLAY RECAP ***\n'
    assert messages(output) == ["one } brace"]
    assert messages("ok: [pi-04]\n") == []


def test_the_scratch_roles_disturb_nobody() -> None:
    items = scratch(manifest("recover"))
    names = {item["metadata"]["name"] for item in items}
    assert names == {SCRATCH, "recover", f"{SCRATCH}-recover"}
    given = [item.pop("rules") for item in items if "rules" in item]
    assert "outward-kubelet" not in json.dumps(items)
    assert "outward-kubelet-0" in json.dumps(given)  # the lock's Leases keep their names
    assert {label for item in items for label in item["metadata"]["labels"].values()} == {SCRATCH}
    assert {item["metadata"].get("namespace") for item in items} >= {"default", "kube-system", SCRATCH}


def test_the_scratch_role_of_certificates_has_its_own_binding_for_tokens() -> None:
    names = {item["metadata"]["name"] for item in scratch(manifest("certificates"))}
    assert names == {SCRATCH, "certificates", f"{SCRATCH}-certificates", f"{SCRATCH}-bootstrap", f"{SCRATCH}-join"}


@pytest.mark.parametrize("role", ROLES)
def test_the_lab_grants_what_we_ship(role: str) -> None:
    assert (MANIFESTS / f"{role}.yml").is_file()
