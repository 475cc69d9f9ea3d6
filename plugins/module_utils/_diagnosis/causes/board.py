# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!
"""Causes in the board: power, heat, the card, and who sets its clock."""

from __future__ import annotations

from collections.abc import Iterator

from ..cluster import ClusterEvidence
from ..node import NodeEvidence
from ..registry import cause
from ..signs import CLOCK_TOLERANCE, RECENT, clock_offset, lately, quote, said

# Bits of `vcgencmd get_throttled`; the same 16 places higher: since the boot.
VOLTAGE, CAPPED, THROTTLED, SOFT_LIMIT = 1, 2, 4, 8
SINCE_BOOT = 16
HOT = 80.0
# The hwmon driver of the firmware, and its forerunner.
TOO_LITTLE = r"hwmon\d*: Undervoltage detected|Under-voltage detected! \(0x[0-9a-f]{1,8}\)"
TOO_HOT = r"temperature (?:is )?above threshold, cpu clock (?:is )?throttled"
# Not `whilst initialising`: that is an empty slot, or a card that is none.
BAD_MEDIUM = (
    r"mmc\d+: (?:timeout waiting for hardware interrupt|card never left busy state|Card stuck)"
    r"|mmcblk\d+: (?:error -110|recovery failed)|(?:I/O|critical (?:medium|target)) error, dev (?:mmcblk|sd|nvme|vd)"
    r"|Buffer I/O error on dev(?:ice)? (?:mmcblk|sd|nvme|vd)"
)


def no_longer_too_little(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """It was so since the boot, and is not so now."""
    return (
        lately(node, TOO_LITTLE, node.kernel.journal, seconds=RECENT) is None
        and not (node.board.throttled or 0) & VOLTAGE
    )


def no_longer_too_hot(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """It was so since the boot, and is not so now."""
    return lately(node, TOO_HOT, node.kernel.journal, seconds=RECENT) is None and not too_hot_now(node)


def too_hot_now(node: NodeEvidence) -> bool:
    """The firmware holds the clock back, and not for want of voltage."""
    bits = node.board.throttled or 0
    if bits & VOLTAGE or not bits & (CAPPED | THROTTLED | SOFT_LIMIT):
        return False
    return bool(bits & THROTTLED) or (node.board.temperature or 0) >= HOT


def errors_long_ago(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """The medium has been quiet since."""
    return lately(node, BAD_MEDIUM, node.kernel.journal, seconds=RECENT) is None


def always(node: NodeEvidence, cluster: ClusterEvidence) -> bool:
    """It has no effect by itself: a clock that is wrong already is another cause."""
    return True


@cause(
    id="undervoltage",
    layer="kernel",
    title="The board gets too little voltage",
    restart="useless",
    refusal="it takes another power supply",
    explains=(
        "cpu-starvation",
        "kernel-panic-reboot",
        "node-link-down",
        "reboot-loop",
        "rootfs-read-only",
        "sd-card-io-errors",
        "thermal-throttle",
    ),
    latent=no_longer_too_little,
    advice="replace the power supply and the cable of {host}, and give its USB disks a hub with a supply of its own",
)
def undervoltage(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The firmware measures it; its sticky bits prove that it was so since the boot, even when it is well now."""
    line = said(node.kernel.journal, TOO_LITTLE)
    if line:
        yield quote(line[0])
    bits = node.board.throttled or 0
    if bits & (VOLTAGE | VOLTAGE << SINCE_BOOT):
        yield f"throttled={bits:#x}: under-voltage {'now' if bits & VOLTAGE else 'since the boot'}"


@cause(
    id="thermal-throttle",
    layer="kernel",
    title="The processor is too hot and is held back",
    restart="useless",
    refusal="it takes cooling",
    explains=("cpu-starvation", "kernel-hung-task", "sym:flapping"),
    latent=no_longer_too_hot,
    advice="cool {host} (heat sink, fan, a case with air), or take load off it",
)
def thermal_throttle(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The firmware says throttled without under-voltage, which caps the clock too; the soft limit alone is by design."""
    line = said(node.kernel.journal, TOO_HOT)
    if line:
        yield quote(line[0])
    bits, degrees = node.board.throttled or 0, node.board.temperature
    if too_hot_now(node) or (bits >> SINCE_BOOT & THROTTLED and not bits >> SINCE_BOOT & VOLTAGE):
        yield f"throttled={bits:#x}" + (f", {degrees:.0f} degrees" if degrees else "")


@cause(
    id="sd-card-io-errors",
    layer="storage",
    title="The medium answers with errors",
    restart="useless",
    refusal="it takes another medium",
    explains=(
        "containerd-metadata-db-corrupt",
        "containerd-snapshot-corrupt",
        "io-stall",
        "kubelet-client-pem-corrupt",
        "kubelet-exec-failed",
        "rootfs-read-only",
    ),
    latent=errors_long_ago,
    advice="drain {node} and replace the medium of {host}; before that rule out its power supply and its cable",
)
def sd_card_io_errors(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """More than one error of the device, or one and the filesystem counts errors too; wear itself is not shown by a card."""
    found = said(node.kernel.journal, BAD_MEDIUM)
    if not found:
        return
    counted = [
        f"{device}: {count} errors counted by ext4" for device, count in node.storage.ext4_errors.items() if count
    ]
    if found[0].count > 1 or counted:
        yield quote(found[0])
        yield from counted


@cause(
    id="time-sync-absent",
    layer="clock",
    title="Nobody sets the node's clock",
    restart="useless",
    refusal="a restart does not set the clock",
    automate="safe",
    explains=("clock-skew-past",),
    latent=always,
    advice="ssh {host} sudo systemctl enable --now systemd-timesyncd (or chrony, one of them); when one runs already: "
    "timedatectl timesync-status, and UDP 123 to its server",
)
def time_sync_absent(node: NodeEvidence, cluster: ClusterEvidence) -> Iterator[str]:
    """The clock is still right, or another cause would say so; without a battery it is wrong after the next boot."""
    clock, offset = node.clock, clock_offset(node)
    if offset is not None and abs(offset) > CLOCK_TOLERANCE:
        return
    if clock.service is None:
        yield "no time service is active"
    elif not clock.synchronized and node.identity.uptime > 600:
        yield f"{clock.service} is active, and the clock is not synchronised"
