"""Perf-O-Meters: what the plugin gives them, by the names that Checkmk has."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Closed:
    value: float


@dataclass(frozen=True)
class Open:
    value: float


@dataclass(frozen=True)
class FocusRange:
    lower: Closed | Open
    upper: Closed | Open


@dataclass(frozen=True, kw_only=True)
class Perfometer:
    name: str
    focus_range: FocusRange
    segments: list
