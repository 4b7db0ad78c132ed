"""Schemas: what fields there are, what they mean, what is wrong with a value."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ktui.manifests.check import Fault, check, faults
from ktui.manifests.definitions import Definitions, read_definitions
from ktui.manifests.formats import wrong
from ktui.manifests.lists import ABSENT
from ktui.manifests.problems import Problem
from ktui.manifests.reading import read
from ktui.manifests.schema import Schema, complete, describe, schema_of

DOCUMENTS = Path(__file__).parent / "golden" / "openapi"
META = {"type": "object", "properties": {"name": {"type": "string"}}}
WEB = ("spec", "template", "spec", "containers", 0)


@cache
def definitions(name: str) -> Definitions:
    return read_definitions((DOCUMENTS / f"{name}.json").read_bytes())


def schema(kind: str) -> Schema:
    """Of a kind of apps/v1 or v1, as recorded from a real server."""
    found = schema_of(definitions("apps_v1"), "apps", "v1", kind) or schema_of(definitions("api_v1"), "", "v1", kind)
    assert found is not None
    return found


def custom(spec: dict[str, Any], **more: Any) -> Schema:
    """Of a custom resource."""
    text = {"type": "string"}
    root = {
        "type": "object",
        "properties": {"apiVersion": text, "kind": text, "metadata": META, "spec": spec},
        "x-kubernetes-group-version-kind": [{"group": "example.com", "version": "v1", "kind": "Lamp"}],
        **more,
    }
    document = {"openapi": "3.0.0", "components": {"schemas": {"com.example.v1.Lamp": root}}}
    found = schema_of(read_definitions(json.dumps(document).encode()), "example.com", "v1", "Lamp")
    assert found is not None
    return found


def deployment(**container: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "web", "image": "web:1", **container}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"spec": spec}},
    }


def messages(value: Any, of: Schema) -> list[str]:
    return [fault.message for fault in faults(value, of)]


# -- fields ----------------------------------------------------------------------------------------


def test_fields_are_found_by_their_paths() -> None:
    found = schema("Deployment").field((*WEB, "ports", 0, "protocol"))
    assert found is not None
    assert (found.type, found.default, found.enum) == ("string", "TCP", ("SCTP", "TCP", "UDP"))
    label = schema("Deployment").field(("metadata", "labels", "app.kubernetes.io/name"))
    assert label is not None
    assert label.type == "string"
    assert schema("Deployment").field(("spec", "nothing", "there")) is None


def test_lists_are_merged_as_the_schema_says() -> None:
    lists = schema("Deployment").lists
    pod = lists.field("spec").field("template").field("spec")
    ports = pod.field("containers").item().field("ports").rule
    assert (ports.keys, ports.defaults) == ((("containerPort", "protocol"),), {"protocol": "TCP"})
    assert (ports.patch_key, ports.patch_merged) == ("containerPort", True)
    assert pod.field("volumes").item().rule.retained
    assert lists.field("spec").field("strategy").rule.retained
    assert pod.field("tolerations").rule.atomic
    assert pod.field("containers").item().field("args").rule.atomic
    assert lists.field("metadata").field("finalizers").rule.unique
    assert lists.strategic
    assert not lists.field("unknown").field("name").rule.atomic


def test_only_built_in_kinds_take_strategic_merge_patches() -> None:
    assert schema("Pod").strategic
    assert not custom({"type": "object"}).lists.strategic


# -- documentation ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "words", "required"),
    [
        ((), "Deployment", False),
        (("spec",), "DeploymentSpec", False),
        (("spec", "replicas"), "integer", False),
        (("spec", "template"), "PodTemplateSpec", True),
        (("spec", "template", "spec", "containers"), "[]Container", True),
        (("metadata", "labels"), "map[string]string", False),
        ((*WEB, "resources", "limits"), "map[string]Quantity", False),
        ((*WEB, "livenessProbe", "httpGet", "port"), "IntOrString", True),
    ],
)
def test_types_are_in_the_words_of_kubectl(path: tuple[str | int, ...], words: str, required: bool) -> None:
    found = describe(schema("Deployment"), path)
    assert found is not None
    assert (found.type, found.required) == (words, required)


def test_documentation_says_what_place_and_type_mean() -> None:
    found = describe(schema("Deployment"), ("spec", "strategy"))
    assert found is not None
    assert found.text == (
        "The deployment strategy to use to replace existing pods with new ones.\n"
        "DeploymentStrategy describes how to replace existing pods with new ones."
    )
    assert [(field.name, field.type, field.enum) for field in found.fields] == [
        ("rollingUpdate", "RollingUpdateDeployment", ()),
        ("type", "string", ("Recreate", "RollingUpdate")),
    ]
    assert describe(schema("Deployment"), ("spec", "stratgy")) is None


def test_a_rule_that_keeps_a_field_as_it_was_is_told() -> None:
    rule = {"rule": "self == oldSelf", "message": "class is immutable"}
    found = custom({"properties": {"class": {"type": "string", "x-kubernetes-validations": [rule]}}})
    field = describe(found, ("spec", "class"))
    assert field is not None
    assert field.immutable


# -- completion ------------------------------------------------------------------------------------


def test_keys_are_completed() -> None:
    """Required ones first, then those that begin with what is written; not those that are there."""
    found = [item.text for item in complete(schema("Deployment"), ("spec",))]
    assert found[:2] == ["selector", "template"]
    assert "replicas" in found
    assert [item.text for item in complete(schema("Deployment"), WEB, "IMAGE")] == ["image", "imagePullPolicy"]
    assert [item.text for item in complete(schema("Deployment"), WEB, "image", ["image"])] == ["imagePullPolicy"]
    (item,) = complete(schema("Deployment"), WEB[:-1], "livenessP")
    assert (item.type, item.required) == ("Probe", False)
    assert item.documentation.startswith("Periodic probe")


@pytest.mark.parametrize(
    ("path", "prefix", "wanted"),
    [
        ((*WEB, "imagePullPolicy"), "", ["Always", "IfNotPresent", "Never"]),
        ((*WEB, "imagePullPolicy"), "n", ["Never", "IfNotPresent"]),
        (("spec", "paused"), "", ["true", "false"]),
        (("apiVersion",), "", ["apps/v1"]),
        (("kind",), "", ["Deployment"]),
        (("metadata", "labels"), "", []),
        (("spec", "no", "such"), "", []),
    ],
)
def test_values_are_completed(path: tuple[str | int, ...], prefix: str, wanted: list[str]) -> None:
    assert [item.text for item in complete(schema("Deployment"), path, prefix)] == wanted


# -- checks ----------------------------------------------------------------------------------------


def test_nothing_is_wrong_with_a_good_object() -> None:
    probe = {"httpGet": {"port": "http"}, "periodSeconds": 1.0}
    resources = {"limits": {"cpu": 1, "memory": "64Mi"}, "requests": {"cpu": 0.5}}
    good = deployment(livenessProbe=probe, resources=resources, env=None, ports=[{"containerPort": 1}])
    assert faults(good, schema("Deployment")) == []


@pytest.mark.parametrize(
    ("container", "path", "message"),
    [
        ({"imag": "x"}, ("imag",), 'unknown field "imag"; did you mean "image"?'),
        ({"Image": "x"}, ("Image",), 'unknown field "Image"; did you mean "image"?'),
        ({"qqq": "x"}, ("qqq",), 'unknown field "qqq"'),
        ({"image": 1}, ("image",), "must be a string, not a number; write it in quotes"),
        ({"image": ["a"]}, ("image",), "must be a string, not a list"),
        ({"tty": "yes"}, ("tty",), "must be a boolean, not a string"),
        ({"ports": {}}, ("ports",), "must be a list, not an object"),
        ({"ports": [{"containerPort": "80"}]}, ("ports", 0, "containerPort"), "must be a whole number, not a string"),
        ({"ports": [{"containerPort": 1.5}]}, ("ports", 0, "containerPort"), "must be a whole number, not a number"),
        ({"ports": [{"containerPort": True}]}, ("ports", 0, "containerPort"), "must be a whole number, not a boolean"),
        (
            {"ports": [{"containerPort": 2**40}]},
            ("ports", 0, "containerPort"),
            "must be a number from -2147483648 to 2147483647",
        ),
        ({"ports": [{"name": "web"}]}, ("ports", 0), '"containerPort" is missing'),
        (
            {"livenessProbe": {"httpGet": {"port": True}}},
            ("livenessProbe", "httpGet", "port"),
            "must be a number or a string, not a boolean",
        ),
        (
            {"imagePullPolicy": "Alway"},
            ("imagePullPolicy",),
            'must be Always, IfNotPresent or Never; did you mean "Always"?',
        ),
        (
            {"resources": {"limits": {"cpu": "1 core"}}},
            ("resources", "limits", "cpu"),
            "must be a quantity, such as 500m, 1.5 or 64Mi",
        ),
        ({"resources": {"limits": {"cpu": []}}}, ("resources", "limits", "cpu"), "must be a quantity, not a list"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_it_is(
    container: dict[str, Any], path: tuple[str | int, ...], message: str
) -> None:
    key = message.startswith("unknown")
    assert faults(deployment(**container), schema("Deployment")) == [Fault((*WEB, *path), key, "error", message)]


def test_problems_stand_in_the_text() -> None:
    """At the key that is unknown, at the value that is wrong, at the map in which something is missing."""
    text = """apiVersion: v1
kind: Pod
spec:
  containers:
  - image: 5
    nam: web
"""
    (document,) = read(text).documents
    web = ("spec", "containers", 0)
    assert check(document, schema("Pod")) == [
        Problem(5, 5, web, "error", '"name" is missing'),
        Problem(5, 12, (*web, "image"), "error", "must be a string, not a number; write it in quotes"),
        Problem(6, 5, (*web, "nam"), "error", 'unknown field "nam"; did you mean "name"?'),
    ]


def test_what_is_there_twice() -> None:
    """Where the server takes it with a warning, it is one."""
    found = deployment(env=[{"name": "A"}, {"name": "B"}, {"name": "A", "value": "1"}])
    assert faults(found, schema("Deployment")) == [
        Fault((*WEB, "env", 2), False, "warning", 'name "A" is there twice'),
    ]
    both = deployment(ports=[{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}])
    assert messages(both, schema("Deployment")) == []
    found = deployment()
    found["spec"]["template"]["spec"]["containers"] *= 2
    assert [(f.severity, f.message) for f in faults(found, schema("Deployment"))] == [
        ("error", 'name "web" is there twice')
    ]


def test_secrets_are_in_base64_and_maps_hold_texts() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "YQ==", "b": "clear text", "c": "YQ=\n="}}
    assert [fault.path for fault in faults(secret, schema("Secret"))] == [("data", "b")]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"on": True, "off": "no"}}
    assert messages(config, schema("ConfigMap")) == ["must be a string, not a boolean; write it in quotes"]


def test_the_status_is_not_asked_to_be_whole() -> None:
    pod = {"kind": "Pod", "spec": {"containers": []}, "status": {"conditions": [{"type": "Ready"}], "nope": 1}}
    assert messages(pod, schema("Pod")) == ['unknown field "nope"']


@pytest.mark.parametrize(
    ("spec", "value", "wanted"),
    [
        ({"type": "object"}, {"a": 1}, ['unknown field "a"']),
        ({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, {"a": 1}, []),
        ({"type": "object", "additionalProperties": {"type": "boolean"}}, {"a": []}, ["must be a boolean, not a list"]),
        ({"type": "object", "x-kubernetes-embedded-resource": True}, {"kind": "Pod", "metadata": {}}, []),
        ({"type": "integer", "minimum": 1, "maximum": 3}, 4, ["must be 3 or less"]),
        ({"type": "integer", "minimum": 1, "maximum": 3}, 0, ["must be 1 or more"]),
        ({"type": "string", "minLength": 1}, "", ["must have at least 1 character"]),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, ["a", "b"], ["must have at most 1 items"]),
        ({"type": "string"}, None, []),
        ({"type": "array", "items": {"type": "string"}}, [None], ["must be a string, not null"]),
        ({"type": "array", "items": {"type": "string", "nullable": True}}, [None], []),
        ({"type": "object", "required": ["a"], "properties": {"a": {"default": 1}}}, {}, []),
        ({"type": "object", "required": ["a"], "properties": {"a": {}}}, {"a": None}, ['"a" is missing']),
        ({"type": "string", "format": "duration"}, "1 day", []),
        ({"type": "string", "format": "duration"}, "soon", ["must be a duration, such as 30s, 5m or 1h30m"]),
        ({"type": "string", "format": "date-time"}, "yesterday", ["must be a moment, such as 2030-01-31T12:00:00Z"]),
        ({"type": "string", "enum": ["on", "off"]}, "", ["must be on or off"]),
        (
            {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            ["a", "b", "a"],
            ['"a" is there twice'],
        ),
        ({"x-kubernetes-int-or-string": True}, 1.5, ["must be a number or a string, not a number"]),
        ({}, [{"any": "thing"}], []),
    ],
)  # fmt: skip
def test_custom_resources_are_stricter(spec: dict[str, Any], value: Any, wanted: list[str]) -> None:
    found = {"apiVersion": "example.com/v1", "kind": "Lamp", "metadata": {"name": "a"}, "spec": value}
    assert messages(found, custom(spec)) == wanted


@pytest.mark.parametrize(
    ("form", "good", "bad"),
    [
        ("quantity", ["1", "0.5", "64Mi", "1e3", "-1", ".5"], ["", "1 Gi", "1GB", "0x1", "1e", "m"]),
        ("go-duration", ["0", "30s", "1h30m", "-1.5h", "100ms"], ["", "1", "1d", "1 h", "s"]),
        ("duration", ["30s", "1d", "1 day", "2w3d"], ["", "soon", "1x"]),
        ("date-time", ["2030-01-31T12:00:00Z", "2030-01-31T12:00:00.5+01:00"], ["2030-01-31", "2030-01-31 12:00:00Z"]),
        ("byte", ["", "YQ==", "YWJj"], ["YQ", "Y Q==", "é"]),
        ("whatever", ["", "x"], []),
    ],
)
def test_formats(form: str, good: list[str], bad: list[str]) -> None:
    assert [text for text in good if wrong(text, form)] == []
    assert [text for text in bad if not wrong(text, form)] == []


def test_quantities_of_custom_resources_are_known_by_their_pattern() -> None:
    """As controller-gen writes them."""
    number = r"(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))"
    pattern = rf"^(\+|-)?{number}(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?{number}))?$"
    types = [{"type": "integer"}, {"type": "string"}]
    found = custom({"anyOf": types, "pattern": pattern, "x-kubernetes-int-or-string": True})
    for value, wanted in (("64Mi", []), (5, []), ("much", ["must be a quantity, such as 500m, 1.5 or 64Mi"])):
        assert messages({"spec": value}, found) == wanted


def test_deep_values_and_types_that_hold_themselves_come_to_an_end() -> None:
    """A type that refers to itself is in every server: JSON schemas of definitions."""
    deep: Any = {}
    for _ in range(300):
        deep = {"again": deep}
    document = {
        "components": {
            "schemas": {
                "a": {"$ref": "#/components/schemas/b"},
                "b": {"$ref": "#/components/schemas/a"},
                "x": {
                    "type": "object",
                    "properties": {
                        "again": {"$ref": "#/components/schemas/x"},
                        "loop": {"$ref": "#/components/schemas/a"},
                    },
                    "x-kubernetes-group-version-kind": [{"group": "", "version": "v1", "kind": "X"}],
                },
            }
        }
    }
    found = schema_of(read_definitions(json.dumps(document).encode()), "", "v1", "X")
    assert found is not None
    assert faults(deep, found) == []
    assert faults({"loop": 1}, found) == []
    assert describe(found, ("loop",)) is not None


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"components": 1}', b'{"components":{"schemas":{"a":{"type":1}}}}']
)
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no OpenAPI document"):
        read_definitions(body)


def test_a_field_without_default_has_none() -> None:
    field = schema("Deployment").field(("spec", "replicas"))
    assert field is not None
    assert field.default is ABSENT
