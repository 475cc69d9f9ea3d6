# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a guest is told about itself, and what others are told about the guests."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.lab import _guest, _join, _vm
from tests.lab._image import GuestImage
from tests.lab._model import Host, LabError, Paths, default_paths, parse_host, workers

PATHS = Paths(Path("/state"), Path("/cache"))
HOST = Host(4)


def test_a_number_gives_every_identity() -> None:
    assert (HOST.name, HOST.address, HOST.tap) == ("pi-04", "10.77.0.14", "tap-pi-04")
    assert (HOST.mac, HOST.pod_cidr) == ("52:54:00:77:00:04", "10.244.4.0/24")


def test_machine_ids_differ() -> None:
    assert len({host.machine_id for host in workers(60)}) == 60
    assert len(HOST.machine_id) == 32


def test_hosts_are_found_by_their_names() -> None:
    assert parse_host("pi-05") == Host(5)


@pytest.mark.parametrize("name", ["pi-03", "pi-4", "pi-04 ", "node", "pi-64"])
def test_what_is_no_host(name: str) -> None:
    with pytest.raises(LabError, match="is no host of the lab"):
        parse_host(name)


@pytest.mark.parametrize("count", [0, 61])
def test_how_many_workers_there_may_be(count: int) -> None:
    with pytest.raises(LabError, match="1 to 60"):
        workers(count)


def test_kernel_command_line() -> None:
    words = dict(word.partition("=")[::2] for word in _vm.kernel_command_line(HOST).split())
    assert words["systemd.hostname"] == "pi-04"
    assert words["systemd.machine_id"] == HOST.machine_id
    credential, _separator, content = words["systemd.set_credential_binary"].partition(":")
    assert credential == "network.network.10-lab"
    assert "Address=10.77.0.14/24\n" in base64.b64decode(content).decode()
    assert "ip" not in words


@pytest.mark.parametrize("restore", [True, False])
def test_a_restored_guest_starts_from_its_snapshot(restore: bool) -> None:
    command = _vm.command(PATHS, GuestImage(Path("/image")), HOST, "tcg", restore)
    assert (command[-2:] == ["-loadvm", "baseline"]) is restore
    assert "file=/state/vm/pi-04.qcow2,if=virtio,cache=unsafe,discard=unmap" in command
    assert "tcg,thread=multi,tb-size=1024" in command


def test_ssh_config_reaches_a_host_by_name() -> None:
    text = _guest.ssh_config(PATHS, Path("/cache/key"), [HOST, Host(5)])
    assert text.startswith("Host pi-04\n  HostName 10.77.0.14\n\nHost pi-05\n")
    assert "  IdentityFile /cache/key\n" in text
    assert "  UserKnownHostsFile /state/known_hosts\n" in text
    assert "  ControlPath /state/s/%r@%h\n" in text


def test_inventory() -> None:
    assert (
        _guest.inventory(PATHS, [HOST])
        == """\
# Written by the lab; any inventory with these hosts would do.
all:
  children:
    workers:
      hosts:
        pi-04:
          ansible_host: 10.77.0.14
      vars:
        ansible_user: root
        ansible_python_interpreter: /usr/bin/python3
        ansible_ssh_args: "-F /state/ssh_config"
        outward_kubeconfig: "/state/recover.kubeconfig"
"""
    )


def test_a_join_keeps_its_token_off_the_command_line() -> None:
    script = _join.script(HOST, "abcdef.0123456789abcdef", "sha256:1234")
    assert "    token: abcdef.0123456789abcdef\n" in script
    assert "\nkubeadm join --config /run/kubeadm-join.yml\n" in script
    assert '"subnet": "10.244.4.0/24"' in script
    assert "      value: 10.77.0.14\n" in script


def test_places_follow_xdg() -> None:
    home = Path("/home/me")
    assert default_paths({}, home).state == home / ".local/state/outward-kubelet/lab"
    assert default_paths({"XDG_CACHE_HOME": "/c"}, home).cache == Path("/c/outward-kubelet")
