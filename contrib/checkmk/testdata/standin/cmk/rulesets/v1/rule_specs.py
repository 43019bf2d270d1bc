"""Rulesets: what the plugin gives them, by the names that Checkmk has."""

import enum
from collections.abc import Callable
from dataclasses import dataclass


class Topic(enum.Enum):
    APPLICATIONS = "applications"
    ENVIRONMENTAL = "environmental"


@dataclass(frozen=True, kw_only=True)
class HostAndItemCondition:
    item_title: str


@dataclass(frozen=True)
class HostCondition:
    pass


@dataclass(frozen=True, kw_only=True)
class CheckParameters:
    title: str
    topic: Topic
    parameter_form: Callable
    name: str
    condition: HostAndItemCondition | HostCondition
