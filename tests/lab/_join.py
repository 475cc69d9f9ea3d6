# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a booted guest a node of the cluster, with the real kubeadm."""

from __future__ import annotations

import json

from tests.lab._control_plane import join_config
from tests.lab._guest import Guest
from tests.lab._kubectl import Kubectl
from tests.lab._model import Host

SERVING_SIGNER = "kubernetes.io/kubelet-serving"
JOIN_SECONDS = 420
# A half-joined node (killed in mid-join) is taken apart first: kubeadm refuses it otherwise.
SCRIPT = """\
set -e
[ ! -e /etc/kubernetes/kubelet.conf ] || kubeadm reset --force >/dev/null 2>&1
# As Debian's installer does it: sudo asks for its own host's name, and would wait 5 s for a DNS that is not there.
echo "127.0.1.1 {name}" >>/etc/hosts
mkdir -p /etc/cni/net.d /etc/kubernetes/manifests
cat >/etc/cni/net.d/10-lab.conflist <<'END'
{cni}
END
umask 077
cat >/run/kubeadm-join.yml <<'END'
{join}
END
trap 'rm -f /run/kubeadm-join.yml' EXIT
systemctl start outward-lab-images
systemctl --quiet enable kubelet
kubeadm join --config /run/kubeadm-join.yml
"""


def cni_config(host: Host) -> str:
    """A bridge on the node, with a network of its own for its Pods."""
    ranges = [[{"subnet": host.pod_cidr}]]
    ipam = {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": False, "ipam": ipam}
    plugins = [bridge, {"type": "loopback"}]
    return json.dumps({"cniVersion": "1.0.0", "name": "lab", "plugins": plugins}, indent=2)


def script(host: Host, token: str, ca_hash: str) -> str:
    """What is typed on the node."""
    join = join_config(host.name, host.address, token, ca_hash)
    return SCRIPT.format(name=host.name, cni=cni_config(host), join=join.rstrip())


def approve_serving(kubectl: Kubectl, host: Host) -> None:
    """Approve this node's pending requests for a serving certificate."""
    for request in kubectl.list("csr"):
        spec, conditions = request["spec"], request["status"].get("conditions")
        ours = spec["username"] == f"system:node:{host.name}"
        if ours and spec["signerName"] == SERVING_SIGNER and not conditions:
            kubectl("certificate", "approve", request["metadata"]["name"])


def join(guest: Guest, token: str, ca_hash: str) -> None:
    """Join the cluster; returns when kubeadm says so, which is before Ready."""
    guest.run(script(guest.host, token, ca_hash), timeout=JOIN_SECONDS)
