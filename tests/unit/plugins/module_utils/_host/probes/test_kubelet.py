# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kubelet's files, and what the installed binary says of its flags."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.evidence import Unknown
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Profile, Setting
from ansible_collections.outward.kubelet.plugins.module_utils._host.command import Output
from ansible_collections.outward.kubelet.plugins.module_utils._host.probes import binary, kubelet, runtime
from ansible_collections.outward.kubelet.tests.unit.plugins.module_utils._host.probes.place import CONFIG, below, write

DROP_IN = """[Service]
Environment="A=--config={root}/var/lib/kubelet/config.yaml"
EnvironmentFile=-{root}/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-{root}/etc/default/kubelet
ExecStart=
ExecStart={root}/usr/bin/kubelet $A $B $C
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Profile:
    """A node as the packages and kubeadm leave it."""
    monkeypatch.setattr(kubelet, "UNIT_DIRS", (f"{tmp_path}/etc/systemd/system", f"{tmp_path}/usr/lib/systemd/system"))
    write(f"{tmp_path}/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n")
    write(f"{tmp_path}/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", DROP_IN.format(root=tmp_path))
    found = below(tmp_path)
    write(found.flag_files[0], 'B="--node-ip=10.77.0.14"\n')
    write(found.config, CONFIG + "cgroupDriver: systemd\n")
    install(found, "Kubernetes v1.37.2")
    return found


def install(place: Profile, answer: str, refuses: str = "") -> None:
    """A kubelet that prints its version, or refuses one flag as cobra does."""
    refusal = f'case "$*" in *{refuses}*) echo "E1 run.go] err=\\"failed to parse kubelet flag: unknown flag: {refuses}\\"" >&2; exit 1;; esac\n'
    write(place.binary, f"#!/bin/sh\n{refusal if refuses else ''}echo '{answer}'\n")
    Path(place.binary).chmod(stat.S_IRWXU)


def test_a_joined_node(place: Profile) -> None:
    file, fields, shutting_down = kubelet.ask(place)
    assert shutting_down is None
    assert (file.path, file.exists) == (place.binary, True)
    assert (fields["problem"], fields["cgroup_driver"], fields["file"].exists) == (None, "systemd", True)
    drop_in = place.binary.replace("/usr/bin/kubelet", "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf")
    assert fields["flags"] == (
        Setting(f"--config={place.config}", drop_in),
        Setting("--node-ip=10.77.0.14", place.flag_files[0]),
    )


def test_a_drop_in_of_the_administrator_wins(place: Profile, tmp_path: Path) -> None:
    override = f"{tmp_path}/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
    write(override, DROP_IN.format(root=tmp_path).replace("$C", "$C --fail-swap-on=false"))
    fields = kubelet.ask(place)[1]
    assert Setting("--fail-swap-on=false", override) in fields["flags"]
    assert fields["fail_swap_on"] is False


def test_a_token_among_the_flags_stays_on_the_node(place: Profile) -> None:
    write(place.flag_files[0], 'B="--token=K10abcdef::server:0123456789"\n')
    assert Setting("--token=<redacted>", place.flag_files[0]) in kubelet.ask(place)[1]["flags"]


def test_a_masked_unit_has_no_flags_of_its_own(place: Profile, tmp_path: Path) -> None:
    mask = Path(f"{tmp_path}/etc/systemd/system/kubelet.service")
    mask.parent.mkdir(parents=True)
    mask.symlink_to(os.devnull)
    assert kubelet.ask(place)[0].exists


@pytest.mark.parametrize(("text", "problem"), [("", "empty"), ("\0" * 64, "not YAML"), ("kind: X\n", "kind is X")])
def test_a_config_that_is_none(place: Profile, text: str, problem: str) -> None:
    write(place.config, text)
    fields = kubelet.ask(place)[1]
    assert problem in fields["problem"]
    assert isinstance(fields["fail_swap_on"], Unknown)


def test_a_missing_config_is_no_problem_of_its_content(place: Profile) -> None:
    Path(place.config).unlink()
    fields = kubelet.ask(place)[1]
    assert (fields["problem"], fields["file"].exists) == (None, False)
    assert isinstance(fields["cri_socket"], Unknown)


def test_a_config_beyond_this_reader_is_no_verdict(place: Profile) -> None:
    write(place.config, CONFIG + "a: &b c\n")
    fields = kubelet.ask(place)[1]
    assert isinstance(fields["problem"], Unknown)
    assert "line 3" in fields["problem"].reason


def test_drop_in_directory(place: Profile, tmp_path: Path) -> None:
    write(place.flag_files[1], f"C=--config-dir={tmp_path}/conf.d\n")
    write(f"{tmp_path}/conf.d/20-b.conf", CONFIG + "cgroupDriver: cgroupfs\n")
    write(f"{tmp_path}/conf.d/10-a.conf", CONFIG + "cgroupDriver: systemd\nfailSwapOn: false\n")
    write(f"{tmp_path}/conf.d/README", "not read")
    fields = kubelet.ask(place)[1]
    assert (fields["cgroup_driver"], fields["fail_swap_on"]) == ("cgroupfs", False)


def test_where_the_settings_lead(place: Profile, tmp_path: Path) -> None:
    resolv = write(f"{tmp_path}/run/resolv.conf", "")
    write(place.config, CONFIG + f"resolvConf: {resolv}\ncontainerRuntimeEndpoint: unix://{tmp_path}/none.sock\n")
    fields = kubelet.ask(place)[1]
    assert (fields["resolv_conf"].exists, fields["cri_socket_exists"]) == (True, False)
    write(place.config, CONFIG + 'resolvConf: ""\n')
    assert kubelet.ask(place)[1]["resolv_conf"] is None


@pytest.mark.parametrize(
    ("period", "who", "expected"),
    [("60s", "somebody", False), ("60s", "kubelet", None), ("0s", "somebody", None)],
)
def test_a_shutdown(
    place: Profile, monkeypatch: pytest.MonkeyPatch, period: str, who: str, expected: bool | None
) -> None:
    inhibitors = f"{Path(place.config).parent}/inhibit"
    os.mkfifo(Path(write(f"{inhibitors}/1", f"WHAT=shutdown\nWHO={who}\n")).with_suffix(".ref"))
    monkeypatch.setattr(kubelet, "INHIBITORS", inhibitors)
    monkeypatch.setattr(kubelet, "run", lambda command, seconds: Output(0, "b false\n", ""))
    write(place.config, CONFIG + f"shutdownGracePeriod: {period}\n")
    assert kubelet.ask(place)[2] is expected


def test_a_shutdown_that_nobody_can_tell_of(place: Profile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kubelet, "INHIBITORS", f"{tmp_path}/inhibit")
    monkeypatch.setattr(kubelet, "run", lambda command, seconds: Output(1, "", "Failed to connect to bus"))
    write(place.config, CONFIG + "shutdownGracePeriod: 60s\n")
    assert isinstance(kubelet.ask(place)[2], Unknown)
    Path(place.config).unlink()
    assert isinstance(kubelet.ask(place)[2], Unknown)


CONTAINERD = "version = 2\ndisabled_plugins = {}\n[plugins.x]\n"


@pytest.mark.parametrize(
    ("disabled", "cri"),
    [
        ("[]", False),
        ('["cri"]', True),
        ('["io.containerd.internal.v1.opt",\n  "io.containerd.grpc.v1.cri"]', True),
        ('["io.containerd.snapshotter.v1.devmapper"]', False),
    ],
)
def test_a_disabled_cri(place: Profile, disabled: str, cri: bool) -> None:
    write(place.runtime_config, CONTAINERD.format(disabled))
    assert runtime.ask(place)[0] is cri


def test_programs_of_the_runtime(place: Profile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    Path(write(f"{tmp_path}/sbin/runc", "")).chmod(stat.S_IRWXU)
    monkeypatch.setattr(runtime, "ENVIRONMENT", {"PATH": f"/none:{tmp_path}/sbin"})
    assert runtime.ask(place) == (False, ("containerd-shim-runc-v2",))
    one = Profile(**{**vars(place), "runtime_unit": place.unit})
    assert runtime.ask(one)[1] == ()


def test_the_binary_knows_its_flags(place: Profile) -> None:
    assert binary.ask(place) == ("v1.37.2", (), False)


def test_the_binary_refuses_a_flag(place: Profile) -> None:
    write(place.flag_files[0], 'B="--container-runtime=remote --v=2"\n')
    install(place, "Kubernetes v1.37.2", refuses="--container-runtime")
    assert binary.ask(place) == ("v1.37.2", (Setting("--container-runtime=remote", place.flag_files[0]),), False)


def test_no_binary(place: Profile) -> None:
    Path(place.binary).unlink()
    assert binary.ask(place) == (None, (), False)


@pytest.mark.parametrize(
    ("age", "arguments", "asked"),
    [
        (60.0, ["--config=/c", "--v", "2"], False),
        (5.0, ["--config=/c", "--v", "2"], True),
        (60.0, ["--config=/c"], True),
    ],
    ids=["runs for a while", "may be about to exit", "runs without a flag that is in its files now"],
)
def test_a_kubelet_that_runs_is_not_asked(
    place: Profile, monkeypatch: pytest.MonkeyPatch, age: float, arguments: list[str], asked: bool
) -> None:
    given = [Setting("--config=/c", "f"), Setting("--v=2", "f")]
    monkeypatch.setattr(binary, "_processes", lambda unit: ["1", str(os.getpid())])
    monkeypatch.setattr(binary, "_age", lambda pid: age)
    monkeypatch.setattr(binary, "read", lambda path: "\0".join(["kubelet", *arguments, ""]))
    monkeypatch.setattr(binary, "flags", lambda lines: tuple(given))
    monkeypatch.setattr(binary, "binary_path", lambda profile, lines: str(Path("/proc/self/exe").resolve()))
    monkeypatch.setattr(binary, "_try", lambda path, flags: ("asked", ()))
    version, dummy, runs = binary.ask(place)
    assert (version == "asked", runs) == (asked, not asked)
