# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person does who is told what to type: the commands as they are printed, and what only hands can do.

A command is a part of what the report has under ``next``, to the letter; what stands between two of them in words (give the
address back, mend the file, replace the cable) is done by hand, as a step of the lab.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.signs import RECENT
from tests.faults.model import Step, node
from tests.lab._model import KUBERNETES_VERSION

# The culprit was named, and a person takes it away.
HANDS: t.Final = "by hand: as the fault is undone"
Act = str | Step
# The kubelet waits up to 5 min before it tries a container again, and as long before it takes a pressure for over.
CURED: t.Final = 420.0
# For as long what the kernel has said counts (signs.RECENT), and then it has to be looked at.
OF_THE_KERNEL: t.Final = RECENT + 60


@dataclass(frozen=True)
class Advice:
    """The acts in their order: commands with {host} and {node}, steps of the lab, and HANDS."""

    acts: tuple[Act, ...]
    shows: str = ""  # what the commands print names the culprit: a regular expression
    package: str = ""  # which the node's mirror has
    cured: float = CURED  # seconds until nothing is found any more, at the latest

    @property
    def typed(self) -> tuple[str, ...]:
        """The commands alone."""
        return tuple(act for act in self.acts if isinstance(act, str) and act != HANDS)


def cures(*acts: Act) -> Advice:
    """Then the node works again."""
    return Advice(acts)


def names(command: str, shows: str, cured: float = CURED) -> Advice:
    """The command tells who it is; what is to be done with that is a person's."""
    return Advice((command, HANDS), shows, cured=cured)


def installs(package: str, command: str) -> Advice:
    """A package brings back what is not there."""
    return Advice((command,), package=package)


def words() -> Advice:
    """No command, but what to do."""
    return Advice((HANDS,))


RECOVER: t.Final = cures("ansible-playbook certificates-recover.yml -l {host}")
JOIN: t.Final = "ansible-playbook node-join.yml -l {host}"
# A minute, for node-join refuses the name of a Node whose Lease has not expired, and says so.
RESET: t.Final = node("kubeadm reset --force; sleep 60")
LOOK_AT_DISK: t.Final = "ssh {host} 'sudo du -axh -d3 / | sort -h | tail'"
APT: t.Final = "sudo apt-get install --reinstall"
KUBELET: t.Final = f"{APT} --allow-change-held-packages kubelet={KUBERNETES_VERSION[1:]}-*"
ADVICE: t.Final[dict[str, Advice]] = {
    "kubelet-unit-masked": cures(
        "ssh {host} 'sudo systemctl unmask kubelet.service && sudo systemctl start kubelet.service'"
    ),
    "kubelet-not-installed": installs(
        "kubelet",
        f"ssh {{host}} '{KUBELET} && sudo apt-mark hold kubelet && sudo systemctl restart kubelet.service'",
    ),
    "kubelet-exec-failed": installs("kubelet", f"ssh {{host}} 'file /usr/bin/kubelet; {KUBELET}'"),
    "kubelet-oom-killed": names(
        "ssh {host} 'systemctl show -p MemoryMax kubelet.service; systemd-cgtop -m -n1 -b'", r"MemoryMax=\d+"
    ),
    "kubelet-healthz-port-in-use": names("ssh {host} 'sudo ss -ltnp sport = :10248'", "python3"),
    "kubelet-port-10250-in-use": names("ssh {host} 'sudo ss -ltnp sport = :10250'", "python3"),
    "node-ip-changed-dhcp": words(),
    "kubelet-cgroup-driver-mismatch": words(),
    "containerd-config-invalid": names("ssh {host} 'sudo containerd config dump > /dev/null'", "toml"),
    "containerd-config-version": names("ssh {host} 'sudo containerd config dump > /dev/null'", "version"),
    "containerd-cri-plugin-load-failed": names("ssh {host} 'sudo ctr plugins ls'", r"cri +\S+ +error"),
    "containerd-runc-missing": installs("runc", f"ssh {{host}} {APT} runc"),
    "containerd-shim-binary-missing": installs("containerd", f"ssh {{host}} {APT} containerd"),
    "containerd-metadata-db-corrupt": cures(
        node(
            "systemctl stop kubelet containerd; mv /var/lib/containerd /var/lib/containerd.aside\n"
            # The lab's registry is its disk.
            "systemctl start containerd; rm /var/lib/outward-lab/images-imported; systemctl restart outward-lab-images\n"
            "systemctl start kubelet"
        )
    ),
    "containerd-shim-hung": Advice(
        (
            "ssh {host} 'ps -eo pid,stat,etimes,args | grep [c]ontainerd-shim'",
            node("kill -9 $(ps -eo pid=,stat=,args= | awk '$2 ~ /^T/ && /containerd-shim/ {print $1}')"),
        ),
        r"\d+ T\S* +\d+ \S*containerd-shim",
    ),
    "containerd-overlay-unsupported": names(
        "ssh {host} 'sudo modprobe overlay; ls /lib/modules/$(uname -r); findmnt -T /var/lib/containerd'", "modprobe: "
    ),
    "containerd-disk-full": names(
        "ssh {host} 'sudo crictl rmi --prune; sudo du -axh -d3 /var/lib/containerd | sort -h | tail'", "/outward"
    ),
    "containerd-snapshot-corrupt": names(
        "ssh {host} 'sudo ctr -n k8s.io images check'", r"incomplete|unable to check unpack for outward\.lab/web:1"
    ),
    "kubelet-client-cert-expired": RECOVER,
    "apiserver-ca-mismatch": RECOVER,
    "kubelet-client-ca-rejected": RECOVER,
    "bootstrap-token-expired": RECOVER,
    "kubelet-half-joined": RECOVER,
    "node-identity-wrong": cures(RESET, JOIN),
    "kubelet-serving-csr-pending": cures("ansible-playbook certificates-approve.yml -l {host}"),
    "kubelet-client-csr-pending": RECOVER,
    "kubelet-client-csr-denied": cures(
        "ansible-playbook certificates-recover.yml -l {host} "
        '-e \'{{"outward_steps": {{"allow": ["renew-client-certificate"]}}}}\''
    ),
    "disk-pressure-nodefs": names(LOOK_AT_DISK, "/var/lib/outward-fill"),
    "disk-pressure-shared-imagefs": names(LOOK_AT_DISK, "/var/lib/outward-fill"),
    "disk-pressure-volume": words(),
    "disk-pressure-host-path": words(),
    "disk-pressure-imagefs": names(
        "ssh {host} 'sudo du -axh -d3 /var/lib/containerd | sort -h | tail'", "/var/lib/containerd/outward"
    ),
    "memory-pressure": names("ssh {host} systemd-cgtop -m -n1 -b", "outward-eater"),
    "inode-exhaustion": names(
        "ssh {host} 'sudo du -x --inodes -d3 /var/lib/kubelet | sort -n | tail'", "/var/lib/kubelet/outward"
    ),
    "kernel-oom-system": names("ssh {host} 'sudo dmesg | grep -B60 \"Out of memory\"'", "python3", OF_THE_KERNEL),
    "pid-exhaustion": names("ssh {host} systemd-cgtop -m -n1 -b --order=tasks", "outward-crowd"),
    "eviction-thresholds-disabled": words(),
    "cpu-starvation": names("ssh {host} systemd-cgtop -n2 -b --order=cpu", "outward-spin"),
    "image-gc-failing": names("ssh {host} 'sudo du -axh -d3 / | sort -h | tail -20'", "/var/lib/outward-fill"),
    "apiserver-firewalled": names("ssh {host} 'sudo nft list ruleset; ip route'", r"10\.77\.0\.1 tcp dport 6443 drop"),
    "ssh-dead-kubelet-alive": words(),
    "cni-binary-missing": installs("containernetworking-plugins", f"ssh {{host}} {APT} containernetworking-plugins"),
    "node-no-route": words(),
    "heartbeat-jitter-network": names("ssh {host} 'ip -s link; sudo ethtool eth0'", "eth0"),
    "node-link-down": words(),
    "iptables-forward-drop": names("ssh {host} 'sudo iptables -S FORWARD; sudo nft list chains'", "-P FORWARD DROP"),
    "runtime-cannot-start-pods": names("ssh {host} 'sudo journalctl -u containerd.service -n 50'", "broken on purpose"),
    "kubelet-port-firewalled": words(),
    "registry-unreachable-from-node": words(),
    "rootfs-read-only": names("ssh {host} 'sudo dmesg | tail -50'", "Emergency Remount R/O"),
    "nfs-mount-hung": words(),
    "data-mount-missing": names(
        "ssh {host} 'lsblk -f; systemctl list-units --type=mount --state=failed'", r"(?s)^(?!.*outward-data)"
    ),
    "csi-driver-not-registered": names("ssh {host} sudo ls -l /var/lib/kubelet/plugins_registry", "total 0"),
    "undervoltage": words(),
    "thermal-throttle": words(),
    "sd-card-io-errors": words(),
    "kernel-modules-missing": names("ssh {host} 'uname -r; ls /lib/modules'", r"(?m)^outward\.off$"),
    "kernel-hung-task": names(
        "ssh {host} 'ps -eo stat,pid,wchan:32,comm | grep ^D; sudo dmesg | grep -A20 blocked'",
        r"task sh:\d+ blocked for more than",
    ),
    # Boots count for half an hour.
    "reboot-loop": names("ssh {host} 'journalctl --list-boots | tail; journalctl -b -1 -n 30'", "reboot", cured=1900.0),
    "kernel-panic-reboot": names(
        "ssh {host} 'sudo journalctl -b -1 -n 50; sudo ls -R /sys/fs/pstore /var/lib/systemd/pstore'",
        "pstore",
        cured=1000.0,  # a boot is news for a quarter of an hour
    ),
    "node-dead": words(),
}
