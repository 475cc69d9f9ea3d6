# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Situations in which nothing may be done, how each is brought about, and the words that have to be said."""

from __future__ import annotations

import dataclasses
import json
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.outward.kubelet.plugins.module_utils._diagnosis.steps import CHOSEN
from tests.faults.compound import FILL
from tests.faults.model import Fault, Step, controller, node
from tests.faults.network import drop
from tests.faults.table import FAULTS

STOP: t.Final = node("systemctl stop kubelet")
STOPPED: t.Final = node("[ $(systemctl show -P ActiveState kubelet) = inactive ]")
LEDGER: t.Final = "/var/lib/outward-kubelet"
# Longer than the window in which two losses count as one (causes/fleet.py), and two renewals of a Lease.
APART: t.Final = 90
CAP: t.Final = "outward_max_unavailable"
RESTART: t.Final = "restart-kubelet: "
REFUSED: t.Final = ("refused",)
EITHER: t.Final = ("refused", "needs-operator")  # by a guard, or because the cause is no case for a restart


@dataclass(frozen=True)
class Case:
    """One situation; *words* is a regular expression of what the run has to say."""

    fault: Fault
    words: str
    outcomes: tuple[str, ...] = REFUSED
    variables: Mapping[str, t.Any] = field(default_factory=dict)
    workers: int = 1  # that the lab needs
    again: bool = False  # the first recovery is right, and the fault is brought about once more after it
    cordoned: bool = False  # by somebody else, as part of the situation
    kind: str = "guard"

    @property
    def id(self) -> str:
        """Of its row."""
        return self.fault.id


def broken(id: str, *inject: Step, holds: Step = STOPPED, **more: t.Any) -> Fault:
    """A situation of ours; what it does to the node itself is undone by the lab's reset."""
    fields: dict[str, t.Any] = {"undo": (), "outcome": "refused", "deadline": 90, **more}
    return Fault(id=id, inject=inject, holds=holds, **fields)


def named(id: str, name: str, **more: t.Any) -> Fault:
    """A fault of tests/faults under the name of a situation."""
    return dataclasses.replace(FAULTS[name], id=id, roots=FAULTS[name].roots or (name,), **more)


# Many of these causes have a repair: without it, what would be left to do is the restart.
UNREPAIRED: t.Final = {"outward_steps": {"deny": [step for step in CHOSEN if step != "restart-kubelet"]}}


def harmful(what: str, script: str, words: str) -> Case:
    """The kubelet is stopped, and something that it would not survive hides behind that."""
    fault = broken(f"restart-harmful: {what}", node(f"{script}\nsystemctl stop kubelet"))
    return Case(fault, words, EITHER, kind="gate", variables=UNREPAIRED)


def useless(name: str) -> Case:
    """The kubelet is ill, and a restart does not cure that."""
    fault = named(f"restart-useless: {name}", name)
    return Case(fault, rf"\({name}\).*{RESTART}", EITHER, kind="useless", variables=UNREPAIRED)


def entries(*causes: str) -> str:
    """Shell lines that put finished actions into the node's ledger, a minute old; one for each of *causes*."""
    order = {"step": "restart-kubelet", "holder": "test", "reason": "", "state": "x/1"}
    program = (
        "import json, sys, time\n"
        "boot = open('/proc/sys/kernel/random/boot_id').read().strip()\n"
        "at = {'wall': time.time() - 60, 'boot': boot, 'monotonic': time.clock_gettime(time.CLOCK_BOOTTIME) - 60}\n"
        f"for number, cause in enumerate({list(causes)!r}):\n"
        f"    order = {{**{order!r}, 'cause': cause, 'fingerprint': 'abcd%04d' % number}}\n"
        "    print(json.dumps({'v': 1, 'phase': 'intent', 'id': str(number), **order, **at}, sort_keys=True))\n"
        "    print(json.dumps({'v': 1, 'phase': 'result', 'id': str(number), 'result': 'done', **at}, sort_keys=True))\n"
    )
    return f"mkdir -m 700 {LEDGER}; umask 077; python3 - > {LEDGER}/ledger.jsonl <<'ENTRIES'\n{program}ENTRIES"


def annotated(reason: str) -> Step:
    """Hands off, says the Node."""
    return controller(f'kubectl annotate node "$HOST" --overwrite {json.dumps("outward.kubelet/hands-off=" + reason)}')


TURN: t.Final = (
    node(drop("output", "ip daddr 10.77.0.1 tcp dport 6443")),
    controller('for try in $(seq 150); do [ "$(condition Ready)" != Unknown ] || exit 0; sleep 1; done; exit 1'),
    node("nft delete table inet outward_fault"),
    controller('for try in $(seq 150); do [ "$(condition Ready)" != True ] || exit 0; sleep 1; done; exit 1'),
)
OTHERS: t.Final = 'for worker in $(workers); do [ "$worker" = "$HOST" ] || kubectl {} "$worker"; done'

CLUSTER: t.Final = (
    Case(
        broken(
            "api-server-down",
            STOP,
            controller("lab apiserver stop"),
            holds=FAULTS["apiserver-unavailable"].holds,
            undo=FAULTS["apiserver-unavailable"].undo,
            scope="cluster",
        ),
        "frozen: The API server does not answer",
        ("external",),
    ),
    Case(
        named("api-blackholed-for-all-nodes", "apiserver-unreachable-from-nodes"),
        r"\(apiserver-unreachable-from-nodes\)",
        ("external",),
        workers=2,
    ),
    Case(named("nodes-lost-together", "nodes-lost-together"), r"\(nodes-lost-together\)", ("external",), workers=2),
    Case(
        named("mass-failure-just-over", "mass-failure-just-over"),
        r"\(mass-failure-just-over\)",
        ("external",),
        workers=3,
    ),
    Case(
        broken(
            "two-of-three-down",
            controller(f"on $(another) systemctl stop kubelet; sleep {APART}"),
            STOP,
            undo=(controller("for worker in $(workers); do on $worker systemctl start kubelet; done"),),
            scope="cluster",
        ),
        f"unavailable too: with this node 2, and {CAP} is 1",
        workers=3,
    ),
    Case(
        broken(
            "last-ready-node",
            controller(OTHERS.format("cordon")),
            node("systemctl stop containerd"),
            holds=FAULTS["containerd-down"].holds,
            undo=(controller(OTHERS.format("uncordon")), node("systemctl start containerd")),
            scope="cluster",
            note="the run has to come before the cluster has seen that the runtime is down (30 s)",
        ),
        "start-containerd: it is the last node that can take Pods",
        variables={CAP: 9},
        workers=2,
    ),
)
PERSONS: t.Final = (
    Case(
        broken("hands-off-annotation", STOP, annotated("Anna changes its disk")), "hands off, .* Anna changes its disk"
    ),
    Case(broken("hands-off-variable", STOP), "hands off, .* Anna", variables={"outward_hands_off": "Anna is at it"}),
    Case(
        broken("maintenance-window", STOP),
        "hands off until .* the maintenance window",
        variables={"outward_maintenance": ["00:00-12:00 UTC", "12:00-00:00 UTC"]},
    ),
    Case(
        broken("cordoned-by-somebody", STOP, controller('kubectl cordon "$HOST"')),
        "somebody has cordoned it",
        cordoned=True,
    ),
    Case(
        broken(
            "software-being-installed",
            node(
                "mkdir -p /var/lib/dpkg; systemctl stop kubelet\n"
                "systemd-run --unit=outward-apt python3 -c 'import fcntl, time\n"
                'file = open("/var/lib/dpkg/lock-frontend", "w"); fcntl.lockf(file, fcntl.LOCK_EX); time.sleep(3600)\''
            ),
        ),
        "at work on the node",
    ),
    Case(broken("automation-off", STOP), "outward_automate is none", variables={"outward_automate": "none"}),
)
LEDGERS: t.Final = (
    Case(
        broken("ledger-spent", node(f"{entries('a', 'b', 'c')}\nsystemctl stop kubelet")),
        r"3 disruptive actions on this node in the last .* \(budget 3\)",
    ),
    Case(broken("ledger-repeat", STOP), "the cause came back, so the root cause is still there", again=True),
    Case(broken("ledger-unwritable", node(f"echo x > {LEDGER}; systemctl stop kubelet")), "the ledger .* cannot be"),
    Case(
        broken("ledger-corrupt", node(f"mkdir -m 700 {LEDGER}; umask 077; echo x > {LEDGER}/ledger.jsonl"), STOP),
        "line 1 of the ledger cannot be read",
    ),
)
USELESS: t.Final = tuple(
    useless(name)
    for name in (
        "kubelet-client-cert-expired",
        "apiserver-firewalled",
        "cni-config-missing",
        "disk-pressure-nodefs",
        "containerd-hung",
        "kubelet-unit-masked",
    )
)
HARMFUL: t.Final = (
    harmful(
        "swap",
        "fallocate -l 64M /swap.outward; chmod 600 /swap.outward; mkswap /swap.outward; swapon /swap.outward",
        "swap is on|kubelet-swap-on",
    ),
    harmful(
        "missing certificate",
        "keep $PKI/kubelet-client-current.pem; rm $PKI/kubelet-client-current.pem",
        "is not there: a restart would need it|kubelet-client-pem-missing",
    ),
    harmful(
        "unknown flag",
        "keep $FLAGS; sed -i 's/KUBELET_KUBEADM_ARGS=\"/&--container-runtime=remote /' $FLAGS",
        "does not know: it would exit|kubelet-unknown-flag",
    ),
    harmful("missing configuration", "keep $CONFIG; rm $CONFIG", "the kubelet would exit|kubelet-config-missing"),
    harmful("full disk", FILL, "is full: |disk-"),
    harmful(
        "cgroup driver", "setting cgroupDriver cgroupfs", "a restart would kill them|kubelet-cgroup-driver-mismatch"
    ),
    harmful(
        "inotify", FAULTS["inotify-exhaustion"].inject[0].script, "inotify instances are in use|inotify-exhaustion"
    ),
    harmful("hung runtime", FAULTS["containerd-hung"].inject[0].script, "runtime does not answer|containerd-hung"),
    harmful("hung NFS", FAULTS["nfs-mount-hung"].inject[0].script, "the kubelet would hang on it|nfs-mount-hung"),
    harmful(
        "missing data disk", FAULTS["data-mount-missing"].inject[0].script, "fstab and not mounted|data-mount-missing"
    ),
    harmful(
        "API firewalled",
        FAULTS["apiserver-firewalled"].inject[0].script,
        "could not register|apiserver-firewalled",
    ),
    Case(
        broken("restart-harmful: read-only root", STOP, *FAULTS["rootfs-read-only"].inject),
        "is mounted read-only|rootfs-read-only",
        EITHER,
        kind="gate",
    ),
)
FLAPPING: t.Final = Case(
    broken("flapping-with-a-healthy-kubelet", *TURN, *TURN, *TURN, holds=node("healthz")),
    "Ready changes again and again",
    ("healthy", "needs-operator", "refused", "external"),
    kind="signal",
)
CASES: t.Final[tuple[Case, ...]] = (*CLUSTER, *PERSONS, *LEDGERS, *USELESS, *HARMFUL, FLAPPING)
# A drain is a program of its own: the row of tests/drain in which a budget never allows an eviction.
BUDGET: t.Final = "pdb-never-opens"
