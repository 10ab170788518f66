"""The bill of materials (CycloneDX 1.6, JSON) of a wheel, put into it where PEP 770 wants it.  python tests/sbom.py WHEEL

Its components are the packages that the app needs, in the locked versions, with licences and what needs what. `make dist` calls it.
"""

import base64
import hashlib
import re
import sys
import zipfile
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from licences import HOUSE, needed_by_the_app, stated
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FILE = "mistakebook.cdx.json"


def bill(version: str) -> str:
    """The bill of this version of Mistakebook, as JSON."""
    lines = (HOUSE / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines if re.match(r"\w", line))}
    names = sorted(needed_by_the_app())
    components = {name: _component(name, locked[name], stated(name)) for name in names}
    made, root = Bom(), _component("mistakebook", version, "Apache-2.0", ComponentType.APPLICATION)
    made.metadata.component = root
    for component in components.values():
        made.components.add(component)
    made.register_dependency(root, [components[name] for name in _asked_by("mistakebook") & set(names)])
    for name, component in components.items():
        made.register_dependency(component, [components[one] for one in _asked_by(name) & set(names)])
    return JsonV1Dot6(made).output_as_string(indent=1)


def _component(name: str, version: str, licence: str, kind: ComponentType = ComponentType.LIBRARY) -> Component:
    url = PackageURL("pypi", None, name, version)
    return Component(
        type=kind, name=name, version=version, purl=url, bom_ref=url.to_string(), licenses=[LicenseFactory().make_from_string(licence)]
    )


def _asked_by(name: str) -> set[str]:
    asked = [Requirement(text) for text in metadata.requires(name) or []]
    return {canonicalize_name(one.name) for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})}


def put_into(wheel: Path) -> None:
    """Writes the wheel anew, the bill and its line of RECORD in it."""
    with zipfile.ZipFile(wheel) as old:
        files = {info: old.read(info) for info in old.infolist()}
    record = next(info for info in files if info.filename.endswith(".dist-info/RECORD"))
    folder = record.filename.rpartition("/")[0]
    content = bill(wheel.name.split("-")[1]).encode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    path = f"{folder}/sboms/{FILE}"
    lines = [line for line in files[record].decode().splitlines() if not line.startswith(f"{path},")]
    files[record] = "\n".join([f"{path},sha256={digest},{len(content)}", *lines, ""]).encode()
    beside = wheel.with_suffix(".new")
    with zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as new:
        for info, data in files.items():
            if info.filename != path:
                new.writestr(info, data, zipfile.ZIP_DEFLATED)
        new.writestr(path, content)
    beside.replace(wheel)


if __name__ == "__main__":
    put_into(Path(sys.argv[1]))
