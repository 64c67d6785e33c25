"""Wheels of what is installed here, packed again: a package index for tests that no network decides."""

from __future__ import annotations

import csv
import io
import os
import tomllib
import zipfile
from importlib.metadata import Distribution, distribution
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from tests.setup.conftest import TOP

if TYPE_CHECKING:
    from pathlib import Path

LEFT_BY_INSTALLERS = ("INSTALLER", "REQUESTED", "direct_url.json", "RECORD")


def pack_requirements(folder: Path) -> None:
    """Put a wheel of everything into `folder` that YAPMO needs to be built and to run."""
    folder.mkdir()
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = ["editables", *project["build-system"]["requires"], *project["project"]["dependencies"]]
    packed: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        requirement = Requirement(wanted.pop())
        key = (requirement.name.lower(), frozenset(requirement.extras))
        if key in packed:
            continue
        packed.add(key)
        installed = distribution(requirement.name)
        pack(installed, folder)
        wanted += [line for line in installed.requires or [] if is_wanted(line, requirement.extras)]


def is_wanted(requirement: str, extras: set[str]) -> bool:
    """Tell whether a requirement holds here, on its own or for one of the `extras`."""
    marker = Requirement(requirement).marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def pack(installed: Distribution, folder: Path) -> None:
    """Write the wheel of one installed package."""
    files = [
        file for file in installed.files or [] if ".." not in file.parts and "__pycache__" not in file.parts
    ]
    [information] = {file.parts[0] for file in files if file.parts[0].endswith(".dist-info")}
    told = (installed.read_text("WHEEL") or "").splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in told if line.startswith("Tag: ")]
    tag = "-".join(".".join(sorted(set(part))) for part in zip(*tags, strict=True))
    record = io.StringIO()
    rows = csv.writer(record)
    name = f"{information.removesuffix('.dist-info')}-{tag}.whl"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        for file in files:
            path = file.as_posix()
            if file.parts[0] == information and file.name in LEFT_BY_INSTALLERS:
                continue
            wheel.write(os.fspath(file.locate()), path)
            rows.writerow((path, "", ""))
        rows.writerow((f"{information}/RECORD", "", ""))
        wheel.writestr(f"{information}/RECORD", record.getvalue())
