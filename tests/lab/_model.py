# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab consists of: names, addresses and places, all derived from little."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

KUBERNETES_VERSION = "v1.37.2"
NETNS = "outward-lab"
BRIDGE = "br0"
GATEWAY = "10.77.0.1"
API_PORT = 6443
API_SERVER = f"https://{GATEWAY}:{API_PORT}"
FIRST_WORKER = 4
DEFAULT_WORKERS = 2
MAX_WORKERS = 60
SNAPSHOT = "baseline"


class LabError(Exception):
    """Something a person has to know; the message is all they see."""


@dataclass(frozen=True, order=True)
class Host:
    """A worker; its number gives it every identity it has."""

    number: int

    @property
    def name(self) -> str:
        return f"pi-{self.number:02d}"

    @property
    def address(self) -> str:
        return f"10.77.0.{10 + self.number}"

    @property
    def mac(self) -> str:
        return f"52:54:00:77:00:{self.number:02x}"

    @property
    def tap(self) -> str:
        return f"tap-{self.name}"

    @property
    def pod_cidr(self) -> str:
        return f"10.244.{self.number}.0/24"

    @property
    def machine_id(self) -> str:
        return hashlib.sha256(f"outward-lab {self.name}".encode()).hexdigest()[:32]


def parse_host(name: str) -> Host:
    """`pi-04`, or an error that says what a host is called here."""
    match = re.fullmatch(r"pi-(\d\d)", name)
    if match is None or not FIRST_WORKER <= int(match[1]) < FIRST_WORKER + MAX_WORKERS:
        raise LabError(f"{name} is no host of the lab: they are called pi-04, pi-05, ...")
    return Host(int(match[1]))


def workers(count: int) -> tuple[Host, ...]:
    """The first `count` workers."""
    if not 1 <= count <= MAX_WORKERS:
        raise LabError(f"the lab has 1 to {MAX_WORKERS} workers, not {count}")
    return tuple(Host(FIRST_WORKER + index) for index in range(count))


@dataclass(frozen=True)
class Paths:
    """Where the lab keeps what it runs on (state) and what it can make again (cache)."""

    state: Path
    cache: Path

    @property
    def inventory(self) -> Path:
        return self.state / "inventory" / "hosts.yml"

    @property
    def ssh_config(self) -> Path:
        return self.state / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        return self.state / "known_hosts"

    @property
    def kubeconfig(self) -> Path:
        return self.state / "admin.kubeconfig"

    def access(self, role: str) -> Path:
        """A kubeconfig with the rights of one of rbac/*.yml."""
        return self.state / f"{role}.kubeconfig"

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def logs(self) -> Path:
        return self.state / "log"

    @property
    def sockets(self) -> Path:
        """Short on purpose: a socket's path has 107 characters at most."""
        return self.state / "s"

    @property
    def vms(self) -> Path:
        return self.state / "vm"

    @property
    def parts(self) -> Path:
        """What the existing lab is made of."""
        return self.state / "parts.json"

    @property
    def baseline(self) -> Path:
        return self.state / "baseline.json"

    def overlay(self, host: Host) -> Path:
        return self.vms / f"{host.name}.qcow2"

    def console(self, host: Host) -> Path:
        return self.logs / f"{host.name}.console"

    def shell(self, host: Host) -> Path:
        return self.sockets / f"{host.name}.shell"

    def monitor(self, host: Host) -> Path:
        return self.sockets / f"{host.name}.qmp"


def default_paths(environ: Mapping[str, str], home: Path) -> Paths:
    """The XDG places; one lab for each user of a machine, whatever the checkout."""
    state = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache")
    return Paths(state / "outward-kubelet" / "lab", cache / "outward-kubelet")
