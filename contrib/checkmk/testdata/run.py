"""Runs check plugins on walks as Checkmk does, for the tests: of ours, or of a Checkmk's source.

Reads [{"walk": {OID: hex}, "now": seconds, "params": {check: {...}}}] from standard input
and prints what there is and, for each walk, the services with their results. Arguments are
the modules to load; directories of modules come by PYTHONPATH.

How cells are put in rows is that of cmk/snmplib/_table.py of Checkmk 2.3: each column is
walked alone, indexes are those of the longest, and what is missing in between is empty.
"""

import importlib
import inspect
import json
import re
import sys


def oid_key(oid):
    return [int(n) for n in oid.strip(".").split(".")]


def walk(values, base):
    found = {o[len(base) + 1 :]: v for o, v in values.items() if o.startswith(base + ".")}
    return found or ({"": values[base]} if base in values else {})


def text(value):
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def table(values, tree):
    columns = [walk(values, f"{tree.base}.{o.column}") if o.column != 0 else None for o in tree.oids]
    longest = max((c for c in columns if c is not None), key=len)
    ends = sorted({e for c in columns if c for e in c}, key=lambda e: oid_key(e) if e else [])
    cells = [{e: e.encode() for e in longest} if c is None else c for c in columns]
    read = [list if getattr(o, "encoding", "") == "binary" else text for o in tree.oids]
    return [[r(c.get(e, b"")) for r, c in zip(read, cells)] for e in ends]


def detected(values, spec):
    def holds(oid, pattern, wanted):
        value = values.get(oid)
        return (value is not None and re.fullmatch(pattern, text(value), re.I | re.S) is not None) == wanted

    return any(all(holds(*condition) for condition in alternative) for alternative in spec)


def arguments(plugin):
    names = plugin.sections or [plugin.name]
    return ["section"] if len(names) == 1 else [f"section_{n}" for n in names]


def checked(plugin):
    """The order of arguments is fixed, and there is an item if the name of the service has a place for it."""
    wanted = ["item"] if "%s" in plugin.service_name else []
    wanted += ["params"] if plugin.check_default_parameters is not None else []
    for function, before in ((plugin.discovery_function, []), (plugin.check_function, wanted)):
        have = list(inspect.signature(function).parameters)
        if have != before + arguments(plugin):
            raise TypeError(f"{plugin.name}: {have}, not {before + arguments(plugin)}")


def outcome(plugin, item, parsed, crashed, params, api):
    call = dict(zip(arguments(plugin), (parsed.get(n) for n in plugin.sections or [plugin.name])))
    if all(section is None for section in call.values()):
        why = ", ".join(crashed.values()) or "no data"
        return {"state": 3, "summary": f"stale: {why}", "metrics": {}, "details": []}
    if "%s" in plugin.service_name:
        call["item"] = item
    if plugin.check_default_parameters is not None:
        call["params"] = {**plugin.check_default_parameters, **{k: tuples(v) for k, v in params.items()}}
    try:
        results = list(plugin.check_function(**call))
    except api.IgnoreResultsError as e:
        return {"state": 3, "summary": f"stale: {e}", "metrics": {}, "details": []}
    said = [r for r in results if hasattr(r, "state")]
    if not results:
        return {"state": 3, "summary": "Item not found in monitoring data", "metrics": {}, "details": []}
    states = {int(r.state.value) for r in said}
    return {
        "state": 2 if 2 in states else max(states, default=0),
        "summary": ", ".join(r.summary for r in said if r.summary),
        "details": [r.details for r in said],
        "metrics": {m.name: float(m.value) for m in results if not hasattr(m, "state")},
    }


def tuples(value):
    return tuple(tuples(v) for v in value) if isinstance(value, list) else value


def main():
    api = importlib.import_module("cmk.agent_based.v2")
    sections, plugins, rulesets, metrics, stores, modules, known = {}, {}, {}, set(), {}, [], {}
    for name in sys.argv[1:]:
        module = importlib.import_module(name)
        modules.append(module)
        for key, value in vars(module).items():
            if key.startswith("snmp_section_"):
                sections[value.name] = value
            elif key.startswith("check_plugin_"):
                checked(value)
                plugins[value.name] = value
            elif key.startswith("rule_spec_"):
                rulesets[value.name] = sorted(value.parameter_form().elements)
            elif key.startswith("metric_"):
                metrics.add(value.name)
    out = {
        "oids": sorted({f"{t.base}.{o.column}" for s in sections.values() for t in s.fetch for o in t.oids if o.column != 0}),
        "rulesets": rulesets,
        "metrics": sorted(metrics),
        "checks": {p.name: p.check_ruleset_name or "" for p in plugins.values()},
        "steps": [],
    }
    for step in json.load(sys.stdin):
        values = {oid: bytes.fromhex(v) for oid, v in step["walk"].items()}
        parsed, crashed = {}, {}
        for name, section in sections.items():
            if detected(values, section.detect):
                tables = [table(values, t) for t in section.fetch]
                if any(tables):
                    try:
                        parsed[name] = section.parse_function(tables)
                    except (ValueError, LookupError) as e:
                        crashed[name] = repr(e)
        services = {}
        for plugin in plugins.values():
            call = dict(zip(arguments(plugin), (parsed.get(n) for n in plugin.sections or [plugin.name])))
            if any(s is not None for s in call.values()):
                for service in plugin.discovery_function(**call):
                    name = plugin.service_name.replace("%s", service.item or "")
                    if known.setdefault(name, (plugin, service.item)) != (plugin, service.item):
                        raise ValueError(f"two services are called {name}")
        for name, (plugin, item) in known.items():
            store = stores.setdefault(name, {})
            for module in modules:
                if hasattr(module, "get_value_store"):
                    module.get_value_store = lambda: store
                if hasattr(module, "time") and step.get("now"):
                    module.time = type("time", (), {"time": staticmethod(lambda: step["now"])})
            services[name] = outcome(plugin, item, parsed, crashed, step.get("params", {}).get(plugin.name, {}), api)
            services[name]["check"] = plugin.name
        out["steps"].append(services)
    json.dump(out, sys.stdout)


main()
