# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One kubeadm join with real files: where the token lies, what is put aside, and what comes back."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._host import joining
from ansible_collections.outward.kubelet.plugins.module_utils._host.command import Output
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.joining import (
    Joining,
    Wish,
    configuration,
    end_orphans,
    endpoint,
    said,
)
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES
from ansible_collections.outward.kubelet.plugins.module_utils._host.renewal import Handed
from ansible_collections.outward.kubelet.plugins.module_utils._parse import x509
from tests.unit.helpers import unit
from tests.unit.plugins.module_utils._host.probes.pki import Authority
from tests.unit.plugins.module_utils._host.test_renewal import at, whole

CA = Authority()
SECRET = "0123456789abcdef"
HANDED = Handed("https://10.77.0.1:6443", CA.certificate, f"abc123.{SECRET}")
PLACE = PROFILES["kubeadm"]
TAINT = {"key": "storage", "value": "only", "effect": "NoSchedule"}
WISH = Wish("pi-04", "10.77.0.14", (TAINT,), 240.0)


@dataclass
class Host:
    """What is set on the host, and what systemd is asked."""

    asked: list[str] = field(default_factory=list)
    problem: str | None = None

    def make(self) -> None:
        if self.problem:
            raise ProbeError(self.problem)
        self.asked.append("set")

    def undo(self) -> None:
        self.asked.append("unset")

    def ask(self, *arguments: str) -> None:
        self.asked.append(" ".join(arguments))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with kubelet and kubeadm, and nothing else."""
    monkeypatch.setattr(joining, "in_memory", lambda path: True)
    for name in ("etc/kubernetes/manifests", "var/lib/kubelet", "run"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def half(root: Path) -> None:
    """What a join that stopped half-way leaves."""
    at(root, PLACE.kubeconfig).write_text("names a certificate that was never written")
    at(root, PLACE.ca_file).parent.mkdir()
    at(root, PLACE.ca_file).write_text("the CA of then")
    at(root, PLACE.config).write_text("the configuration of then")


def kubeadm(root: Path, monkeypatch: pytest.MonkeyPatch, status: int = 0) -> list[t.Any]:
    """What it is called with and sees; it writes what the real one does."""
    seen: list[t.Any] = []

    def run(command: list[str], seconds: float) -> Output:
        file = Path(command[-1].partition("=")[2])
        seen.append((command, json.loads(file.read_text()), file.stat().st_mode & 0o777))
        assert not at(root, PLACE.bootstrap_kubeconfig).exists()  # as its preflight asks
        assert [path for path in (PLACE.kubeconfig, PLACE.ca_file) if at(root, path).exists()] == []
        at(root, PLACE.bootstrap_kubeconfig).write_text(f"token: {HANDED.token}")
        at(root, PLACE.ca_file).parent.mkdir(exist_ok=True)
        at(root, PLACE.ca_file).write_text(CA.certificate)
        (root / "var/lib/kubelet/kubeadm-flags.env").write_text("KUBELET_KUBEADM_ARGS=")
        if status == 0:
            at(root, PLACE.kubeconfig).write_text("the kubelet's")
            pki = at(root, PLACE.pki_dir)
            pki.mkdir()
            (pki / "kubelet-client-current.pem").write_text("certificate and key")
        return Output(status, "", f"error: {HANDED.token} is no good\nTo see the stack trace of this error\n")

    monkeypatch.setattr(joining, "run", run)
    return seen


def on_disk(root: Path) -> list[str]:
    """Files outside the tmpfs that hold the token."""
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    outside = [path for path in files if root / "run" not in path.parents]
    return [str(path) for path in outside if SECRET in path.read_text()]


def test_a_join(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host, seen = Host(), kubeadm(root, monkeypatch)
    change = Joining(PLACE, HANDED, WISH, t.cast(t.Any, host), str(root))
    assert change.make() is None
    ((command, config, mode),) = seen
    assert (command[:2], SECRET in " ".join(command), mode) == (["kubeadm", "join"], False, 0o600)
    assert config["discovery"]["bootstrapToken"]["token"] == HANDED.token
    assert (on_disk(root), change.arrived(), change.left) == ([], True, True)
    assert change.keep() is None
    assert (change.left, SECRET in str(whole(root))) == (False, False)
    assert not at(root, PLACE.bootstrap_kubeconfig).is_symlink()
    assert host.asked == ["set", "stop kubelet.service", "enable kubelet.service"]


def test_what_came_half_way_is_taken_back_first_and_gone_afterwards(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half(root)
    kubeadm(root, monkeypatch)
    change = Joining(PLACE, HANDED, WISH, t.cast(t.Any, Host()), str(root))
    assert (change.make(), change.keep()) == (None, None)
    assert at(root, PLACE.kubeconfig).read_text() == "the kubelet's"
    assert "of then" not in str(whole(root))


@pytest.mark.parametrize("broken", [False, True])
def test_a_join_that_fails_leaves_the_machine_as_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    if broken:
        half(root)
    before, host = whole(root), Host()
    kubeadm(root, monkeypatch, status=1)
    change = Joining(PLACE, HANDED, WISH, t.cast(t.Any, host), str(root))
    problem = change.make() or ""
    assert problem == "kubeadm join ended with status 1: error: TOKEN is no good"
    change.before = unit("kubelet.service", 700)
    assert change.undo() is None
    assert whole(root) == before
    assert host.asked[-3:] == ["stop kubelet.service", "start kubelet.service", "unset"]


def test_a_unit_that_was_disabled_is_so_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    kubeadm(root, monkeypatch, status=1)
    change = Joining(PLACE, HANDED, WISH, t.cast(t.Any, host), str(root))
    change.make()
    off = {**vars(unit("kubelet.service", 0)), "unit_file_state": "disabled", "active_state": "inactive"}
    change.before = type(unit("x", 0))(**off)
    change.undo()
    assert host.asked[-3:] == ["stop kubelet.service", "disable kubelet.service", "unset"]


@pytest.mark.parametrize("moment", ["set up", "put aside", "linked", "joined"])
def test_a_run_that_was_killed_is_carried_on_with(root: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """What was there before all of it comes back when the second one fails, and nothing is left when it does not."""
    half(root)
    before = whole(root)
    kubeadm(root, monkeypatch, status=1)
    first = Joining(PLACE, HANDED, WISH, t.cast(t.Any, Host()), str(root))
    if moment == "put aside":
        first._clear()
    elif moment == "linked":
        monkeypatch.setattr(joining, "write", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            first.make()
        monkeypatch.undo()
        monkeypatch.setattr(joining, "in_memory", lambda path: True)
        kubeadm(root, monkeypatch, status=1)
    elif moment == "joined":
        first.make()
    second = Joining(PLACE, HANDED, WISH, t.cast(t.Any, Host()), str(root))
    assert second.make() is not None
    assert ("beside" in (second.undo() or "")) == (moment == "joined")  # what the first kubeadm wrote
    assert {name: held for name, held in whole(root).items() if "/beside/" not in name} == before
    kubeadm(root, monkeypatch)
    third = Joining(PLACE, HANDED, WISH, t.cast(t.Any, Host()), str(root))
    assert (third.make(), third.keep(), third.left) == (None, None, False)


def test_what_was_joined_by_hand_after_a_run_that_was_cut_off_comes_back(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half(root)
    Joining(PLACE, HANDED, WISH, t.cast(t.Any, Host()), str(root))._clear()
    at(root, PLACE.kubeconfig).write_text("by hand")
    at(root, PLACE.config).write_text("the configuration by hand")
    at(root, PLACE.pki_dir).mkdir()
    (at(root, PLACE.pki_dir) / "kubelet-client-current.pem").write_text("the key by hand")
    before = whole(root)
    kubeadm(root, monkeypatch, status=1)
    change = Joining(PLACE, HANDED, WISH, t.cast(t.Any, Host()), str(root))
    assert change.make() is not None
    assert "beside" in (change.undo() or "")
    assert {name: held for name, held in whole(root).items() if "outward-kubelet" not in name} == {
        name: held for name, held in before.items() if "outward-kubelet" not in name
    }
    beside = [path.read_text() for path in (root / "var/lib/outward-kubelet/join/beside").iterdir()]
    assert {"the CA of then", "the configuration of then"} <= set(beside)


def test_a_host_that_cannot_be_set_up_is_not_touched_further(root: Path) -> None:
    host = Host(problem="modprobe --all br_netfilter: not found")
    change = Joining(PLACE, HANDED, WISH, t.cast(t.Any, host), str(root))
    before = whole(root)
    assert change.make() == "modprobe --all br_netfilter: not found"
    assert (change.undo(), host.asked, whole(root)) == (None, ["unset"], before)


def test_a_clock_that_is_not_set_ends_it(root: Path) -> None:
    change = Joining(PLACE, HANDED, WISH, t.cast(t.Any, Host()), str(root))
    change.ready = lambda: "the clock is not synchronised"
    assert (change.make(), change.arrived()) == ("the clock is not synchronised", False)


def test_no_token_is_written_where_it_would_stay(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "in_memory", lambda path: False)
    before = whole(root)
    change = Joining(PLACE, HANDED, WISH, t.cast(t.Any, Host()), str(root))
    assert change.make() == "/run is no tmpfs, and a token is not written to a disk"
    assert whole(root) == before


def test_the_configuration() -> None:
    found = configuration(HANDED, WISH, PLACE)
    discovery = found["discovery"]["bootstrapToken"]
    assert discovery["apiServerEndpoint"] == "10.77.0.1:6443"
    assert discovery["caCertHashes"] == [x509.pin(x509.certificates(CA.certificate)[0])]
    assert found["nodeRegistration"]["taints"] == [TAINT]
    assert found["nodeRegistration"]["kubeletExtraArgs"] == [{"name": "node-ip", "value": "10.77.0.14"}]
    assert configuration(HANDED, WISH._replace(address=""), PLACE)["nodeRegistration"]["kubeletExtraArgs"] == []


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ("https://10.77.0.1:6443/", "10.77.0.1:6443"),
        ("https://kube.home", "kube.home:443"),
        ("https://[fd00::1]:6443", "[fd00::1]:6443"),
        ("https://[fd00::1]", "[fd00::1]:443"),
    ],
)
def test_where_the_api_server_is(server: str, expected: str) -> None:
    assert endpoint(server) == expected


def test_what_kubeadm_says_is_one_line_without_the_token() -> None:
    assert said(f"[preflight] x\nerror: a\n  b {HANDED.token}\n", HANDED.token) == "[preflight] x error: a b TOKEN"


def test_no_other_process_is_an_orphan() -> None:
    assert end_orphans("/nowhere") == 0
