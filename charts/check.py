"""What must hold in every rendering of the charts.

Each check is a function that takes the objects of one rendering and yields what is wrong with them. A check that could
not fail would be worth nothing, so `sabotage` spoils a rendering for each one and expects it to notice.
"""

import copy
import json
import os
import pathlib
import re
import subprocess
import sys

import yaml

HERE = pathlib.Path(__file__).parent
HELM = os.environ.get("HELM", "helm")
NAMESPACE = "flowpilot-system"

# Renderings: name -> values.
RENDERINGS = {
    "defaults": {},
    "everything on": {
        "images": {"registry": "registry.example.com/flowpilot", "tag": "1.2.3", "pullSecrets": ["pull"]},
        "database": {"secretName": "pg", "urlKey": "uri", "caKey": "ca.crt"},
        "api": {
            "replicas": 3,
            "publicUrl": "https://flowpilot.example.com",
            "service": {"type": "NodePort", "nodePort": 30080, "annotations": {"a": "b"}},
            "podAnnotations": {"c": "d"},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "x", "operator": "Exists"}],
            "priorityClassName": "high",
        },
        "operator": {"replicas": 2},
        "webhook": {"failurePolicy": "Fail", "timeoutSeconds": 10},
        "networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}], "egress": {"enabled": True}},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "commonLabels": {"team": "platform"},
    },
    "everything off": {
        "adminToken": {"existingSecret": "mine"},
        "webhook": {"enabled": False},
        "admissionPolicies": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
        "networkPolicy": {"enabled": False},
    },
}

# Values that the schema must refuse: name -> values.
REFUSED = {
    "an unknown value": {"replicas": 3},
    "an unknown value inside": {"api": {"replica": 3}},
    "a wrong type": {"api": {"replicas": "three"}},
    "no replicas": {"operator": {"replicas": 0}},
    "an unknown failure policy": {"webhook": {"failurePolicy": "Maybe"}},
    "an unknown service type": {"api": {"service": {"type": "ExternalName"}}},
    "a PDB that blocks every drain": {"podDisruptionBudget": {"maxUnavailable": 0}},
    "a database URL in values": {"database": {"url": "postgres://"}},
    "no database Secret": {"database": {"secretName": ""}},
    "a network peer that is none": {"networkPolicy": {"peopleFrom": [{"everybody": True}]}},
}


def helm(*arguments, values=None):
    """Runs helm and returns the finished process."""
    command = [HELM, *arguments]
    if values is not None:
        command += ["--values", "-"]
    return subprocess.run(command, input=json.dumps(values or {}), capture_output=True, text=True, cwd=HERE)


def render(values):
    """The objects of the chart with these values."""
    done = helm("template", "flowpilot", "flowpilot", "--namespace", NAMESPACE, values=values)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def named(objects, kind, name=None):
    return [o for o in objects if o["kind"] == kind and name in (None, o["metadata"]["name"])]


def label(thing):
    return f"{thing['kind']} {thing['metadata']['name']}"


def rules(objects):
    """Every rule of every role, with the role."""
    for role in named(objects, "ClusterRole") + named(objects, "Role"):
        for rule in role.get("rules") or []:
            yield role, rule


def pods(objects):
    for deployment in named(objects, "Deployment"):
        yield deployment, deployment["spec"]["template"]["spec"]


# ---- checks -------------------------------------------------------------------------------------------------------


def secrets_are_read_by_name_only(objects):
    """The operator reads one Secret, by name, in its own namespace. No other role has a verb on Secrets."""
    for role, rule in rules(objects):
        if not {"secrets", "*"} & set(rule["resources"]):
            continue
        allowed = (
            role["kind"] == "Role"
            and role["metadata"]["name"] == "flowpilot-operator"
            and rule.get("resourceNames") == ["flowpilot-webhook-certificate"]
            and set(rule["verbs"]) <= {"get", "patch"}
        )
        if not allowed:
            yield f"{label(role)} has {rule['verbs']} on {rule['resources']}"


def dangerous_verbs_name_their_object(objects):
    """`bind`, `escalate` and `impersonate` stand only in rules with resourceNames; `impersonate` in none of ours."""
    for role, rule in rules(objects):
        verbs = set(rule["verbs"])
        if "impersonate" in verbs:
            yield f"{label(role)} impersonates"
        if verbs & {"bind", "escalate"} and not rule.get("resourceNames"):
            yield f"{label(role)} has {sorted(verbs)} on every {rule['resources']}"
        if "*" in verbs and rule["apiGroups"] != ["flowpilot.io"]:
            yield f"{label(role)} has every verb on {rule['resources']}"
        if "*" in rule["resources"] or "*" in rule["apiGroups"]:
            yield f"{label(role)} has a wildcard"


def no_reach_into_pods(objects):
    """Nobody may open a shell in a pod, make pods, or make tokens."""
    for role, rule in rules(objects):
        for resource in rule["resources"]:
            if resource in ("pods/exec", "pods/attach", "pods/portforward", "serviceaccounts/token", "nodes/proxy"):
                yield f"{label(role)} has {resource}"
            if resource == "pods" and set(rule["verbs"]) - {"get", "list", "watch"}:
                yield f"{label(role)} changes pods"


def pods_are_restricted(objects):
    """What Pod Security `restricted` asks for, and a read-only root file system, on every container."""
    for deployment, pod in pods(objects):
        context = pod["securityContext"]
        if context.get("runAsNonRoot") is not True or context.get("runAsUser") != 65532:
            yield f"{label(deployment)} may run as root"
        for forbidden in ("hostNetwork", "hostPID", "hostIPC"):
            if pod.get(forbidden):
                yield f"{label(deployment)} has {forbidden}"
        for volume in pod["volumes"]:
            if set(volume) - {"name"} - {"secret", "projected"}:
                yield f"{label(deployment)} mounts {volume}"
        for container in pod.get("initContainers", []) + pod["containers"]:
            security = container.get("securityContext") or {}
            expected = {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "runAsNonRoot": True,
                "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"},
            }
            if security != expected:
                yield f"{label(deployment)} container {container['name']} has {security}"


def containers_are_bounded_and_watched(objects):
    """Memory has a limit; what serves has probes."""
    for deployment, pod in pods(objects):
        for container in pod.get("initContainers", []) + pod["containers"]:
            if not container.get("resources", {}).get("limits", {}).get("memory"):
                yield f"{label(deployment)} container {container['name']} has no memory limit"
        for container in pod["containers"]:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe not in container:
                    yield f"{label(deployment)} container {container['name']} has no {probe}"


def only_a_secret_names_the_database(objects):
    """The address comes from a Secret and stands nowhere else."""
    for deployment, pod in pods(objects):
        for container in pod.get("initContainers", []) + pod["containers"]:
            for variable in container["env"]:
                if variable["name"] == "FLOWPILOT_DATABASE_URL" and "secretKeyRef" not in variable.get("valueFrom", {}):
                    yield f"{label(deployment)} has the database URL in its environment"
    migrates = [c["args"] for _, pod in pods(objects) for c in pod.get("initContainers", [])]
    if migrates != [["migrate"]]:
        yield f"init containers are {migrates}"


def only_people_are_published(objects):
    """Nothing but port 8080 leaves the cluster."""
    for service in named(objects, "Service"):
        ports = [port["port"] for port in service["spec"]["ports"]]
        if service["spec"].get("type", "ClusterIP") != "ClusterIP" and ports != [8080]:
            yield f"{label(service)} publishes {ports}"


def the_operator_owns_what_it_fills(objects):
    """The chart leaves out what the operator writes, so that an upgrade never takes it back."""
    for role in named(objects, "ClusterRole", "flowpilot-impersonator"):
        if "rules" in role:
            yield "the chart writes the rules of flowpilot-impersonator"
    for secret in named(objects, "Secret", "flowpilot-webhook-certificate"):
        if "data" in secret or "stringData" in secret:
            yield "the chart writes the webhook's certificate"
    for configuration in named(objects, "ValidatingWebhookConfiguration"):
        for webhook in configuration["webhooks"]:
            if "caBundle" in webhook["clientConfig"]:
                yield "the chart writes the CA bundle"
            if webhook["timeoutSeconds"] > 10:
                yield "the webhook may hold up a request for longer than 10 s"


def selectors_match_pods(objects):
    """Every Service, PodDisruptionBudget and NetworkPolicy finds at least one pod."""
    labels = [d["spec"]["template"]["metadata"]["labels"] for d in named(objects, "Deployment")]
    selectors = [(o, o["spec"]["selector"]) for o in named(objects, "Service")]
    selectors += [(o, o["spec"]["selector"]["matchLabels"]) for o in named(objects, "PodDisruptionBudget")]
    selectors += [(o, o["spec"]["podSelector"].get("matchLabels", {})) for o in named(objects, "NetworkPolicy")]
    for thing, selector in selectors:
        if not any(selector.items() <= pod.items() for pod in labels):
            yield f"{label(thing)} selects nothing"


def members_are_bounded_or_only_read(objects):
    """A member may change something only while the policy bounds them to what they made."""
    policy = named(objects, "ValidatingAdmissionPolicy", "flowpilot-members")
    for role in named(objects, "ClusterRole", "flowpilot-tenant-member"):
        verbs = {verb for rule in role["rules"] for verb in rule["verbs"]}
        if "*" in verbs or (verbs & {"update", "patch", "delete"} and not (policy and "own" in verbs)):
            yield f"members have {sorted(verbs)}"


CHECKS = [
    secrets_are_read_by_name_only,
    dangerous_verbs_name_their_object,
    no_reach_into_pods,
    pods_are_restricted,
    containers_are_bounded_and_watched,
    only_a_secret_names_the_database,
    only_people_are_published,
    the_operator_owns_what_it_fills,
    selectors_match_pods,
    members_are_bounded_or_only_read,
]


# ---- the checks of the checks -------------------------------------------------------------------------------------


def sabotage(objects):
    """For each check a rendering that it must refuse."""

    def spoil(change):
        spoiled = copy.deepcopy(objects)
        change(spoiled)
        return spoiled

    def role(objects):
        return named(objects, "ClusterRole", "flowpilot-operator")[0]

    def container(objects):
        return named(objects, "Deployment", "flowpilot-api")[0]["spec"]["template"]["spec"]["initContainers"][0]

    def add(rule):
        return lambda objects: role(objects)["rules"].append(rule)

    return {
        secrets_are_read_by_name_only: spoil(add({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]})),
        dangerous_verbs_name_their_object: spoil(
            add({"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["bind"]})
        ),
        no_reach_into_pods: spoil(add({"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]})),
        pods_are_restricted: spoil(lambda objects: container(objects).pop("securityContext")),
        containers_are_bounded_and_watched: spoil(lambda objects: container(objects).pop("resources")),
        only_a_secret_names_the_database: spoil(
            lambda objects: container(objects).update(env=[{"name": "FLOWPILOT_DATABASE_URL", "value": "postgres://"}])
        ),
        only_people_are_published: spoil(
            lambda objects: named(objects, "Service", "flowpilot-api")[0]["spec"].update(type="NodePort")
        ),
        the_operator_owns_what_it_fills: spoil(
            lambda objects: named(objects, "ClusterRole", "flowpilot-impersonator")[0].update(rules=[])
        ),
        selectors_match_pods: spoil(
            lambda objects: named(objects, "Service", "flowpilot-operator")[0]["spec"].update(selector={"a": "b"})
        ),
        members_are_bounded_or_only_read: spoil(
            lambda objects: objects.remove(named(objects, "ValidatingAdmissionPolicy", "flowpilot-members")[0])
        ),
    }


def facts():
    """Every fact that is checked: a name and what is wrong (nothing, if all is well)."""
    for chart in ("flowpilot-crds", "flowpilot"):
        done = helm("lint", "--strict", chart)
        yield f"lint {chart}", [] if done.returncode == 0 else [done.stdout + done.stderr]

    for name, values in RENDERINGS.items():
        objects = render(values)
        for check in CHECKS:
            yield f"{name}: {check.__name__}", list(check(objects))

    spoiled = sabotage(render({}))
    for check in CHECKS:
        found = list(check(spoiled[check]))
        yield f"sabotage: {check.__name__}", [] if found else ["did not notice"]

    for name, values in REFUSED.items():
        done = helm("template", "flowpilot", "flowpilot", values=values)
        yield f"schema refuses {name}", [] if done.returncode != 0 and "schema" in done.stderr else [done.stderr or "accepted"]

    yield "every value is commented", list(uncommented())

    first, second = (named(render({}), "Secret", "flowpilot-admin-token")[0]["data"]["token"] for _ in range(2))
    token_is_good = first != second and len(first) >= 56
    yield "the admin token is random", [] if token_is_good else [f"{len(first)} characters, equal: {first == second}"]

    definitions = sorted((HERE / "flowpilot-crds" / "templates").glob("*.yaml"))
    kinds = []
    for path in definitions:
        definition = yaml.safe_load(path.read_text())
        kinds.append(definition["spec"]["names"]["kind"])
        kept = definition["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
        yield f"{path.name} stays on uninstall", [] if kept else ["helm.sh/resource-policy: keep is missing"]
    wanted = ["Connection", "Connector", "RunnerClass", "Tenant", "Workflow", "WorkflowRun"]
    yield "all six kinds are defined", [] if sorted(kinds) == wanted else [f"found {sorted(kinds)}"]


def uncommented():
    """Keys of values.yaml with neither a comment above nor a commented parent on the line before."""
    lines = (HERE / "flowpilot" / "values.yaml").read_text().splitlines()
    for number, line in enumerate(lines):
        if not re.match(r"^ *[A-Za-z]+:", line):
            continue
        above = lines[number - 1].strip()
        group = line.rstrip().endswith(":")
        speaks_for_itself = re.match(r"^ *(requests|limits):", line)
        if not (above.startswith("#") or group or speaks_for_itself):
            yield f"line {number + 1}: {line.strip()}"


def main():
    passed, failed = 0, 0
    for name, problems in facts():
        if problems:
            failed += 1
            print(f"test {name} ... FAILED")
            for problem in problems:
                print(f"    {problem}")
        else:
            passed += 1
            print(f"test {name} ... ok")
    print(f"\ntest result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed; 0 ignored")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
