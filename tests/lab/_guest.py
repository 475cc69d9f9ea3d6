# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reach a guest: ssh as everybody does, and a shell on a console for the moments before ssh answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.lab._image import GuestImage
from tests.lab._model import API_PORT, Host, Paths
from tests.lab._shell import in_netns, run, write

# What an emulated core computes fastest.
SSH_CONFIG = """\
Host {names}
  User root
  IdentityFile {key}
  IdentitiesOnly yes
  UserKnownHostsFile {known_hosts}
  StrictHostKeyChecking yes
  HostKeyAlgorithms ssh-ed25519
  KexAlgorithms curve25519-sha256
  Ciphers chacha20-poly1305@openssh.com
  PreferredAuthentications publickey
  ControlMaster auto
  ControlPersist 10m
  ControlPath {sockets}/%r@%h
  ConnectTimeout 15
  ServerAliveInterval 10
  ServerAliveCountMax 6
  LogLevel ERROR
"""
INVENTORY_HEAD = """\
# Written by the lab; any inventory with these hosts would do.
all:
  children:
    workers:
      hosts:
"""
INVENTORY_TAIL = """\
      vars:
        ansible_user: root
        ansible_python_interpreter: /usr/bin/python3
        ansible_ssh_args: "-F {ssh_config}"
        outward_kubeconfig: "{kubeconfig}"
"""


def ssh_config(paths: Paths, key: Path, hosts: Iterable[Host]) -> str:
    """One stanza for each host: its name works as well as its address."""
    shared = SSH_CONFIG.format(names="pi-* 10.77.0.*", key=key, known_hosts=paths.known_hosts, sockets=paths.sockets)
    names = "".join(f"Host {host.name}\n  HostName {host.address}\n\n" for host in hosts)
    return names + shared


def inventory(paths: Paths, hosts: Iterable[Host]) -> str:
    """An ordinary Ansible inventory."""
    lines = [f"        {host.name}:\n          ansible_host: {host.address}\n" for host in hosts]
    tail = INVENTORY_TAIL.format(ssh_config=paths.ssh_config, kubeconfig=paths.access("recover"))
    return INVENTORY_HEAD + "".join(lines) + tail


def write_access(paths: Paths, image: GuestImage, hosts: list[Host]) -> None:
    """The files through which others find the guests."""
    key = image.host_key.read_text(encoding="ascii")
    names = ",".join(name for host in hosts for name in (host.name, host.address))
    write(paths.known_hosts, f"{names} {key}")
    write(paths.ssh_config, ssh_config(paths, image.key, hosts))
    write(paths.inventory, inventory(paths, hosts))


def _hears(connection: socket.socket, words: bytes) -> bool:
    """Whether these words come before the connection falls silent."""
    heard = b""
    while words not in heard:
        more = connection.recv(4096)
        if not more:
            return False
        heard += more
    return True


@dataclass(frozen=True)
class Guest:
    """One worker, from inside."""

    paths: Paths
    host: Host

    def ssh_command(self, words: Iterable[str], *options: str) -> list[str]:
        """ssh's command line."""
        return in_netns(["ssh", "-F", str(self.paths.ssh_config), *options, self.host.name, *words])

    def run(self, script: str, timeout: float = 120, check: bool = True) -> str:
        """What a shell script prints."""
        command = self.ssh_command(["sh", "-s"])
        return run(command, stdin=script, timeout=timeout, check=check).stdout

    def answers(self) -> bool:
        """Whether a command runs over ssh."""
        return self.run("echo yes", timeout=30, check=False) == "yes\n"

    def joined(self) -> bool:
        """Whether its kubelet has the certificate that a join ends with."""
        pem = "/var/lib/kubelet/pki/kubelet-client-current.pem"
        return self.run(f"test -e {pem} && echo yes", timeout=60, check=False) == "yes\n"

    def load(self) -> float:
        """Its load average of the last minute."""
        return float(self.run("cut -d' ' -f1 /proc/loadavg"))

    def hang_up(self) -> None:
        """Close the shared connection: it does not survive a change of the guest's memory."""
        run(self.ssh_command([], "-O", "exit"), timeout=10, check=False)
        (self.paths.sockets / f"root@{self.host.address}").unlink(missing_ok=True)

    def wake(self) -> bool:
        """Tell a guest whose memory was put back what it missed; False when its shell does not answer.

        That is the time, that the bridge may have another address than when the snapshot was made, and that its
        connections to the API server are no more: nobody on the other side knows them, and the kubelet would wait most of
        a minute to find out.
        """
        # The marker is not in what the terminal echoes, only in what the shell prints.
        date = f"date -s @{time.time() + 0.1:.3f} >/dev/null"
        line = f"\n{date}; ip neigh flush all; ss -K dport = :{API_PORT} >/dev/null; echo awa''ke\n"
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(str(self.paths.shell(self.host)))
                connection.sendall(line.encode())
                return _hears(connection, b"awake")
        except OSError:
            return False

    def set_clock(self) -> None:
        """Make sure over ssh that the guest's clock is ours, and that its time service knows: it was set behind its back,
        and the next poll of a guest that has been up for long is half an hour away.
        """
        there = self.run("date +%s.%N", timeout=60).strip()
        if abs(float(there) - time.time()) > 2:
            self.run(f"date -s @{time.time():.3f}")
        self.run("systemctl try-restart systemd-timesyncd", timeout=60)
