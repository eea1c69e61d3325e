"""Writes schemas-1.8.0.json: JSON Schemas of the OCSF classes that Rescind writes, as the PyPI package `ocsf-json-schema` makes them.

    pip install ocsf-json-schema==1.2.0 && python3 make-schemas.py
"""

import json
from importlib.resources import files
from pathlib import Path

from ocsf_json_schema import OcsfJsonSchema

CLASSES = (2004, 3002, 3003, 3004, 3005, 6003, 6008)
PROFILES = ["security_control", "trace"]
VERSION = "1.8.0"


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for member in value.values():
            yield from references(member)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def main():
    maker = OcsfJsonSchema(json.loads((files("ocsf_json_schema") / "ocsf" / f"{VERSION}.json").read_text()))
    classes = {uid: maker.get_class_schema(maker.lookup_class_name_from_uid(uid), PROFILES) for uid in CLASSES}
    objects, open_references = {}, {one for schema in classes.values() for one in references(schema)}
    while open_references:
        uri = open_references.pop()
        if uri not in objects:
            # Names of extensions have a slash, which the package's own look-up by URI refuses.
            objects[uri] = maker.get_object_schema(uri.split("/objects/")[1].split("?")[0], PROFILES)
            open_references.update(references(objects[uri]))
    written = {"classes": classes, "objects": [objects[uri] for uri in sorted(objects)]}
    Path(__file__).with_name(f"schemas-{VERSION}.json").write_text(json.dumps(written, separators=(",", ":")) + "\n")


main()
