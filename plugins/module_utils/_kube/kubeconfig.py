# Copyright (c) 2026, The outward.kubelet authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
# Do not use this from other collections or standalone plugins/modules!

"""Which kubeconfig counts, and whether it can be one; its credentials are left to the Kubernetes client."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Mapping
from pathlib import Path

from . import library
from .errors import KubeError

DEFAULT: t.Final = "~/.kube/config"
SET_ONE: t.Final = "set outward_kubeconfig (option kubeconfig), K8S_AUTH_KUBECONFIG or KUBECONFIG to the path of one"


def locate(given: str | None, environ: Mapping[str, str]) -> list[Path]:
    """The files to merge, as kubectl does: those that exist of a list; one alone must exist.

    Raises :class:`KubeError` when none is left.
    """
    text = given or environ.get("KUBECONFIG") or DEFAULT
    named = [Path(part).expanduser() for part in text.split(os.pathsep) if part]
    found = [path for path in named if path.exists()]
    if not found:
        names = ", ".join(str(path) for path in named)
        raise KubeError(f"there is no kubeconfig {names} on the controller: {SET_ONE}")
    return found


def choose(paths: list[Path], context: str | None) -> str:
    """The name of the context that counts: *context*, or else the first file's that has a current one, as in kubectl.

    Raises :class:`KubeError` unless the files name a cluster with a server for it.
    """
    documents = [_read(path) for path in paths]
    names = ", ".join(str(path) for path in paths)
    contexts = _named(documents, "contexts")
    there = f"there are {', '.join(contexts)}" if contexts else "there is none at all"
    current = context or next((str(d["current-context"]) for d in documents if d.get("current-context")), None)
    if current is None:
        raise KubeError(
            f"the kubeconfig {names} has no current context: set the option context, or choose one with"
            f" kubectl config use-context ({there})"
        )
    if current not in contexts:
        raise KubeError(f"the kubeconfig {names} has no context {current}: set the option context ({there})")
    cluster = (contexts[current].get("context") or {}).get("cluster")
    entry = _named(documents, "clusters").get(str(cluster))
    if entry is None or not (entry.get("cluster") or {}).get("server"):
        raise KubeError(f"the kubeconfig {names} names no server for its context {current}: {SET_ONE}")
    return current


def _read(path: Path) -> dict[str, t.Any]:
    try:
        document = library.yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise KubeError(f"the kubeconfig {path} cannot be read ({error.strerror}): {SET_ONE}") from error
    except (library.yaml.YAMLError, UnicodeDecodeError) as error:
        raise KubeError(f"the kubeconfig {path} is not YAML{_line(error)}: copy it anew, or {SET_ONE}") from error
    if not isinstance(document, dict) or not any(key in document for key in ("clusters", "contexts", "users")):
        raise KubeError(f"{path} is no kubeconfig (it has no clusters, contexts or users): {SET_ONE}")
    return document


def _line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f" (line {mark.line + 1})" if mark is not None else ""


def _named(documents: list[dict[str, t.Any]], key: str) -> dict[str, dict[str, t.Any]]:
    """name -> entry; of two with one name the first counts, as in kubectl."""
    found: dict[str, dict[str, t.Any]] = {}
    for document in documents:
        entries = document.get(key) or []
        for entry in entries if isinstance(entries, list) else []:
            if isinstance(entry, dict) and "name" in entry:
                found.setdefault(str(entry["name"]), entry)
    return found
