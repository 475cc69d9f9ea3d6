# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults that look alike, and what tells them apart."""

from __future__ import annotations

import typing as t


class Pair(t.NamedTuple):
    """Two faults that a person takes for each other, what both show, and what only one of them does."""

    first: str
    second: str
    alike: str
    apart: str


PAIRS: t.Final = (
    Pair("kubelet-stopped", "cni-config-missing", "NotReady", "who wrote the condition: the controller or the kubelet"),
    Pair(
        "kubelet-client-pem-missing",
        "kubelet-client-pem-corrupt",
        "unable to load bootstrap kubeconfig",
        "the file: absent, or no PEM",
    ),
    Pair(
        "kubelet-client-pem-missing",
        "kubelet-kubeconfig-missing",
        "unable to load bootstrap kubeconfig",
        "which file is absent",
    ),
    Pair(
        "kubelet-client-cert-expired",
        "kubelet-client-pem-missing",
        "unable to load bootstrap kubeconfig",
        "the certificate is there, and its date has passed",
    ),
    Pair(
        "clock-skew-future",
        "kubelet-client-cert-expired",
        "x509: certificate has expired or is not yet valid",
        "the API server's clock, which the node's own disagrees with",
    ),
    Pair(
        "clock-skew-past-day",
        "kubelet-client-cert-expired",
        "x509: certificate has expired or is not yet valid",
        "is before, not is after",
    ),
    Pair(
        "containerd-cri-disabled",
        "containerd-cri-plugin-load-failed",
        "unknown service runtime.v1.RuntimeService",
        "containerd's own line: failed to load plugin",
    ),
    Pair("containerd-cri-plugin-load-failed", "containerd-metadata-db-corrupt", "no CRI", "what failed to load"),
    Pair("disk-pressure-nodefs", "inode-exhaustion", "DiskPressure; no space left on device", "bytes or inodes"),
    Pair("disk-pressure-nodefs", "disk-pressure-imagefs", "DiskPressure", "which filesystem"),
    Pair("inode-exhaustion", "inotify-exhaustion", "no space left on device", "df is fine, and so is df -i"),
    Pair("kubelet-syncloop-stuck", "kubelet-healthz-port-in-use", "healthz", "hangs, or is somebody else's"),
    Pair("kubelet-port-10250-in-use", "kubelet-healthz-port-in-use", "address already in use", "the kubelet runs"),
    Pair("containerd-hung", "containerd-shim-hung", "PLEG is not healthy", "the CRI answers"),
    Pair("containerd-hung", "kubelet-syncloop-stuck", "a kubelet that says nothing", "who hangs"),
    Pair("containerd-down", "containerd-socket-permission", "no CRI socket", "containerd runs"),
    Pair("containerd-down", "kubelet-wrong-runtime-endpoint", "no CRI socket", "whose address is wrong"),
    Pair("cni-config-missing", "cni-binary-missing", "Pods do not start", "the node is Ready"),
    Pair("cni-config-missing", "containerd-cni-dir-removed", "NetworkReady=false", "the directory itself is gone"),
    Pair("cni-binary-missing", "containerd-runc-missing", "Ready, and Pods do not start", "what could not be executed"),
    Pair("apiserver-ca-mismatch", "kubelet-client-ca-rejected", "TLS refused", "the node rejects, or is rejected"),
    Pair("kubelet-client-ca-rejected", "node-object-deleted", "not authorised", "401 or 404"),
    Pair("kubelet-hostname-changed", "node-object-deleted", "the Node does not fit", "403 with another name, or 404"),
    Pair("apiserver-firewalled", "apiserver-unavailable", "no answer from the API", "whether it answers others"),
    Pair("apiserver-firewalled", "apiserver-endpoint-stale", "no answer from the API", "the address"),
    Pair("apiserver-endpoint-stale", "apiserver-dns-failure", "no answer from the API", "the name is not resolved"),
    Pair("memory-pressure", "app-oomkilled", "OOM kills", "the node's memory, or the Pod's own limit"),
    Pair("memory-pressure", "kubelet-oom-killed", "OOM kills", "the unit's own MemoryMax"),
    Pair("registry-unreachable-from-node", "imagepull-bad-tag", "ImagePullBackOff", "no connection, or 404"),
    Pair("imagepull-bad-tag", "imagepull-auth-or-ratelimit", "ImagePullBackOff", "404 or 401"),
    Pair("kubelet-serving-csr-pending", "kubelet-port-firewalled", "logs and exec fail", "tls: internal error"),
    Pair("node-dead", "ssh-dead-kubelet-alive", "no login", "the Lease is renewed"),
    Pair("kubelet-unit-masked", "kubelet-stopped", "inactive", "systemd refuses to start it"),
    Pair("kubelet-config-missing", "kubelet-config-invalid", "exits with 1 in a loop", "the file, or a line in it"),
    Pair("kubelet-config-invalid", "kubelet-feature-gate-invalid", "exits with 1 in a loop", "which field"),
)
