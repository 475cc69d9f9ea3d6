# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""What a node needs of its host and what may be set without asking: each setting can be taken back.

Swap is switched off for now and for good, the kernel's modules and switches that Pod networks need are set for now and for
good, the directories of CNI are made, and a time service that is installed is started. Nothing is installed, no file that
a person may have written is edited, and nothing takes a boot.
"""

from __future__ import annotations

import os
import time
import typing as t
from collections.abc import Callable
from functools import partial

from .._diagnosis.node import Profile
from .._parse.procfs import swaps
from .command import run
from .durable import write
from .errors import EXPECTED, ProbeError, words
from .files import read, read_or_none
from .profile import UNIT_DIRS

SECONDS: t.Final = 30.0
MODULES: t.Final = ("overlay", "br_netfilter")
# ip_forward: kubeadm's preflight asks for it; the bridge's: kube-proxy and most Pod networks.
SYSCTLS: t.Final = {"net.ipv4.ip_forward": "1", "net.bridge.bridge-nf-call-iptables": "1"}
LOADED: t.Final = "/etc/modules-load.d/outward-kubelet.conf"
SWITCHED: t.Final = "/etc/sysctl.d/99-outward-kubelet.conf"
# A clock that is far off is stepped with the first answer; a server that answers takes a second or two.
SYNCHRONISED: t.Final = 60.0
# What switches swap on by itself, past systemd's units for it: Raspberry Pi OS bookworm, Debian's zram-tools.
SWAPPERS: t.Final = ("dphys-swapfile.service", "zramswap.service")
PAUSE: t.Final = 1.0
Undo = Callable[[], object]


class Settings:
    """Of one machine; *systemctl* is :meth:`~.task.Host.systemctl`. *root* is put before every path, for tests."""

    def __init__(self, profile: Profile, systemctl: Callable[..., t.Optional[str]], root: str = "") -> None:
        self._profile, self._systemctl, self._root = profile, systemctl, root
        self.done: list[str] = []  # what was set, in words
        self._undo: list[Undo] = []

    def make(self) -> None:
        """Set what is not so yet; raises OSError and ProbeError that say what could not be set."""
        for deed in (self._swap, self._modules, self._sysctls, self._directories):
            deed()

    def undo(self) -> None:
        """As it was before, the last one first."""
        while self._undo:
            self._undo.pop()()
        self.done.clear()

    def start_clock(self, service: str, synchronised: Callable[[], bool]) -> t.Optional[str]:
        """Start *service*, and wait until the clock is synchronised; why it is not."""
        if not synchronised():
            problem = self._systemctl("enable", "--now", service, seconds=SECONDS)
            if problem is not None:
                return f"{service} cannot be started: {problem}"
            self.done.append(f"{service} was started")
        for dummy in range(int(SYNCHRONISED / PAUSE)):
            if synchronised():
                return None
            time.sleep(PAUSE)
        return f"the clock is not synchronised after {SYNCHRONISED:.0f} s of {service}: does it reach a time server?"

    def _swap(self) -> None:
        """A unit that is masked is started neither by fstab nor by a generator."""
        devices = swaps(read(f"{self._root}/proc/swaps"))
        services = [name for name in SWAPPERS if devices and _installed(self._root, name)]
        for service in services:
            self.ask("mask", service)
            self._record(f"{service} was masked", partial(self.ask, "unmask", service))
        for device in devices:
            unit = _told(["systemd-escape", "--path", "--suffix=swap", device]).strip()
            _told(["swapoff", device])
            self._record(f"swap on {device} was switched off, and {unit} masked", partial(_told, ["swapon", device]))
            self.ask("mask", unit)
            self._undo.append(partial(self.ask, "unmask", unit))

    def _modules(self) -> None:
        missing = [name for name in MODULES if not os.path.isdir(f"{self._root}/sys/module/{name}")]
        if missing:
            _told(["modprobe", "--all", *missing])
            self.done.append(f"loaded {', '.join(missing)}")
        self._file(LOADED, "".join(f"{name}\n" for name in MODULES))

    def _sysctls(self) -> None:
        for name, value in SYSCTLS.items():
            path = f"{self._root}/proc/sys/{name.replace('.', '/')}"
            before = read(path).strip()
            if before != value:
                _put(path, value)
                self._record(f"{name} was set to {value}", partial(_put, path, before))
        self._file(SWITCHED, "".join(f"{name} = {value}\n" for name, value in SYSCTLS.items()))

    def _directories(self) -> None:
        for path in (self._profile.cni_config_dir, self._profile.cni_bin_dirs[0], self._profile.static_pod_dir):
            if not os.path.isdir(self._root + path):
                os.makedirs(self._root + path, mode=0o755)
                self._record(f"{path} was made", partial(os.rmdir, self._root + path))

    def _file(self, path: str, text: str) -> None:
        """So that it is so after the next boot."""
        before = read_or_none(self._root + path)
        if before == text:
            return
        os.makedirs(os.path.dirname(self._root + path), exist_ok=True)
        write(self._root + path, text, 0o644)
        whole = self._root + path
        restore = partial(os.unlink, whole) if before is None else partial(write, whole, before, 0o644)
        self._record(f"{path} was written", restore)

    def _record(self, words: str, undo: Undo) -> None:
        self.done.append(words)
        self._undo.append(undo)

    def ask(self, *arguments: str) -> None:
        """`systemctl ARGUMENTS`; raises ProbeError with its complaint."""
        problem = self._systemctl(*arguments, seconds=SECONDS)
        if problem is not None:
            raise ProbeError(problem)


def _installed(root: str, unit: str) -> bool:
    return any(os.path.lexists(f"{root}{place}/{unit}") for place in UNIT_DIRS)


def _put(path: str, text: str) -> None:
    """Into a file of the kernel, which is not replaced."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode("ascii"))
    finally:
        os.close(descriptor)


def _told(command: t.Sequence[str]) -> str:
    """What a command prints; raises ProbeError with its complaint."""
    try:
        answer = run(command, SECONDS)
    except EXPECTED as error:
        raise ProbeError(f"{command[0]}: {words(error)}") from error
    if answer.status != 0:
        raise ProbeError(f"{' '.join(command)}: {' '.join(answer.err.split())[-200:] or answer.status}")
    return answer.out
