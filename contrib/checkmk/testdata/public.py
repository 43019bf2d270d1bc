"""What Checkmk's own checks make of a walk, in our words.

Read from Checkmk 2.3: cmk/base/legacy_checks/safenet_hsm.py and safenet_ntls.py (2.4:
cmk/plugins/safenet/agent_based), cmk/base/plugins/agent_based/entity_sensors.py and
cmk/plugins/lib/entity_sensors.py.
"""

import time

from cmk.agent_based.v2 import (
    CheckPlugin,
    GetRateError,
    Metric,
    OIDEnd,
    Result,
    Service,
    SimpleSNMPSection,
    SNMPSection,
    SNMPTree,
    State,
    check_levels,
    get_rate,
    get_value_store,
)


def begins(oid, *starts):
    """A host where an object begins with one of some texts; a dot in them is any character."""
    return [[(oid, start + ".*", True)] for start in starts]


SAFENET = begins(".1.3.6.1.2.1.1.2.0", ".1.3.6.1.4.1.12383", ".1.3.6.1.4.1.8072")


def whole(names, texts=()):
    """The one row; a cell that is missing is no number, and the parser fails."""

    def parse(string_table):
        cells = dict(zip(names, string_table[0])) if string_table else None
        return cells and {n: c if n in texts else int(c) for n, c in cells.items()}

    return parse


def once(section):
    yield Service()


def rate(section, name):
    return get_rate(get_value_store(), name, time.time(), section[name], raise_overflow=True)


def counted(*names):
    """Counts and their rates, without levels as 2.4 has it."""

    def check(params, section):
        initialized = True
        for name in names:
            yield from check_levels(section[name], label=name, levels_upper=params.get(name))
            try:
                yield from check_levels(rate(section, name), label=name + "/s", metric_name=name, levels_upper=params.get(name + "_rate"))
            except GetRateError:
                initialized = False
        if not initialized:
            raise GetRateError("again at the next check")

    return check


snmp_section_hsm = SimpleSNMPSection(
    name="safenet_hsm",
    detect=SAFENET,
    fetch=SNMPTree(base=".1.3.6.1.4.1.12383.3.1.1", oids=["1", "2", "3", "4"]),
    parse_function=whole(("operation_requests", "operation_errors", "critical_events", "noncritical_events")),
)
check_plugin_hsm = CheckPlugin(
    name="safenet_hsm",
    service_name="HSM Operation Stats",
    discovery_function=once,
    check_function=counted("operation_errors", "operation_requests"),
    check_default_parameters={},
)
check_plugin_events = CheckPlugin(
    name="safenet_hsm_events",
    sections=["safenet_hsm"],
    service_name="HSM Safenet Event Stats",
    discovery_function=once,
    check_function=counted("critical_events", "noncritical_events"),
    check_default_parameters={},
)

NTLS = ("operation_status", "connected_clients", "links", "successful", "failed", "expiration_date")

snmp_section_ntls = SimpleSNMPSection(
    name="safenet_ntls",
    detect=SAFENET,
    fetch=SNMPTree(base=".1.3.6.1.4.1.12383.3.1.2", oids=["1", "2", "3", "4", "5", "6"]),
    parse_function=whole(NTLS, ("operation_status", "expiration_date")),
)


def check_operation(section):
    states = {"1": (State.OK, "Running"), "2": (State.CRIT, "Down"), "3": (State.UNKNOWN, "Unknown")}
    if section["operation_status"] in states:
        state, text = states[section["operation_status"]]
        yield Result(state=state, summary=text)


def check_expiration(section):
    yield Result(state=State.OK, summary="Expires " + section["expiration_date"])


def discover_connections(section):
    yield Service(item="successful")
    yield Service(item="failed")


def check_connections(item, section):
    yield Metric("connections_rate", rate(section, item))
    yield Result(state=State.OK, summary="connections")


def number_of(name):
    def check(params, section):
        yield from check_levels(section[name], metric_name="connections", levels_upper=params["levels"], label="Connections")

    return check


def ntls(name, service_name, check, params=None, discover=once):
    return CheckPlugin(
        name="safenet_ntls" + name,
        sections=["safenet_ntls"],
        service_name=service_name,
        discovery_function=discover,
        check_function=check,
        check_default_parameters=params,
    )


NO_LEVELS = {"levels": ("no_levels", None)}

check_plugin_ntls = ntls("", "NTLS Operation Status", check_operation)
check_plugin_ntls_expiration = ntls("_expiration", "NTLS Expiration Date", check_expiration)
check_plugin_ntls_connrate = ntls("_connrate", "NTLS Connection Rate: %s", check_connections, discover=discover_connections)
check_plugin_ntls_links = ntls("_links", "NTLS Links", number_of("links"), NO_LEVELS)
check_plugin_ntls_clients = ntls("_clients", "NTLS Clients", number_of("connected_clients"), NO_LEVELS)

KINDS = {"8": "temp", "10": "fan", "12": "power_presence"}
SCALES = {"8": 0.001, "9": 1, "10": 1000}
STATES = {"1": State.OK, "2": State.CRIT, "3": State.WARN}


def shortened(name):
    for text in ("Fan", "Temperature", "#", "@", "Sensor"):
        name = name.replace(text, "")
    return "Sensor " + " ".join(name.split())


def parse_entity(string_table):
    """Sensors by kind and name. Precision is not read."""
    names = dict(string_table[0])
    kinds = {}
    for end, kind, scale, value, status, _unit in string_table[1]:
        sensor = (float(value) * SCALES[scale], STATES.get(status, State.UNKNOWN))
        kinds.setdefault(KINDS.get(kind, kind), {})[shortened(names.get(end, end))] = sensor
    return kinds


snmp_section_entity_sensors = SNMPSection(
    name="entity_sensors",
    detect=begins(".1.3.6.1.2.1.1.1.0", "palo alto networks", "cisco adaptive security appliance"),
    fetch=[
        SNMPTree(base=".1.3.6.1.2.1.47.1.1.1.1", oids=[OIDEnd(), "7"]),
        SNMPTree(base=".1.3.6.1.2.1.99.1.1.1", oids=[OIDEnd(), "1", "2", "4", "5", "6"]),
    ],
    parse_function=parse_entity,
)


def entity(kind, service_name, levels=None):
    """A check of one kind of sensor. It says nothing of one that vanished."""

    def discover(section):
        for item in section.get(kind, {}):
            yield Service(item=item)

    def check(item, section):
        if item not in section.get(kind, {}):
            return
        value, state = section[kind][item]
        if kind == "power_presence":
            yield Result(state=State.OK if value == 1 else State.WARN, summary="Powered on" if value == 1 else "Powered off")
            return
        yield Result(state=state, summary="status")
        yield from check_levels(value, metric_name=kind, levels_lower=levels)

    return CheckPlugin(name="entity_sensors_" + kind, sections=["entity_sensors"], service_name=service_name, discovery_function=discover, check_function=check)


check_plugin_entity_temp = entity("temp", "Temperature %s")
check_plugin_entity_fan = entity("fan", "Fan %s", ("fixed", (2000, 1000)))
check_plugin_entity_power = entity("power_presence", "Power %s")
