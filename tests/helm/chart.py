"""What the Helm engine and Kubernetes' schemas say of the chart: a command each, answers as JSON.

    chart.py lint | render | judge <VALUES | kubernetes | upgrade | table
"""

import base64
import glob
import http.server
import json
import os
import re
import sys
import threading

import helm_python as helm
import kubernetes_validate
import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHART = os.path.join(ROOT, "helm", "tollgate")
VERSIONS = [f"1.{minor}" for minor in range(28, 38)]
# Kinds that are not Kubernetes' own; tests/helm/joints.rs looks at them.
FOREIGN = {"ServiceMonitor", "PrometheusRule", "HTTPRoute", "GRPCRoute"}


def value_sets():
    for path in sorted(glob.glob(os.path.join(CHART, "ci", "*-values.yaml"))):
        with open(path, encoding="utf-8") as file:
            yield os.path.basename(path).removesuffix("-values.yaml"), yaml.safe_load(file) or {}


def documents(rendered):
    for path, text in sorted(rendered.items()):
        if path.endswith(".yaml"):
            yield from (document for document in yaml.safe_load_all(text) if document)


def golden(rendered):
    """One text, in which what chance made, and the dashboard, are named and not shown."""
    parts = [f"# Source: {path}\n{text.strip()}\n" for path, text in sorted(rendered.items()) if text.strip()]
    text = "---\n".join(part if part.endswith("\n") else part + "\n" for part in parts)
    text = "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    text = re.sub(r"(?m)^  tollgate.json: \|\n(?:    .*\n)+", "  tollgate.json: (files/dashboard.json)\n", text)
    return re.sub(r"(?m)^(  (?:keyring|token|tokens): )[A-Za-z0-9+/=]+$", r"\1(generated)", text)


def lint():
    report = [helm.lint(CHART, values, strict=True) for _, values in value_sets()]
    return [message for one in report for message in one["messages"] if message["severity"] > 1] + sum(
        (one["errors"] for one in report), []
    )


def render():
    answers = {}
    with helm.Chart.load(CHART) as chart:
        for name, values in value_sets():
            rendered = chart.render(values, name="demo", namespace="prod")
            notes = next(text for path, text in rendered.items() if path.endswith("NOTES.txt"))
            answers[name] = {"golden": golden(rendered), "documents": list(documents(rendered)), "notes": notes}
    return answers


def judge():
    """For each of the given values: what the schema says of them, or null."""
    answers = []
    with helm.Chart.load(CHART) as chart:
        for values in json.load(sys.stdin):
            try:
                chart.validate_schema(values)
                answers.append(None)
            except helm.HelmValuesError as error:
                answers.append(str(error))
    return answers


def kubernetes():
    """Validates every object of every set as every version; answers the faults and how many were looked at."""
    faults, count, caught = [], 0, 0
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"port": 80}}
    with helm.Chart.load(CHART) as chart:
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(wrong, version, strict=True)
            except kubernetes_validate.ValidationError:
                caught += 1
            for name, values in value_sets():
                rendered = chart.render({**values, "kubeVersion": f"{version}.0"}, name="demo", namespace="prod")
                for document in documents(rendered):
                    if document["kind"] in FOREIGN:
                        continue
                    count += 1
                    try:
                        kubernetes_validate.validate(document, version, strict=True)
                    except Exception as error:  # noqa: BLE001 - every kind of fault is told
                        faults.append(f"{version} {name} {document['kind']}: {error!r}")
    return {"faults": faults, "objects": count, "caught": caught}


class Cluster(http.server.BaseHTTPRequestHandler):
    """As much of an API server as `lookup` asks: which resources there are, and Secrets."""

    secrets = {}

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/api/v1":
            kind = {"name": "secrets", "singularName": "", "namespaced": True, "kind": "Secret", "verbs": ["get"]}
            self.answer(200, {"kind": "APIResourceList", "groupVersion": "v1", "resources": [kind]})
        elif path.startswith("/api/v1/namespaces/prod/secrets/") and path.rsplit("/", 1)[1] in self.secrets:
            self.answer(200, self.secrets[path.rsplit("/", 1)[1]])
        elif path == "/version":
            self.answer(200, {"major": "1", "minor": "34", "gitVersion": "v1.34.0"})
        elif path == "/api":
            self.answer(200, {"kind": "APIVersions", "versions": ["v1"]})
        elif path == "/apis":
            self.answer(200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
        else:
            self.answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def upgrade():
    """Renders against a cluster that has nothing, then against one that has what was rendered first."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cluster)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    user = {"clusters": [{"name": "c", "cluster": {"server": address}}], "users": [{"name": "u", "user": {}}]}
    user |= {"contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}], "current-context": "x"}
    content = json.dumps({"apiVersion": "v1", "kind": "Config", **user})
    values = {"database": {"type": "postgres", "url": "postgres://a@b/c"}}
    runs = []
    with helm.Config(kubeconfig_content=content, namespace="prod") as config, helm.Chart.load(CHART) as chart:
        for is_upgrade in (False, True):
            how = {"name": "demo", "namespace": "prod", "is_install": not is_upgrade, "is_upgrade": is_upgrade}
            found = [one for one in documents(config.render(chart, values, **how)) if one["kind"] == "Secret"]
            made = {one["metadata"]["name"]: one["data"] for one in found}
            runs.append({name: {key: base64.b64decode(text).decode() for key, text in data.items()} for name, data in made.items()})
            Cluster.secrets = {one["metadata"]["name"]: one for one in found}
    server.shutdown()
    return runs


def comments():
    """The comment above each key of values.yaml, by the key's path."""
    found, path, above = {}, [], []
    with open(os.path.join(CHART, "values.yaml"), encoding="utf-8") as file:
        for line in file:
            key = re.match(r"( *)([A-Za-z]+):", line)
            if line.strip().startswith("#"):
                above.append(line.strip("# \n"))
            elif key:
                path = [*path[: len(key[1]) // 2], key[2]]
                if above:
                    found[".".join(path)] = " ".join(above)
                above = []
            else:
                above = []
    return found


def table():
    """README's table of values: a row for each value that has a comment of its own, or is in none that has."""
    told = comments()
    with open(os.path.join(CHART, "values.yaml"), encoding="utf-8") as file:
        values = yaml.safe_load(file)
    rows = ["| value | default | meaning |", "|---|---|---|"]

    def walk(prefix, value):
        for key, inner in value.items():
            path = f"{prefix}{key}"
            if isinstance(inner, dict) and any(other.startswith(path + ".") for other in told):
                walk(path + ".", inner)
            else:
                assert path in told, f"values.yaml says nothing of {path}"
                shown = "" if told[path].startswith("As ") else f"`{json.dumps(inner)}`"
                rows.append(f"| `{path}` | {shown} | {told[path]} |".replace("``", ""))

    walk("", values)
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    commands = {one.__name__: one for one in (lint, render, judge, kubernetes, upgrade, table)}
    print(json.dumps(commands[sys.argv[1]]()))
