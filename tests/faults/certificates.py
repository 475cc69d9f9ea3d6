# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults of certificate signing: requests that nobody approves, or that somebody denies."""

from __future__ import annotations

import typing as t

from .model import Fault, Step, controller, node

# A join with a token of our own, whose group may ask for a certificate and is approved by nobody.
TOKEN: t.Final = "$(echo $HOST | sha256sum | cut -c1-6)"
SECRET: t.Final = "0123456789abcdef"
FORGOTTEN: t.Final = (
    f"kubectl -n kube-system delete secret bootstrap-token-{TOKEN} --ignore-not-found\n"
    "kubectl delete clusterrolebinding outward-fault-$HOST --ignore-not-found"
)
JOINING: t.Final = (
    controller(
        f"{FORGOTTEN}\n"  # a node that was only reset has left them
        f"id={TOKEN}\n"
        "kubectl -n kube-system create secret generic bootstrap-token-$id --type=bootstrap.kubernetes.io/token "
        f"--from-literal=token-id=$id --from-literal=token-secret={SECRET} "
        "--from-literal=usage-bootstrap-authentication=true --from-literal=auth-extra-groups=system:bootstrappers:$HOST\n"
        "kubectl create clusterrolebinding outward-fault-$HOST --clusterrole=system:node-bootstrapper "
        "--group=system:bootstrappers:$HOST"
    ),
    node(
        f"HOST=$(hostname); BOOTSTRAP=/etc/kubernetes/bootstrap-kubelet.conf\n"
        "keep $PKI/kubelet-client-current.pem $KUBECONFIG $BOOTSTRAP\n"
        "sed '/^users:/,$d' $KUBECONFIG > $BOOTSTRAP; user=$(sed -n 's/^ *user: *//p' $KUBECONFIG | head -1)\n"
        "printf 'users:\\n- name: %s\\n  user:\\n    token: %s\\n' "
        f'"$user" "{TOKEN}.{SECRET}" >> $BOOTSTRAP\n'
        "rm $PKI/kubelet-client-current.pem $KUBECONFIG; restart kubelet"
    ),
)
JOINED: t.Final = (
    node("back; restart kubelet"),
    controller(FORGOTTEN),
)


def asked(condition: str) -> Step:
    """One of the requests that the node makes with our token is so (Python, of `c` and its age in seconds)."""
    return controller(
        f'kubectl get csr -o json | TOKEN={TOKEN} "$PYTHON" -c \'\n'
        "import datetime, json, os, sys\n"
        "now = datetime.datetime.now(datetime.timezone.utc)\n"
        'ours = [c for c in json.load(sys.stdin)["items"] if c["spec"]["username"] == "system:bootstrap:" + os.environ["TOKEN"]]\n'
        "def age(c):\n"
        '    return (now - datetime.datetime.fromisoformat(c["metadata"]["creationTimestamp"].replace("Z", "+00:00"))).total_seconds()\n'
        f"sys.exit(not [c for c in ours if {condition}])'"
    )


FAULTS: t.Final[tuple[Fault, ...]] = (
    Fault(
        id="kubelet-serving-csr-pending",
        inject=(
            node(
                "keep $PKI/kubelet-server-current.pem; setting serverTLSBootstrap true; rm -f $PKI/kubelet-server-current.pem; restart kubelet"
            ),
        ),
        holds=controller(
            'kubectl get csr -o json | "$PYTHON" -c \'import json, sys; '
            'sys.exit(not [c for c in json.load(sys.stdin)["items"] if not c["status"]'
            ' and c["spec"]["signerName"] == "kubernetes.io/kubelet-serving"'
            ' and c["spec"]["username"] == "system:node:" + sys.argv[1]])\' "$HOST"'
        ),
        undo=(node("back; restart kubelet"),),
        outcome="needs-operator",
        deadline=120,
        note="logs and exec fail with a TLS error; Ready stays True",
    ),
    Fault(
        id="kubelet-client-csr-pending",
        inject=JOINING,
        holds=asked('not c["status"] and age(c) > 65'),
        undo=JOINED,
        outcome="needs-operator",
        deadline=240,
    ),
    Fault(
        id="kubelet-client-csr-denied",
        inject=(
            *JOINING,
            controller(
                f"path=\"{{.items[?(@.spec.username=='system:bootstrap:{TOKEN}')].metadata.name}}\"\n"
                'for i in $(seq 20); do name=$(kubectl get csr -o "jsonpath=$path"); [ -z "$name" ] || break; sleep 3; done\n'
                "kubectl certificate deny $name"
            ),
        ),
        holds=asked('[d for d in c["status"].get("conditions", ()) if d["type"] == "Denied"]'),
        undo=JOINED,
        outcome="needs-operator",
        deadline=120,
    ),
)
