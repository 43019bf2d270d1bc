"""Forms: what the plugin gives them, by the names that Checkmk has."""

import enum
from dataclasses import dataclass, field
from typing import Any


class LevelDirection(enum.Enum):
    UPPER = "upper"
    LOWER = "lower"


@dataclass(frozen=True)
class DefaultValue:
    value: Any


@dataclass(frozen=True, kw_only=True)
class Form:
    title: str | None = None
    help_text: str | None = None


@dataclass(frozen=True, kw_only=True)
class Integer(Form):
    prefill: DefaultValue | None = None


class Float(Integer):
    pass


@dataclass(frozen=True, kw_only=True)
class ServiceState(Form):
    OK = 0
    WARN = 1
    CRIT = 2
    UNKNOWN = 3
    prefill: DefaultValue = DefaultValue(0)


@dataclass(frozen=True, kw_only=True)
class SimpleLevels(Form):
    form_spec_template: Form
    level_direction: LevelDirection
    prefill_fixed_levels: DefaultValue


@dataclass(frozen=True, kw_only=True)
class DictElement:
    parameter_form: Form
    required: bool = False


@dataclass(frozen=True, kw_only=True)
class Dictionary(Form):
    elements: dict[str, DictElement] = field(default_factory=dict)
