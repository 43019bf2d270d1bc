"""Metrics: what the plugin gives them, by the names that Checkmk has."""

import enum
from dataclasses import dataclass

Color = enum.Enum("Color", "LIGHT_RED RED ORANGE YELLOW LIGHT_GREEN GREEN LIGHT_BLUE BLUE CYAN PURPLE BROWN GRAY")


@dataclass(frozen=True)
class DecimalNotation:
    symbol: str


@dataclass(frozen=True)
class IECNotation:
    symbol: str


@dataclass(frozen=True)
class StrictPrecision:
    digits: int


@dataclass(frozen=True)
class Unit:
    notation: DecimalNotation | IECNotation
    precision: StrictPrecision | None = None


@dataclass(frozen=True, kw_only=True)
class Metric:
    name: str
    title: str
    unit: Unit
    color: Color
