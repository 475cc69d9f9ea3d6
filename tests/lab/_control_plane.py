# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control plane: etcd, API server, scheduler and controller manager as plain processes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tests.lab import _process
from tests.lab._kubectl import Kubectl
from tests.lab._model import API_PORT, API_SERVER, GATEWAY, KUBERNETES_VERSION, Paths
from tests.lab._shell import in_netns, run, step, wait_for, write

ETCD_CLIENT = "http://127.0.0.1:2379"
ETCD_PEER = "http://127.0.0.1:2380"
NTP_SERVER = Path(__file__).parent / "ntp.py"
KUBECONFIGS = ("super-admin", "controller-manager", "scheduler")
# Where a kubeadm node has its PKI. What is uploaded must say so, or no join ends well.
NODE_PKI = "/etc/kubernetes/pki"
CONFIG = """\
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint:
  advertiseAddress: {gateway}
  bindPort: {port}
nodeRegistration:
  name: control-plane
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: {version}
certificatesDir: {pki}
controlPlaneEndpoint: {gateway}:{port}
networking:
  podSubnet: 10.244.0.0/16
  serviceSubnet: 10.96.0.0/16
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
serverTLSBootstrap: true
"""


def kubeadm_config(pki: str) -> str:
    """kubeadm's configuration with the PKI in this directory."""
    return CONFIG.format(gateway=GATEWAY, port=API_PORT, version=KUBERNETES_VERSION, pki=pki)


def etcd_flags(paths: Paths) -> list[str]:
    """etcd for one client on this machine."""
    return [
        f"--data-dir={paths.state / 'etcd'}",
        f"--listen-client-urls={ETCD_CLIENT}",
        f"--advertise-client-urls={ETCD_CLIENT}",
        f"--listen-peer-urls={ETCD_PEER}",
        f"--initial-advertise-peer-urls={ETCD_PEER}",
        f"--initial-cluster=default={ETCD_PEER}",
        "--log-level=warn",
    ]


def apiserver_flags(pki: Path) -> list[str]:
    """As kubeadm's static Pod has them, with etcd next door."""
    return [
        f"--advertise-address={GATEWAY}",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        f"--client-ca-file={pki}/ca.crt",
        "--enable-admission-plugins=NodeRestriction",
        "--enable-bootstrap-token-auth=true",
        "--endpoint-reconciler-type=none",
        f"--etcd-servers={ETCD_CLIENT}",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
        f"--proxy-client-key-file={pki}/front-proxy-client.key",
        "--requestheader-allowed-names=front-proxy-client",
        f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        f"--secure-port={API_PORT}",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/sa.pub",
        f"--service-account-signing-key-file={pki}/sa.key",
        "--service-cluster-ip-range=10.96.0.0/16",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
    ]


def _component_flags(kubeconfig: Path) -> list[str]:
    options = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    flags = [f"--{option}={kubeconfig}" for option in options]
    return [*flags, "--bind-address=127.0.0.1", "--leader-elect=false"]


def controller_manager_flags(paths: Paths) -> list[str]:
    """As kubeadm's static Pod has them, with the controllers that a join needs."""
    return [
        *_component_flags(paths.pki / "controller-manager.conf"),
        "--controllers=*,bootstrapsigner,tokencleaner",
        f"--client-ca-file={paths.pki}/ca.crt",
        f"--cluster-signing-cert-file={paths.pki}/ca.crt",
        f"--cluster-signing-key-file={paths.pki}/ca.key",
        f"--requestheader-client-ca-file={paths.pki}/front-proxy-ca.crt",
        f"--root-ca-file={paths.pki}/ca.crt",
        f"--service-account-private-key-file={paths.pki}/sa.key",
        "--use-service-account-credentials=true",
    ]


@dataclass(frozen=True)
class ControlPlane:
    """The processes of the control plane, started in their order."""

    paths: Paths
    programs: Path
    etcd: Path

    @property
    def names(self) -> tuple[str, ...]:
        """The processes, in the order in which they start."""
        return ("ntp", "etcd", "kube-apiserver", "kube-scheduler", "kube-controller-manager")

    @property
    def kubectl(self) -> Kubectl:
        """A client with every right."""
        return Kubectl(self.programs / "kubectl", self.paths.kubeconfig)

    def kubeadm(self, *words: str) -> str:
        """What kubeadm says, run where the API server's address exists."""
        return run(in_netns([str(self.programs / "kubeadm"), *words])).stdout

    def _start(self, name: str, flags: list[str]) -> None:
        _process.start(self.paths, name, in_netns([str(self.programs / name), *flags]))

    def start_apiserver(self) -> None:
        """Start the API server and wait until it is ready, RBAC included."""
        self._start("kube-apiserver", apiserver_flags(self.paths.pki))
        wait_for("the API server is ready", self.kubectl.ready, 120)

    def stop_apiserver(self) -> None:
        """End the API server, at once: nothing but it is to change."""
        _process.stop(self.paths, ["kube-apiserver"], patience=3)

    def _certificates(self) -> None:
        """Certificates and kubeconfigs; the last file written is the proof that all are there."""
        if self.paths.kubeconfig.exists():
            return
        config = self.paths.state / "kubeadm.yml"
        write(config, kubeadm_config(str(self.paths.pki)))
        self.kubeadm("init", "phase", "certs", "all", f"--config={config}")
        for name in KUBECONFIGS:
            target = [f"--config={config}", f"--kubeconfig-dir={self.paths.pki}"]
            self.kubeadm("init", "phase", "kubeconfig", name, *target)
        admin = (self.paths.pki / "super-admin.conf").read_text(encoding="utf-8")
        write(self.paths.kubeconfig, admin, 0o600)

    def _upload(self) -> None:
        """What `kubeadm join` looks for in the cluster."""
        if self.kubectl.exists("configmap/kubelet-config", "kube-system"):
            return
        config = self.paths.state / "kubeadm-upload.yml"
        write(config, kubeadm_config(NODE_PKI))
        target = [f"--config={config}", f"--kubeconfig={self.paths.kubeconfig}"]
        self.kubeadm("init", "phase", "bootstrap-token", *target)
        self.kubeadm("init", "phase", "upload-config", "kubeadm", *target)
        self.kubeadm("init", "phase", "upload-config", "kubelet", *target)

    def start(self) -> None:
        """Start whatever does not run, and wait for it."""
        flags = etcd_flags(self.paths)
        with step("control plane"):
            clock = [sys.executable, str(NTP_SERVER), GATEWAY]
            _process.start(self.paths, "ntp", in_netns(clock))
            _process.start(self.paths, "etcd", in_netns([str(self.etcd), *flags]))
            self._certificates()
            self.start_apiserver()
            self._start("kube-scheduler", _component_flags(self.paths.pki / "scheduler.conf"))
            self._start("kube-controller-manager", controller_manager_flags(self.paths))
            self._upload()
            wait_for("the default service account exists", self._usable, 120)

    def _usable(self) -> bool:
        return self.kubectl.exists("serviceaccount/default", "default")

    def join_token(self) -> tuple[str, str]:
        """A token for one hour, and the hash that pins the cluster's CA."""
        command = self.kubeadm(
            "token", "create", "--ttl=1h", "--print-join-command", f"--kubeconfig={self.paths.kubeconfig}"
        ).split()
        return (
            command[command.index("--token") + 1],
            command[command.index("--discovery-token-ca-cert-hash") + 1],
        )


def join_config(name: str, address: str, token: str, ca_hash: str) -> str:
    """kubeadm's configuration of one joining node."""
    return f"""\
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    apiServerEndpoint: {API_SERVER.removeprefix("https://")}
    token: {token}
    caCertHashes:
      - {ca_hash}
nodeRegistration:
  name: {name}
  kubeletExtraArgs:
    - name: node-ip
      value: {address}
"""
