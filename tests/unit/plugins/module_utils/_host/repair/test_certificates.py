# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kubelet's link to its client certificate: to the newest that it can use, and back as it was."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import File
from tests.unit.helpers import NOW as CLOCK
from tests.unit.helpers import healthy_node
from tests.unit.helpers_repair import Fake, Patient, repair, request
from tests.unit.plugins.module_utils._host.probes.pki import NOW, Authority, Issued
from tests.unit.plugins.module_utils._host.probes.place import kubeconfig

CA, OTHER = Authority(), Authority()
NAME, GROUPS = "system:node:pi-04", ("system:nodes",)
PKI = "/var/lib/kubelet/pki"
CURRENT = f"{PKI}/kubelet-client-current.pem"
KUBECONFIG = {"/etc/kubernetes/kubelet.conf": kubeconfig("https://10.77.0.1:6443", CA.certificate, CURRENT)}
NO_FILE = File(CURRENT, False, 0, None, None)
MISSING: dict[str, t.Any] = {
    "certificates__client_file": NO_FILE,
    "certificates__client": None,
    "certificates__bootstrap_kubeconfig": File("/etc/kubernetes/bootstrap-kubelet.conf", False, 0, None, None),
    "clock__now": NOW,
    "network__api__offset": 0.0,
}
CORRUPT = {
    **MISSING,
    "certificates__client_file": File(CURRENT, True, 0, None, None),
    "certificates__client_problem": "empty",
}
GOOD = CA.issue(NAME, GROUPS)


def dated(day: int) -> str:
    return f"{PKI}/kubelet-client-2026-11-{day:02}-04-29-45.pem"


def pem(issued: Issued) -> str:
    return f"{issued.certificate}{issued.key}"


def mended(tmp_path: Path, desk: Fake, broken: dict[str, t.Any], cause: str, *, works: bool = True) -> tuple[str, str]:
    """What came of it, in a word and in words."""
    first = healthy_node(**broken)
    done = repair(Patient(first, [healthy_node() if works else first]), desk, request(tmp_path, cause))
    return done.result, "; ".join(done.refusals)


def place(desk: Fake) -> Path:
    return Path(desk.path(CURRENT))


def test_the_link_leads_to_the_one_that_is_good_for_the_longest(tmp_path: Path) -> None:
    longer = CA.issue(NAME, GROUPS, days=(-1, 300))
    desk = Fake(tmp_path, files={**KUBECONFIG, dated(1): pem(longer), dated(2): pem(GOOD)})
    assert mended(tmp_path, desk, MISSING, "kubelet-client-pem-missing") == ("done", "")
    assert place(desk).readlink() == Path(dated(1))


@pytest.mark.parametrize("linked", [True, False], ids=["a link", "a file"])
def test_what_was_there_comes_back_when_it_is_not_proven(tmp_path: Path, linked: bool) -> None:
    desk = Fake(tmp_path, files={**KUBECONFIG, dated(1): pem(GOOD), f"{PKI}/broken.pem": ""})
    if linked:
        place(desk).symlink_to("broken.pem")
    else:
        desk.write(CURRENT, "half of it")
    assert mended(tmp_path, desk, CORRUPT, "kubelet-client-pem-corrupt", works=False)[0] == "failed"
    if linked:
        assert place(desk).readlink() == Path("broken.pem")
    else:
        assert (place(desk).is_symlink(), desk.read(CURRENT)) == (False, "half of it")


def test_a_link_that_was_not_there_goes_again(tmp_path: Path) -> None:
    desk = Fake(tmp_path, files={**KUBECONFIG, dated(1): pem(GOOD)})
    assert mended(tmp_path, desk, MISSING, "kubelet-client-pem-missing", works=False)[0] == "failed"
    assert not place(desk).is_symlink()


@pytest.mark.parametrize(
    "text",
    [
        pem(CA.issue(NAME, GROUPS, days=(-9, -2))),
        pem(CA.issue("system:node:pi-05", GROUPS)),
        pem(OTHER.issue(NAME, GROUPS)),
        pem(Issued(GOOD.certificate, CA.issue(NAME, GROUPS).key)),
        GOOD.certificate,
        "",
    ],
    ids=["expired", "of another node", "of another CA", "of another key", "without a key", "empty"],
)
def test_one_that_cannot_be_used_is_left_alone(tmp_path: Path, text: str) -> None:
    desk = Fake(tmp_path, files={**KUBECONFIG, dated(1): text, f"{PKI}/outward.pem": pem(GOOD)})
    result, why = mended(tmp_path, desk, CORRUPT, "kubelet-client-pem-corrupt")
    assert result == "refused"
    assert "of 1 certificates in /var/lib/kubelet/pki none is for system:node:pi-04" in why
    assert not place(desk).is_symlink()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"network__api__offset": None, "clock__synchronized": False, "clock__now": CLOCK},
            "the clock is not synchronised",
        ),
        ({"certificates__kubeconfig__client_key": "/k.pem"}, "does not name one file of certificate and key"),
    ],
)
def test_what_cannot_be_told_refuses(tmp_path: Path, more: dict[str, t.Any], words: str) -> None:
    desk = Fake(tmp_path, files={**KUBECONFIG, dated(1): pem(GOOD)})
    result, why = mended(tmp_path, desk, {**CORRUPT, **more}, "kubelet-client-pem-corrupt")
    assert result == "refused"
    assert words in why
