"""Findings of cdk-nag that are accepted, each where it arises and with its reason."""

from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct


def accept(construct: IConstruct, reason: str, *findings: str) -> None:
    """Accept findings of rules such as `IAM5[Resource::*]` on a construct and what is below it."""
    for finding in findings:
        Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{finding}", reason=reason))


def as_told(scope: IConstruct, resource: str) -> str:
    """A resource as cdk-nag writes it: what it refers to in angle brackets."""
    return _written(Stack.of(scope).resolve(resource))


def _written(resolved: Any) -> str:
    if isinstance(resolved, str):
        return resolved
    if "Ref" in resolved:
        return f"<{resolved['Ref']}>"
    if "Fn::GetAtt" in resolved:
        return "<" + ".".join(resolved["Fn::GetAtt"]) + ">"
    return "".join(_written(part) for part in resolved["Fn::Join"][1])
