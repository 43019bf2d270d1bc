"""A stand-in for Checkmk's API, as far as the plugin needs it, so that tests run without Checkmk."""

import enum
import re


class State(enum.Enum):
    OK = 0
    WARN = 1
    CRIT = 2
    UNKNOWN = 3


class IgnoreResultsError(RuntimeError):
    pass


class GetRateError(IgnoreResultsError):
    pass


class Service:
    def __init__(self, *, item=None, parameters=None, labels=None):
        if item is not None and not (isinstance(item, str) and item):
            raise TypeError(f"item {item!r}")
        self.item = item


class Metric:
    def __init__(self, name, value, *, levels=None, boundaries=None):
        if not isinstance(value, (int, float)) or not name or set(name) & set(" :/\\"):
            raise TypeError(f"metric {name!r} {value!r}")
        self.name, self.value, self.levels, self.boundaries = name, value, levels or (None, None), boundaries


class Result:
    def __init__(self, *, state, summary=None, notice=None, details=None):
        if not isinstance(state, State) or (summary is None) == (notice is None):
            raise TypeError(f"{state!r} {summary!r} {notice!r}")
        text = notice if summary is None else summary
        if not text or (summary and "\n" in summary):
            raise ValueError(text)
        self.state, self.details = state, details or text
        self.summary = "" if notice and state is State.OK else text.replace("\n", ", ")


class _Spec:
    def __init__(self, column, encoding="string"):
        self.column, self.encoding = column, encoding


def OIDEnd():
    return _Spec(0)


def OIDBytes(column):
    return _Spec(column, "binary")


class SNMPTree:
    def __init__(self, base, oids):
        if not re.fullmatch(r"(\.\d+)+", base) or not isinstance(oids, list):
            raise ValueError(base)
        self.base, self.oids = base, [o if isinstance(o, _Spec) else _Spec(o) for o in oids]


class SNMPSection:
    def __init__(self, *, name, detect, fetch, parse_function):
        self.name, self.detect, self.fetch, self.parse_function = name, detect, fetch, parse_function


class SimpleSNMPSection(SNMPSection):
    def __init__(self, *, fetch, parse_function, **rest):
        super().__init__(fetch=[fetch], parse_function=lambda string_table: parse_function(string_table[0]), **rest)
        self.parse_function.__wrapped__ = parse_function


class CheckPlugin:
    def __init__(
        self,
        *,
        name,
        service_name,
        discovery_function,
        check_function,
        sections=None,
        check_default_parameters=None,
        check_ruleset_name=None,
    ):
        self.name, self.service_name, self.sections = name, service_name, sections
        self.discovery_function, self.check_function = discovery_function, check_function
        self.check_default_parameters, self.check_ruleset_name = check_default_parameters, check_ruleset_name


def exists(oid):
    return [[(oid, ".*", True)]]


def get_value_store():
    raise RuntimeError("the test gives one")


def get_rate(store, key, time, value, *, raise_overflow=False):
    before, store[key] = store.get(key), (time, value)
    if before is None or time <= before[0] or (raise_overflow and value < before[1]):
        raise GetRateError(key)
    return (value - before[1]) / (time - before[0])


def check_levels(
    value,
    *,
    levels_upper=None,
    levels_lower=None,
    metric_name=None,
    render_func=None,
    label=None,
    boundaries=None,
    notice_only=False,
):
    render = render_func or (lambda v: f"{v:.2f}")
    text, state, upper = (f"{label}: " if label else "") + render(value), State.OK, None
    for levels, beyond, words in (
        (levels_upper, lambda level: value >= level, "at"),
        (levels_lower, lambda level: value < level, "below"),
    ):
        kind, pair = levels or ("no_levels", None)
        if kind == "no_levels":
            continue
        if kind != "fixed":
            raise TypeError(levels)
        upper = pair if words == "at" else upper
        reached = [s for level, s in zip(pair, (State.WARN, State.CRIT)) if beyond(level)]
        if reached:
            state = max(state, *reached, key=lambda s: s.value)
            text += f" (warn/crit {words} {render(pair[0])}/{render(pair[1])})"
    yield Result(state=state, **{"notice" if notice_only else "summary": text})
    if metric_name:
        yield Metric(metric_name, value, levels=upper, boundaries=boundaries)
