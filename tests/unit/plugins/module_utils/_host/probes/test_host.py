# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The questions that only read /proc, /sys and /etc, on the machine that runs the tests."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node import Cni
from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.node_pods import Consumer
from ansible_collections.outward.kubelet.plugins.module_utils._host.command import Output
from ansible_collections.outward.kubelet.plugins.module_utils._host.errors import ProbeError
from ansible_collections.outward.kubelet.plugins.module_utils._host.probes import (
    clock,
    healthz,
    kernel,
    logs,
    network,
    pressure,
    processes,
    storage,
)
from ansible_collections.outward.kubelet.plugins.module_utils._parse.mounts import mountinfo
from ansible_collections.outward.kubelet.tests.unit.plugins.module_utils._host.probes.place import below, write

MOUNTS = mountinfo(Path("/proc/self/mountinfo").read_text())


def test_identity() -> None:
    found = kernel.identity()
    assert found.hostname == socket.gethostname()
    assert found.kernel == os.uname().release
    assert found.uptime > 0


def test_kernel() -> None:
    found = kernel.ask()
    assert found["cgroup_version"] in (1, 2)
    assert set(found["modules"]) == set(kernel.MODULES)
    assert found["sysctls"]["net.ipv4.ip_forward"] in "01"


def test_pressure() -> None:
    found = pressure.ask(below(Path("/nowhere")))
    assert found["rootfs"].mount_point == "/"
    assert 0 < found["rootfs"].available <= found["rootfs"].size
    assert 0 < found["memory_free_estimate"] <= found["memory_capacity"]
    assert 0 < found["pids"] < found["pid_max"]


def test_a_filesystem_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc")
    assert pressure.filesystem(str(tmp_path / "link"), MOUNTS).kind == "proc"


def test_storage() -> None:
    found = storage.ask(below(Path("/nowhere")))
    assert isinstance(found["overlay_root"], bool)
    assert storage.answers("/") is True
    assert storage.answers("/no/such/mount") is True  # an error is an answer


def test_the_logs_of_a_container_that_are_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "LARGE", 100_000)
    for name, size in (("default_web_uid-1/app/0.log", 200_000), ("default_web_uid-1/init/0.log", 10)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(b"x" * size)
    found = storage._pod_logs(str(tmp_path))
    assert list(found) == ["default/web/app"]
    assert found["default/web/app"] >= 200_000
    assert storage._pod_logs(f"{tmp_path}/nowhere") == {}


def test_the_boot_before_is_asked_for_only_while_this_one_is_young(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def journalctl(arguments: list[str], seconds: float) -> Output:
        asked.append(arguments)
        return Output(0, "Journal stopped\n", "")

    monkeypatch.setattr(logs, "run", journalctl)
    monkeypatch.setattr(logs, "read", lambda path: "3601.5 100.0\n")
    assert (logs.boot_before(), asked) == (None, [])
    monkeypatch.setattr(logs, "read", lambda path: "90.5 100.0\n")
    assert (logs.boot_before(), len(asked)) == ("orderly", 1)


def test_clock() -> None:
    found = clock.ask()
    assert abs((found["now"] - datetime.now(UTC)).total_seconds()) < 5
    assert found["synchronized"] in (True, False)


def test_own_inotify_instances_are_counted() -> None:
    before = processes._inotify(str(os.getpid()))
    libc = ctypes.CDLL(None)
    descriptor = libc.inotify_init()
    try:
        assert processes._inotify(str(os.getpid())) == before + (os.getuid() == 0)
    finally:
        os.close(descriptor)
    assert processes._inotify("4194304") == 0


def test_a_process_in_state_d_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"7": ["D", "D"], "8": ["D", "S"], "9": ["S"]}
    monkeypatch.setattr(processes, "SECOND_LOOK", 0.0)
    monkeypatch.setattr(os, "listdir", lambda path: [*states, "self"] if path == "/proc" else [])
    monkeypatch.setattr(processes, "_state", lambda pid: states[pid].pop(0))
    monkeypatch.setattr(processes, "_described", lambda pid: f"kubelet ({pid}) rpc_wait_bit_killable")
    assert processes.ask() == (("kubelet (7) rpc_wait_bit_killable",), 0, ())


def test_who_installs_software(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lock, free = tmp_path / "lock-frontend", tmp_path / "lock"
    lock.touch()
    monkeypatch.setattr(processes, "LOCKS", (str(lock), str(free)))
    assert processes._upkeep([]) == ()
    with lock.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        (holder,) = processes._upkeep([])
    assert holder.endswith(f"(pid {os.getpid()}) holds {lock}")
    monkeypatch.setattr(
        processes, "_arguments", lambda pid: {"7": ["kubeadm", "join", "--token", "s3cret"]}.get(pid, [])
    )
    assert processes._upkeep(["7", "8"]) == ("kubeadm join (pid 7)",)


def test_the_arguments_of_a_process() -> None:
    assert "python" in processes._arguments(str(os.getpid()))[0]
    assert processes._arguments("4194304") == []


def cni(root: Path, **texts: str) -> Cni:
    """With files in net.d and the plugin `bridge` in a directory of its own."""
    place = below(root)
    bridge = Path(write(f"{place.cni_bin_dirs[1]}/bridge", ""))
    bridge.chmod(0o755)
    for name, text in texts.items():
        write(f"{place.cni_config_dir}/{name.replace('_', '.')}", text)
    found: Cni = network.ask(place)["cni"]
    return found


def test_cni_with_a_missing_plugin(tmp_path: Path) -> None:
    found = cni(
        tmp_path, a_conf='{"name": "lab", "type": "bridge", "ipam": {"type": "host-local"}}', b_conf="{", c_txt=""
    )
    assert [Path(file.path).name for file in found.configs] == ["a.conf", "b.conf"]
    assert (found.problem, found.network, found.plugins) == (None, "lab", ("bridge", "host-local"))
    assert found.missing_plugins == ("host-local",)


def test_cni_without_and_with_a_broken_configuration(tmp_path: Path) -> None:
    found = cni(tmp_path)
    assert (found.config_dir.exists, found.configs, found.problem, found.network) == (False, (), None, None)
    assert "a.conflist: not JSON" in str(cni(tmp_path, a_conflist="{").problem)


def test_containerds_own_directories(tmp_path: Path) -> None:
    place = below(tmp_path)
    write(place.runtime_config, f'  [x.cni]\n    bin_dir = "{tmp_path}/bin"\n    conf_dir = "{tmp_path}/net"\n')
    assert network.directories(place, Path(place.runtime_config).read_text()) == (
        f"{tmp_path}/net",
        (f"{tmp_path}/bin",),
    )
    write(place.runtime_config, '    bin_dirs = ["/a", "/b"]\n')
    assert network.directories(place, Path(place.runtime_config).read_text()) == (place.cni_config_dir, ("/a", "/b"))


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nok", ("ok", 200, "ok")),
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\nno", ("http", 500, "no")),
        (b"", ("closed", None, "")),
        (b"garbage", ("closed", None, "")),
    ],
)
def test_healthz(answer: bytes, outcome: tuple[str, int | None, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            with listener.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(answer)

        threading.Thread(target=talk, daemon=True).start()
        found = healthz.get("127.0.0.1", listener.getsockname()[1], 5.0)
    assert (found.outcome, found.status, found.body) == outcome


def test_healthz_accepts_and_never_answers_or_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert healthz.get("127.0.0.1", port, 0.2).outcome == "timeout"
    assert healthz.get("127.0.0.1", port, 1.0).outcome == "refused"


def test_healthz_on_another_port(tmp_path: Path) -> None:
    place = below(tmp_path)
    assert healthz._port(place.config) == 10248
    write(place.config, "a: b\nhealthzPort: 10348\n")
    assert healthz._port(place.config) == 10348


POD = "kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod5a6da218_5e2a_4b68_914c_d0e2a05723fe.slice"
# memory.current, inactive_file and pids.current of pi-05 of the lab (kubelet v1.37.2, 6.12.118).
GROUPS = {
    "system.slice/kubelet.service": (34414592, 73728, 12),
    "system.slice/containerd.service": (136044544, 11190272, 39),
    POD: (3125248, 8192, 8),
    f"{POD}/cri-containerd-0123.scope": (3000000, 0, 7),  # the Pod counts as a whole
}


def test_who_holds_memory_and_processes(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match="cgroup v2 only"):
        pressure.consumers(str(tmp_path))
    write(f"{tmp_path}/cgroup.controllers", "memory pids\n")
    for name, (current, inactive, pids) in GROUPS.items():
        write(f"{tmp_path}/{name}/memory.current", f"{current}\n")
        write(f"{tmp_path}/{name}/memory.stat", f"anon 1\ninactive_file {inactive}\n")
        write(f"{tmp_path}/{name}/pids.current", f"{pids}\n")
    write(f"{tmp_path}/system.slice/ended.service/cgroup.procs", "")
    assert pressure.consumers(str(tmp_path)) == (
        Consumer("containerd.service", False, 124854272, 39),
        Consumer("kubelet.service", False, 34340864, 12),
        Consumer("5a6da218-5e2a-4b68-914c-d0e2a05723fe", True, 3117056, 8),
    )
