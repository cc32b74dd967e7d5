"""Profiles on disk, by machine and library versions, for as long as they can be trusted."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from pathlib import Path

import platformdirs

from qdreamer_lab.dreamer.machine.profile import MachineProfile, library_versions, machine_name
from qdreamer_lab.errors import QDreamerError

__all__ = ["load_profile", "profile_path", "save_profile"]

EXPIRY_S = 14 * 86400.0
"""After two weeks a profile is measured again: systems are updated, and machines change."""


def profile_path(
    machine: str | None = None,
    resource: str = "here",
    versions: tuple[str, ...] | None = None,
) -> Path:
    """Where the profile of a machine, or of a pilot's resource, is kept."""
    name = machine_name() if machine is None else machine
    parts = (name, resource, *(library_versions() if versions is None else versions))
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    safe = "".join(c if c.isalnum() else "-" for c in name)[:40]
    return Path(platformdirs.user_cache_dir("qdreamer-lab")) / "profiles" / f"{safe}-{key}.json"


def save_profile(profile: MachineProfile) -> Path:
    """Write a profile where `load_profile` finds it; never half of it."""
    path = profile_path(machine_name(), profile.resource, profile.versions)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w") as file:
        file.write(profile.to_json())
    Path(partial).replace(path)
    return path


def load_profile(resource: str = "here", *, now_s: float | None = None) -> MachineProfile | None:
    """The profile kept for this machine; None if there is none that can still be trusted."""
    path = profile_path(resource=resource)
    try:
        profile = MachineProfile.from_json(path.read_text())
    except (OSError, QDreamerError):  # none, or of another version: as good as none
        return None
    age_s = (time.time() if now_s is None else now_s) - profile.made_at_s
    return profile if 0 <= age_s < EXPIRY_S else None
