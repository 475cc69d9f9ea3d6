# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is put aside for a new client certificate, whatever state it is in, and what comes back; with real files."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Profile
from ansible_collections.outward.kubelet.plugins.module_utils._host import renewal
from ansible_collections.outward.kubelet.plugins.module_utils._host.profile import PROFILES
from ansible_collections.outward.kubelet.plugins.module_utils._host.renewal import Handed, Renewal
from tests.unit.plugins.module_utils._host.probes.pki import Authority

OLD, NEW = Authority(), Authority()
SECRET = "0123456789abcdef"
HANDED = Handed("https://10.77.0.1:6443", NEW.certificate, f"abc123.{SECRET}")
PLACE: t.Final[Profile] = PROFILES["kubeadm"]
CURRENT = "kubelet-client-current.pem"


@pytest.fixture(autouse=True)
def tmpfs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "in_memory", lambda path: True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A node whose certificate does not work any more."""
    for name in ("/etc/kubernetes/pki", "/var/lib/kubelet/pki", "/var/lib", "/run"):
        (tmp_path / name[1:]).mkdir(parents=True, exist_ok=True)
    at(tmp_path, PLACE.kubeconfig).write_text("the kubeconfig of before")
    at(tmp_path, PLACE.kubeconfig).chmod(0o600)
    at(tmp_path, PLACE.ca_file).write_text(NEW.certificate)
    pki = at(tmp_path, PLACE.pki_dir)
    (pki / "kubelet-client-2025.pem").write_bytes(b"the key of before \xff\0")
    (pki / CURRENT).symlink_to("/var/lib/kubelet/pki/kubelet-client-2025.pem")
    (pki / "kubelet-server-current.pem").write_text("serving")
    return tmp_path


def at(root: Path, path: str) -> Path:
    return root / path[1:]


def whole(root: Path) -> dict[str, tuple[str, int]]:
    """Every file with what it holds or where it leads, and its mode."""
    found = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(root))] = (f"-> {path.readlink()}", 0)
        elif path.is_file():
            found[str(path.relative_to(root))] = (path.read_bytes().hex(), stat.S_IMODE(path.stat().st_mode))
    return found


def bootstrapped(root: Path) -> None:
    """What a kubelet does with a token: a kubeconfig at once, and a certificate when it has one."""
    at(root, PLACE.kubeconfig).write_text("the new kubeconfig")
    pki = at(root, PLACE.pki_dir)
    (pki / "kubelet-client-2026.pem").write_text("the new key")
    (pki / CURRENT).unlink(missing_ok=True)
    (pki / CURRENT).symlink_to(pki / "kubelet-client-2026.pem")


def test_a_token_is_handed_over_in_memory_alone(root: Path) -> None:
    change = Renewal(PLACE, HANDED, str(root))
    assert change.make() is None
    link = at(root, PLACE.bootstrap_kubeconfig)
    secret = root / "run/outward-kubelet/bootstrap-kubelet.conf"
    assert (link.readlink(), oct(secret.stat().st_mode), oct(secret.parent.stat().st_mode)) == (
        secret,
        "0o100600",
        "0o40700",
    )
    document = json.loads(secret.read_text())
    assert document["users"][0]["user"] == {"token": HANDED.token}
    cluster = document["clusters"][0]["cluster"]
    assert base64.b64decode(cluster["certificate-authority-data"]).decode() == NEW.certificate
    assert not at(root, PLACE.kubeconfig).exists()
    with_secret = [
        path
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and SECRET in path.read_text("latin-1")
    ]
    assert with_secret == [secret]


def test_what_was_there_is_for_root_alone_until_it_is_dropped(root: Path) -> None:
    change = Renewal(PLACE, HANDED, str(root))
    change.make()
    kept = root / "var/lib/outward-kubelet/client-certificate"
    assert oct(kept.stat().st_mode) == "0o40700"
    bootstrapped(root)
    assert (change.arrived(), change.keep(), change.left) == (True, None, True)
    assert not os.path.lexists(at(root, PLACE.bootstrap_kubeconfig))
    assert not (root / "run/outward-kubelet").exists()
    assert Renewal(PLACE, HANDED, str(root)).drop() is None
    assert not kept.exists()
    assert at(root, PLACE.kubeconfig).read_text() == "the new kubeconfig"
    assert (at(root, PLACE.pki_dir) / CURRENT).read_text() == "the new key"
    assert (at(root, PLACE.pki_dir) / "kubelet-server-current.pem").read_text() == "serving"


@pytest.mark.parametrize("arrived", [False, True])
@pytest.mark.parametrize("kept", [False, True])
def test_everything_comes_back_as_it_was(root: Path, arrived: bool, kept: bool) -> None:
    before = whole(root)
    change = Renewal(PLACE, HANDED, str(root))
    change.make()
    if arrived:
        bootstrapped(root)
    if kept:
        change.keep()
    assert Renewal(PLACE, HANDED, str(root)).undo() is None
    assert whole(root) == before


def _missing(root: Path) -> None:
    (at(root, PLACE.pki_dir) / "kubelet-client-2025.pem").unlink()


def _no_link(root: Path) -> None:
    (at(root, PLACE.pki_dir) / CURRENT).unlink()


def _empty(root: Path) -> None:
    at(root, PLACE.kubeconfig).write_text("")
    (at(root, PLACE.pki_dir) / "kubelet-client-2025.pem").write_text("")


def _nothing(root: Path) -> None:
    at(root, PLACE.kubeconfig).unlink()
    for path in at(root, PLACE.pki_dir).glob("kubelet-client*"):
        path.unlink()


def _old_token(root: Path) -> None:
    at(root, PLACE.kubeconfig).unlink()
    at(root, PLACE.bootstrap_kubeconfig).write_text("the token of somebody")
    at(root, PLACE.bootstrap_kubeconfig).chmod(0o600)


def _old_ca(root: Path) -> None:
    at(root, PLACE.ca_file).write_text(OLD.certificate)


def _no_pki(root: Path) -> None:
    _nothing(root)
    (at(root, PLACE.pki_dir) / "kubelet-server-current.pem").unlink()
    at(root, PLACE.pki_dir).rmdir()


STATES = [_missing, _no_link, _empty, _nothing, _old_token, _old_ca, _no_pki]


@pytest.mark.parametrize("state", STATES)
def test_from_every_state_and_back(root: Path, state: t.Callable[[Path], None]) -> None:
    state(root)
    before = whole(root)
    change = Renewal(PLACE, HANDED, str(root))
    assert change.make() is None
    assert at(root, PLACE.ca_file).read_text() == NEW.certificate
    assert not change.arrived()
    assert change.undo() is None
    assert whole(root) == before


def test_a_bundle_that_holds_the_clusters_ca_is_left_alone(root: Path) -> None:
    bundle = OLD.certificate + NEW.certificate
    at(root, PLACE.ca_file).write_text(bundle)
    Renewal(PLACE, HANDED, str(root)).make()
    assert at(root, PLACE.ca_file).read_text() == bundle


class Killed(BaseException):
    """The process ends here."""


def killed_after(monkeypatch: pytest.MonkeyPatch, changes: int) -> None:
    """Of what changes a disk, let so many happen."""
    left = [changes]

    def counted(deed: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
        def done(*arguments: t.Any, **more: t.Any) -> t.Any:
            if not left[0]:
                raise Killed
            left[0] -= 1
            return deed(*arguments, **more)

        return done

    for name in ("rename", "unlink", "symlink", "makedirs"):
        monkeypatch.setattr(os, name, counted(getattr(os, name)))


@pytest.mark.parametrize("changes", range(14))
def test_a_run_that_is_killed_anywhere_is_taken_back_by_the_next(
    root: Path, changes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = whole(root)
    with monkeypatch.context() as patched:
        killed_after(patched, changes)
        try:
            Renewal(PLACE, HANDED, str(root)).make()
        except Killed:
            pass
        else:
            assert changes > 8  # it had come to its end
    assert Renewal(PLACE, HANDED, str(root)).undo() is None
    assert {name: held for name, held in whole(root).items() if not name.endswith(".outward")} == before
    assert not [path for path in (root / "run").rglob("*") if path.is_file()]


@pytest.mark.parametrize("changes", range(14))
def test_a_run_that_is_killed_anywhere_is_carried_on_with(
    root: Path, changes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = whole(root)
    with monkeypatch.context() as patched:
        killed_after(patched, changes)
        with pytest.raises(Killed) if changes < 9 else pytest.MonkeyPatch.context():
            Renewal(PLACE, HANDED, str(root)).make()
    change = Renewal(PLACE, HANDED, str(root))
    assert (change.make(), change.arrived()) == (None, False)
    assert change.undo() is None
    assert {name: held for name, held in whole(root).items() if not name.endswith(".outward")} == before


def in_use(root: Path) -> dict[str, tuple[str, int]]:
    """Without what is kept beside."""
    return {name: held for name, held in whole(root).items() if not name.startswith("var/lib/outward-kubelet")}


def kept(root: Path) -> set[str]:
    """What every file beside holds."""
    place = root / "var/lib/outward-kubelet/client-certificate/beside"
    return {path.read_text("latin-1") for path in place.iterdir() if not path.is_symlink()}


def test_what_has_come_whole_after_a_run_that_was_cut_off_comes_back(root: Path) -> None:
    """By its kubelet, or by hand; months may have gone by, and what that run put aside may be worth nothing."""
    Renewal(PLACE, HANDED, str(root)).make()
    bootstrapped(root)
    at(root, PLACE.bootstrap_kubeconfig).unlink()
    (root / "run/outward-kubelet/bootstrap-kubelet.conf").unlink()
    before = in_use(root)
    second = Renewal(PLACE, HANDED, str(root))
    assert (second.make(), second.arrived()) == (None, False)
    assert "beside" in (second.undo() or "")
    assert in_use(root) == before
    assert kept(root) == {"the kubeconfig of before", "the key of before \xff\0"}


@pytest.mark.parametrize("again", [1, 2])
def test_what_was_made_by_hand_after_a_run_that_was_cut_off_is_never_lost(root: Path, again: int) -> None:
    """The node was mended, and breaks again: its certificate is there, and its kubeconfig is empty."""
    before = in_use(root)
    Renewal(PLACE, HANDED, str(root)).make()
    bootstrapped(root)
    at(root, PLACE.kubeconfig).write_text("")
    at(root, PLACE.ca_file).write_text(OLD.certificate + "of somebody")
    for dummy in range(again):
        change = Renewal(PLACE, HANDED, str(root))
        assert (change.make(), change.arrived()) == (None, False)
        assert "beside" in (change.undo() or "")
    assert {"", "the new key"} <= kept(root)
    assert {name: held for name, held in in_use(root).items() if "ca.crt" not in name} == {
        name: held for name, held in before.items() if "ca.crt" not in name
    }
    assert at(root, PLACE.ca_file).read_text() == OLD.certificate + "of somebody"


def test_what_lies_beside_goes_when_the_next_one_is_proven(root: Path) -> None:
    Renewal(PLACE, HANDED, str(root)).make()
    at(root, PLACE.kubeconfig).write_text("by hand")
    change = Renewal(PLACE, HANDED, str(root))
    change.make()
    assert kept(root) == {"by hand"}
    bootstrapped(root)
    assert (change.keep(), kept(root), Renewal(PLACE, HANDED, str(root)).drop()) == (None, {"by hand"}, None)
    assert not (root / "var/lib/outward-kubelet/client-certificate").exists()


@pytest.mark.parametrize("changes", range(10))
def test_a_second_run_that_is_cut_off_too_loses_nothing(
    root: Path, changes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Renewal(PLACE, HANDED, str(root)).make()
    at(root, PLACE.kubeconfig).write_text("by hand")
    with monkeypatch.context() as patched:
        killed_after(patched, changes)
        with contextlib.suppress(Killed):
            Renewal(PLACE, HANDED, str(root)).make()
    third = Renewal(PLACE, HANDED, str(root))
    assert third.make() is None
    everything = [path.read_text("latin-1") for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert {"by hand", "the kubeconfig of before", "the key of before \xff\0"} <= set(everything)


def test_a_step_that_could_not_begin_removes_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first move fails, and what is there may be by hand."""
    Renewal(PLACE, HANDED, str(root)).make()
    at(root, PLACE.kubeconfig).write_text("by hand")

    def failing(source: str, target: str) -> None:
        raise OSError(5, "Input/output error")

    change = Renewal(PLACE, HANDED, str(root))
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", failing)
        assert "Input/output error" in (change.make() or "")
    assert "beside" in (change.undo() or "")
    assert kept(root) == {"by hand"}
    assert at(root, PLACE.kubeconfig).read_text() == "the kubeconfig of before"


def test_what_is_left_of_a_renewal_that_worked_is_not_put_back_over_the_next_one(root: Path) -> None:
    first = Renewal(PLACE, HANDED, str(root))
    first.make()
    bootstrapped(root)
    first.keep()  # and then nobody dropped it
    before = {name: held for name, held in whole(root).items() if "client-certificate/" not in name}
    second = Renewal(PLACE, HANDED, str(root))
    second.make()
    second.undo()
    assert whole(root) == before


@pytest.mark.parametrize("changes", range(8))
def test_a_rest_of_what_was_dropped_is_not_put_back_over_the_next_one(
    root: Path, changes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Renewal(PLACE, HANDED, str(root))
    first.make()
    bootstrapped(root)
    first.keep()
    before = {name: held for name, held in whole(root).items() if "client-certificate/" not in name}
    with monkeypatch.context() as patched:
        killed_after(patched, changes)
        with pytest.raises(Killed) if changes < 5 else pytest.MonkeyPatch.context():
            first.drop()
    second = Renewal(PLACE, HANDED, str(root))
    assert (second.make(), second.undo()) == (None, None)
    assert whole(root) == before


def test_a_list_that_cannot_be_read_is_told_and_nothing_is_moved(root: Path) -> None:
    Renewal(PLACE, HANDED, str(root)).make()
    (root / "var/lib/outward-kubelet/client-certificate/list.json").write_text("")
    before = whole(root)
    second = Renewal(PLACE, HANDED, str(root))
    assert "could not be changed: Expecting value" in (second.make() or "")
    assert "Expecting value" in (second.undo() or "")
    assert {name for name in before if not name.startswith(("run/", "etc/kubernetes/bootstrap"))} <= set(whole(root))


def test_a_disk_that_is_full_is_told_and_nothing_is_lost(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = whole(root)

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    change = Renewal(PLACE, HANDED, str(root))
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        assert change.make() == "the kubelet's files could not be changed: No space left on device"
    assert change.undo() is None
    assert {name: held for name, held in whole(root).items() if not name.endswith(".outward")} == before


def test_a_token_is_never_written_to_a_disk(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = whole(root)
    monkeypatch.setattr(renewal, "in_memory", lambda path: False)
    assert "is no tmpfs" in (Renewal(PLACE, HANDED, str(root)).make() or "")
    assert whole(root) == before


def test_another_filesystem(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """/var/lib/kubelet may be a mount of its own."""
    before = whole(root)
    rename = os.rename

    def across(source: str, target: str) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(18, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", across)
    change = Renewal(PLACE, HANDED, str(root))
    assert (change.make(), change.undo()) == (None, None)
    assert whole(root) == before
