# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""The kubelet's configuration: file, drop-ins and flags, merged as the kubelet merges them.

Read in Kubernetes 1.37: cmd/kubelet/app/server.go (loadConfigFile, mergeKubeletConfigurations, the flags win) and
pkg/kubelet/apis/config/v1beta1/defaults.go.
"""

from __future__ import annotations

import re
import typing as t

from .._diagnosis.node import Setting
from .._diagnosis.thresholds import EVICTION_HARD
from .errors import NotThatFormat, ParseError
from .yaml import load

API_VERSION: t.Final = "kubelet.config.k8s.io/v1beta1"
KIND: t.Final = "KubeletConfiguration"
Document = dict[str, t.Any]

# Fields whose wrong type we can tell for certain; the kubelet refuses to decode them.
_TYPES: t.Final[dict[str, type]] = {
    "authentication": dict,
    "authorization": dict,
    "clusterDNS": list,
    "evictionHard": dict,
    "evictionSoft": dict,
    "failSwapOn": bool,
    "featureGates": dict,
    "kubeReserved": dict,
    "maxPods": int,
    "rotateCertificates": bool,
    "serverTLSBootstrap": bool,
    "staticPodPath": str,
    "systemReserved": dict,
}
_WORDS: t.Final = {dict: "mapping", list: "list", bool: "boolean", int: "number", str: "string"}


class Unusable(ValueError):
    """It is certain that no kubelet takes this for its configuration; the text says why."""


class Settings(t.NamedTuple):
    """What is used of the effective configuration."""

    fail_swap_on: bool
    cgroup_driver: str
    client_ca_file: str | None
    rotate_certificates: bool
    server_tls_bootstrap: bool
    eviction_hard: dict[str, str]
    static_pod_path: str | None
    cri_socket: str
    resolv_conf: str  # empty: switched off
    graceful_shutdown: bool


def document(text: str) -> Document:
    """One configuration file or drop-in.

    Raises :class:`Unusable` when the kubelet would refuse it, :class:`ParseError` when this reader cannot tell.
    """
    try:
        value = load(text)
    except NotThatFormat as error:
        raise Unusable(f"not YAML: {error}") from error
    if value is None:
        raise Unusable("empty")
    if not isinstance(value, dict):
        raise Unusable("no mapping of settings")
    if value.get("kind") != KIND:
        raise Unusable(f"kind is {_shown(value.get('kind'))}, not {KIND}")
    if value.get("apiVersion") != API_VERSION:
        raise Unusable(f"apiVersion is {_shown(value.get('apiVersion'))}, not {API_VERSION}")
    for name, kind in _TYPES.items():
        found = value.get(name)
        if found is not None and not _is_a(found, kind):
            raise Unusable(f"{name} is no {_WORDS[kind]}")
    return value


def _is_a(value: t.Any, kind: type) -> bool:
    # Python's bool is an int; YAML's is not.
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))


def _shown(value: t.Any) -> str:
    return value[:80] if isinstance(value, str) else "missing" if value is None else "no string"


def settings(base: Document | None, drop_ins: t.Sequence[Document], flags: t.Sequence[Setting]) -> Settings:
    """The effective configuration; *base* is None without a configuration file. Flags win over files."""
    merged = dict(base or {})
    merged["evictionHard"] = _eviction_of_file(merged)
    for drop_in in drop_ins:
        merged = _merge(merged, drop_in)
        if "evictionHard" not in merged:
            raise ParseError("a drop-in takes evictionHard away: what holds then is not known here")
    given = flag_values(flags)
    x509 = _at(merged, "authentication", "x509")
    return Settings(
        fail_swap_on=_boolean(given, "--fail-swap-on", merged.get("failSwapOn"), True),
        cgroup_driver=_string(given, "--cgroup-driver", merged.get("cgroupDriver")) or "cgroupfs",
        client_ca_file=_string(given, "--client-ca-file", x509.get("clientCAFile")),
        rotate_certificates=_boolean(given, "--rotate-certificates", merged.get("rotateCertificates"), False),
        server_tls_bootstrap=_boolean(given, "--rotate-server-certificates", merged.get("serverTLSBootstrap"), False),
        eviction_hard=_effective(given.get("--eviction-hard"), merged["evictionHard"]),
        static_pod_path=_string(given, "--pod-manifest-path", merged.get("staticPodPath")),
        cri_socket=socket_path(
            _string(given, "--container-runtime-endpoint", merged.get("containerRuntimeEndpoint"))
            or "unix:///run/containerd/containerd.sock"
        ),
        resolv_conf=_resolv_conf(given.get("--resolv-conf"), merged.get("resolvConf")),
        graceful_shutdown=re.search("[1-9]", str(merged.get("shutdownGracePeriod") or "")) is not None,
    )


def _resolv_conf(flag: str | None, configured: t.Any) -> str:
    """Unlike other paths, this one can be switched off with an empty string."""
    if flag is not None:
        return flag
    return configured if isinstance(configured, str) else "/etc/resolv.conf"


def flag_values(flags: t.Iterable[Setting]) -> dict[str, str]:
    """Flag -> value; the last one wins, and a flag without a value is true."""
    found: dict[str, str] = {}
    for setting in flags:
        name, equals, value = setting.flag.partition("=")
        found["--" + name.lstrip("-").replace("_", "-")] = value if equals else "true"
    return found


def socket_path(endpoint: str) -> str:
    """The path of a `unix://` endpoint."""
    return endpoint[len("unix://") :] if endpoint.startswith("unix://") else endpoint


def _eviction_of_file(base: Document) -> dict[str, str]:
    """One key set by hand drops the defaults of the others, unless mergeDefaultEvictionSettings (1.33) is true."""
    own = base.get("evictionHard")
    if own is None:
        return dict(EVICTION_HARD)
    return {**EVICTION_HARD, **own} if base.get("mergeDefaultEvictionSettings") is True else dict(own)


def _effective(flag: str | None, configured: t.Mapping[str, t.Any]) -> dict[str, str]:
    """`--eviction-hard=a<1Gi,b<5%` replaces the whole map; 0% and 100% switch a signal off (eviction/helpers.go)."""
    chosen = {key: str(value) for key, value in configured.items()}
    if flag is not None:
        parts = (part.partition("<") for part in flag.split(",") if part)
        chosen = {key.strip(): value.strip() for key, dummy, value in parts}
    return {key: value for key, value in chosen.items() if value not in ("0%", "100%")}


def _merge(target: Document, patch: Document) -> Document:
    """JSON merge patch (RFC 7396), as the kubelet applies drop-ins."""
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = _merge(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = value
    return result


def _at(document: Document, *path: str) -> Document:
    for name in path:
        inner = document.get(name)
        document = inner if isinstance(inner, dict) else {}
    return document


def _boolean(given: t.Mapping[str, str], flag: str, configured: t.Any, default: bool) -> bool:
    text = given.get(flag)
    if text is not None:
        if text.lower() not in ("true", "false", "1", "0", "t", "f"):
            raise ParseError(f"{flag} is no boolean")
        return text.lower() in ("true", "1", "t")
    return configured if isinstance(configured, bool) else default


def _string(given: t.Mapping[str, str], flag: str, configured: t.Any) -> str | None:
    return given.get(flag) or (configured if isinstance(configured, str) and configured else None)
