"""Tests spot-mock with Schemathesis, a property-based tester, and Spotify's official document.

Schemathesis generates valid and invalid requests for all operations in Extended Quota Mode. No
response may be a server error, and every response must match the document. Where the document
contradicts itself or real responses, the script first corrects the document. `cargo xtask conform`
lists the differences of each operation.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

EXAMPLES = os.environ.get("SPOT_MOCK_EXAMPLES", "4")


def mended(node):
    if isinstance(node, list):
        return [mended(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    node = {key: mended(value) for key, value in node.items()}
    # The document uses schema names as discriminator values. Real responses do not contain these
    # names.
    node.pop("discriminator", None)
    is_parameter = "in" in node or "content" in node
    if isinstance(node.get("required"), bool) and not is_parameter:
        # In a schema, `required` must be a list of names.
        del node["required"]
    if isinstance(node.get("required"), list):
        # `is_playable` replaces `available_markets` if a market is requested, and `fields` can
        # exclude `href`.
        node["required"] = [name for name in node["required"] if name not in ("available_markets", "href")]
        if not node["required"]:
            del node["required"]
    if isinstance(node.get("type"), str) and "in" not in node:
        # Real responses contain nulls that the document does not allow.
        node["nullable"] = True
    if "responses" in node:
        # In the document, the error schemas lack the enclosing object.
        for status in [status for status in node["responses"] if not str(status).startswith("2")]:
            node["responses"][status] = {"description": "a refusal"}
    return node


document = mended(yaml.safe_load(Path(sys.argv[1]).read_text()))
# A property may be null if it refers to another schema.
for name, schema in document["components"]["schemas"].items():
    for key, value in list(schema.get("properties", {}).items()):
        if "$ref" in value or "allOf" in value or "oneOf" in value:
            schema["properties"][key] = {"anyOf": [value, {"nullable": True, "type": "object", "maxProperties": 0}]}
with tempfile.TemporaryDirectory() as work:
    file = Path(work, "document.yaml")
    file.write_text(yaml.safe_dump(document))
    run = subprocess.run(
        [
            str(Path(sys.executable).with_name("st")), "run", str(file),
            "--url", os.environ["SPOT_MOCK_API"],
            "-H", f"Authorization: Bearer {os.environ['SPOT_MOCK_USER_TOKEN']}",
            "--checks", "not_a_server_error,response_schema_conformance",
            "--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES,
            "--seed", "7", "--generation-database", "none", "--continue-on-failure", "--no-color",
        ],
        cwd=work, capture_output=True, text=True, check=False,
    )
counted = re.search(r"Test cases:\s+(\d+) generated", run.stdout)
tested = re.search(r"Tested: (\d+)", run.stdout)
if run.returncode != 0 or not counted or not tested:
    sys.exit(run.stdout[-6000:] + run.stderr[-2000:])
print(f"{counted[1]} requests to {tested[1]} operations passed: no server error, all answers conform")
