# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes whose client certificate does not work, one for each way that it can fail, and what a recovery is to come to."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from tests.faults.auth import CURRENT, NO_BOOTSTRAP, restarted
from tests.faults.model import Fault, node
from tests.faults.table import FAULTS

RENEW: t.Final = "renew-client-certificate"
SERVE: t.Final = "renew-serving-certificate"
LOOPS: t.Final = f"[ $(substate kubelet) = auto-restart ] && said kubelet '{NO_BOOTSTRAP}'"
OTHER: t.Final = f"ln -sf $PKI/outward.pem {CURRENT}"


@dataclass(frozen=True)
class Case:
    """One fault, and what the recovery is to do. ``kept``: None where the Pods of a deleted Node may be gone."""

    fault: Fault
    actions: tuple[str, ...] = (RENEW,)
    kept: bool | None = True
    playbook: str = "certificates-recover.yml"
    variables: dict[str, t.Any] = field(default_factory=dict)

    @property
    def mode(self) -> str:
        """recover or rotate."""
        return self.playbook.removeprefix("certificates-").removesuffix(".yml")

    @property
    def expected(self) -> dict[str, t.Any]:
        """As a row has it."""
        return {
            "outcome": "recovered",
            "status": 0,
            "root_causes": self.fault.root_causes,
            "actions": list(self.actions),
            "containers_kept": self.kept,
            "tokens_left": 0,
            "found_in": [],
        }


def _variant(id: str, cause: str, script: str, holds: str = LOOPS) -> Case:
    """Another way to the same cause."""
    return Case(restarted(id, script, holds, roots=(cause,)))


def _early(id: str, actions: tuple[str, ...], *kinds: str) -> Case:
    """A healthy node whose certificates are called due although they are good for a year."""
    healthy = Fault(id, (), node("true"), (), "healthy", kind="quiet")
    variables = {"outward_certificate_days": 4000, "outward_rotate": list(kinds)}
    return Case(healthy, actions, playbook="certificates-rotate.yml", variables=variables)


CASES: t.Final = {
    case.fault.id: case
    for case in (
        Case(FAULTS["kubelet-client-cert-expired"]),
        Case(FAULTS["kubelet-client-pem-missing"]),
        Case(FAULTS["kubelet-client-pem-corrupt"]),
        _variant(
            "client-pem-half",
            "kubelet-client-pem-corrupt",
            f"keep {CURRENT}; head -c 600 {CURRENT} > $PKI/outward.pem; {OTHER}",
        ),
        _variant(
            "client-pem-dangling",
            "kubelet-client-pem-missing",
            f"keep {CURRENT}; ln -sfn $PKI/outward-gone.pem {CURRENT}",
        ),
        _variant(
            "client-key-of-another",
            "kubelet-client-pem-corrupt",
            f"keep {CURRENT}; sed '/PRIVATE KEY/,$d' {CURRENT} > $PKI/outward.pem\n"
            f"openssl ecparam -name prime256v1 -genkey -noout >> $PKI/outward.pem; {OTHER}",
            holds="[ $(substate kubelet) = auto-restart ] && said kubelet 'private key does not match public key'",
        ),
        Case(FAULTS["kubelet-client-ca-rejected"]),
        Case(FAULTS["kubelet-kubeconfig-missing"]),
        _variant("kubeconfig-empty", "kubelet-kubeconfig-missing", "keep $KUBECONFIG; : > $KUBECONFIG"),
        _variant(
            "kubeconfig-to-nowhere",
            "kubelet-client-pem-missing",
            "keep $KUBECONFIG; sed -i 's#kubelet-client-current.pem#gone.pem#' $KUBECONFIG",
        ),
        Case(FAULTS["kubelet-client-ca-file-missing"], actions=("restore-client-ca",)),
        Case(FAULTS["apiserver-ca-mismatch"]),
        Case(FAULTS["bootstrap-token-expired"]),
        Case(FAULTS["kubelet-half-joined"], kept=None),
        Case(FAULTS["node-object-deleted"], actions=("restart-kubelet",), kept=None),
        _early("rotate-client", (RENEW,), "client"),
        _early("rotate-serving", (SERVE,), "serving"),
        _early("rotate-both", (RENEW, SERVE), "client", "serving"),
    )
}
