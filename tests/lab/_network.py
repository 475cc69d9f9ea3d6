# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's network: a namespace of its own with a bridge, and no way out."""

from __future__ import annotations

from tests.lab._model import BRIDGE, GATEWAY, NETNS, Host
from tests.lab._shell import NETNS_FILE, in_netns, run


def exists() -> bool:
    """Whether the lab's network namespace is there, and not only the file of a dead one."""
    return run(in_netns(["true"]), check=False).returncode == 0


def _ip(*words: str, check: bool = True) -> bool:
    return run(in_netns(["ip", *words]), check=check).returncode == 0


def create() -> None:
    """The namespace and the bridge, whatever of them is already there."""
    if not exists():
        run(["ip", "netns", "delete", NETNS], check=False)
        run(["ip", "netns", "add", NETNS])
    if not _ip("link", "show", BRIDGE, check=False):
        _ip("link", "add", BRIDGE, "type", "bridge", "stp_state", "0", "forward_delay", "0")
    _ip("address", "replace", f"{GATEWAY}/24", "dev", BRIDGE)
    for link in ("lo", BRIDGE):
        _ip("link", "set", link, "up")


def attach(host: Host) -> None:
    """The host's port on the bridge."""
    if not _ip("link", "show", host.tap, check=False):
        _ip("tuntap", "add", host.tap, "mode", "tap")
    _ip("link", "set", host.tap, "master", BRIDGE, "up")


def delete() -> None:
    """Remove the namespace; bridge and taps go with it."""
    if NETNS_FILE.exists():
        run(["ip", "netns", "delete", NETNS])
