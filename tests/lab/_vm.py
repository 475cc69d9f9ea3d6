# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workers: QEMU virtual machines on one disk image, and their snapshots."""

from __future__ import annotations

import base64
import json
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab import _network, _process
from tests.lab._image import GuestImage
from tests.lab._model import GATEWAY, SNAPSHOT, Host, LabError, Paths
from tests.lab._shell import in_netns, run, write

MEMORY_MIB = 1400
CPUS = 2
# tb-size: with 256 MiB a node at work filled it within half a minute ("info jit" of QEMU, read by hand), and all of the
# translated code was thrown away. erms: a guest that has it clears and copies memory byte by byte, which TCG interprets
# as such (dd from /dev/zero, by hand: 124 MB/s with, 1.2 GB/s without). la57: a fifth level of page tables to walk.
ACCELERATORS = {
    "kvm": ["-accel", "kvm", "-cpu", "host"],
    "tcg": ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max,-erms,-la57"],
}
PROBE_SECONDS = 20


def kernel_command_line(host: Host) -> str:
    """Address and identity: the only things in which one guest differs from another."""
    # As a credential for systemd-network-generator: ip= would make the initrd wait for the network.
    network = f"[Match]\nName=eth0\n[Network]\nAddress={host.address}/24\nGateway={GATEWAY}\n"
    credential = base64.b64encode(network.encode()).decode()
    # panic=5: translated code is sometimes overtaken by a kernel that patches itself (int3 in early boot); start again.
    return (
        "root=/dev/vda rw console=ttyS0 mitigations=off net.ifnames=0 panic=5"
        f" systemd.hostname={host.name} systemd.machine_id={host.machine_id}"
        # A root shell that needs no network; it sleeps until somebody types.
        " systemd.debug_shell=hvc0"
        f" systemd.set_credential_binary=network.network.10-lab:{credential}"
    )


def command(paths: Paths, image: GuestImage, host: Host, accelerator: str, restore: bool) -> list[str]:
    """QEMU's command line; `restore` starts from the snapshot instead of booting."""
    return [
        "qemu-system-x86_64",
        *("-name", host.name, "-machine", "pc", *ACCELERATORS[accelerator]),
        *("-smp", str(CPUS), "-m", str(MEMORY_MIB), "-rtc", "base=utc,clock=host"),
        *("-nodefaults", "-no-user-config", "-display", "none"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
        *("-append", kernel_command_line(host)),
        *("-drive", f"file={paths.overlay(host)},if=virtio,cache=unsafe,discard=unmap"),
        *("-netdev", f"tap,id=net,ifname={host.tap},script=no,downscript=no"),
        *("-device", f"virtio-net-pci,netdev=net,mac={host.mac},romfile="),
        *("-device", "virtio-rng-pci"),
        *("-chardev", f"socket,id=shell,path={paths.shell(host)},server=on,wait=off"),
        *("-device", "virtio-serial", "-device", "virtconsole,chardev=shell"),
        *("-chardev", f"file,id=console,path={paths.console(host)},append=on"),
        *("-serial", "chardev:console"),
        *("-qmp", f"unix:{paths.monitor(host)},server=on,wait=off"),
        *(("-loadvm", SNAPSHOT) if restore else ()),
    ]


def _kvm_boots(image: GuestImage) -> bool:
    """Whether KVM can run this kernel: without a root it panics, and -no-reboot ends QEMU."""
    probe = ["qemu-system-x86_64", *ACCELERATORS["kvm"], "-m", "256", "-nodefaults", "-no-user-config"]
    output = ["-display", "none", "-serial", "stdio", "-no-reboot"]
    kernel = ["-kernel", str(image.kernel), "-append", "console=ttyS0 panic=-1"]
    try:
        done = run([*probe, *output, *kernel], timeout=PROBE_SECONDS, check=False)
    except LabError:
        return False
    return done.returncode == 0 and "Kernel panic" in done.stdout


def accelerator(paths: Paths, image: GuestImage) -> str:
    """KVM where it really works: the device may be there and unable to run the kernel."""
    remembered = paths.state / "accelerator"
    if remembered.exists():
        return remembered.read_text(encoding="ascii")
    found = "kvm" if Path("/dev/kvm").exists() and _kvm_boots(image) else "tcg"
    write(remembered, found)
    return found


@dataclass(frozen=True)
class Monitor:
    """QEMU's monitor socket (QMP)."""

    path: Path
    timeout: float = 120

    def _exchange(self, stream: Any, execute: str, **arguments: str) -> Any:
        stream.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        stream.flush()
        for line in stream:
            reply = json.loads(line)
            if "error" in reply:
                raise LabError(f"{self.path.name}: {execute}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
        raise LabError(f"{self.path.name}: {execute}: no answer")

    def command(self, line: str) -> str:
        """A command for people, whose only sign of failure is that it says something."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(self.timeout)
            try:
                connection.connect(str(self.path))
                with connection.makefile("rw", encoding="utf-8") as stream:
                    stream.readline()
                    self._exchange(stream, "qmp_capabilities")
                    reply = self._exchange(stream, "human-monitor-command", **{"command-line": line})
            except OSError as error:
                raise LabError(f"the monitor {self.path.name} does not answer: {error}") from error
        return str(reply).strip()

    def must(self, line: str) -> None:
        """A command that says nothing when it works."""
        words = self.command(line)
        if words:
            raise LabError(f"{self.path.name}: {line}: {words}")


def has_snapshot(paths: Paths, host: Host) -> bool:
    """Whether the host's disk holds the baseline; also while QEMU runs."""
    overlay = paths.overlay(host)
    if not overlay.exists():
        return False
    listing = run(["qemu-img", "info", "--force-share", "--output=json", str(overlay)]).stdout
    snapshots = json.loads(listing).get("snapshots", [])
    return any(snapshot["name"] == SNAPSHOT for snapshot in snapshots)


def _fresh_overlay(paths: Paths, image: GuestImage, host: Host) -> None:
    paths.vms.mkdir(parents=True, exist_ok=True)
    backing = ["-b", str(image.disk), "-F", "raw"]
    run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, str(paths.overlay(host))])


def start(paths: Paths, image: GuestImage, host: Host) -> bool:
    """Start the host's VM unless it runs; True when it had to be started."""
    if host.name in _process.table(paths):
        return False
    paths.sockets.mkdir(parents=True, exist_ok=True)
    paths.logs.mkdir(parents=True, exist_ok=True)
    restore = has_snapshot(paths, host)
    if not restore:
        _fresh_overlay(paths, image, host)
    _network.attach(host)
    chosen = accelerator(paths, image)
    _process.start(paths, host.name, in_netns(command(paths, image, host, chosen, restore)))
    return True


def discard(paths: Paths, host: Host) -> None:
    """End the VM and forget its disk."""
    _process.stop(paths, [host.name], patience=0)
    paths.overlay(host).unlink(missing_ok=True)


def existing(paths: Paths) -> list[Host]:
    """The hosts that have a disk, running or not."""
    return sorted(Host(int(disk.stem.removeprefix("pi-"))) for disk in paths.vms.glob("pi-*.qcow2"))


def require_room(paths: Paths) -> None:
    """A VM's disk and snapshot may need some gigabytes."""
    free = shutil.disk_usage(paths.state).free
    if free < 8 * 2**30:
        raise LabError(f"{paths.state}: {free / 2**30:.1f} GiB free, the lab wants 8")
