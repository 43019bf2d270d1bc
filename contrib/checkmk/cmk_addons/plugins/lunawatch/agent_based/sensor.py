"""Sensors, fans and power supplies of the card and its appliance: lunaSensorTable."""

from cmk.agent_based.v2 import CheckPlugin, Metric, Result, Service, SimpleSNMPSection, State

from cmk_addons.plugins.lunawatch.lib import (
    DETECT,
    STATES,
    check_value,
    chosen,
    device_levels,
    line,
    number,
    rows,
    tree,
    unread,
    word,
)

COLUMNS = (
    "lunaSensorUnit",
    "lunaSensorValue",
    "lunaSensorLowerLimit",
    "lunaSensorUpperLimit",
    "lunaSensorLowerFatal",
    "lunaSensorUpperFatal",
    "lunaSensorStatus",
    "lunaSensorState",
)

# What lunaSensorPart is called in names of services.
PARTS = {1: "card", 2: "board", 3: "power supply", 4: "fan"}

# Sensors that have services of their own.
OWN = ("Battery", "Temperature")

# Metrics and signs by unit, as releases print it.
UNITS = {
    "V": ("lunawatch_sensor_volts", "V"),
    "Volts": ("lunawatch_sensor_volts", "V"),
    "C": ("lunawatch_sensor_celsius", "°C"),
    "degrees C": ("lunawatch_sensor_celsius", "°C"),
    "RPM": ("lunawatch_sensor_rpm", "RPM"),
}


def parse_sensors(string_table):
    """The rows by HSM, part and name."""
    return rows(string_table, COLUMNS, "tnt")


snmp_section_lunawatch_sensor = SimpleSNMPSection(
    name="lunawatch_sensor",
    detect=DETECT,
    fetch=tree(*COLUMNS),
    parse_function=parse_sensors,
)


def called(hsm, part, name):
    """What the service of a sensor is called: a board and a list of fans may use one name."""
    return f"{hsm} {PARTS.get(part, part)} {name}"


def discover_sensors(section_lunawatch_hsm, section_lunawatch_sensor):
    """A service for each sensor that reads something or has a state.

    A place without a module has neither; a fan that the board measures is in the list of fans, too.
    """
    sensors = section_lunawatch_sensor or {}
    for (hsm, part, name), row in sensors.items():
        if part == 1 and name in OWN:
            continue
        if row["lunaSensorValue"] == "" and word(row, "lunaSensorState") == "unknown":
            continue
        if part == 4 and sensors.get((hsm, 2, name), {}).get("lunaSensorValue"):
            continue
        yield Service(item=called(hsm, part, name))


def check_sensor(item, params, section_lunawatch_hsm, section_lunawatch_sensor):
    """What a sensor reads, by the limits that the device states. A fan has none unless it states some."""
    row = {called(*key): row for key, row in (section_lunawatch_sensor or {}).items()}.get(item)
    if row is None:
        yield from unread(item, section_lunawatch_hsm)
        return
    judged = word(row, "lunaSensorState")
    if not chosen(params) or row["lunaSensorValue"] == "":
        status = line(row["lunaSensorStatus"]) or judged
        state = STATES.get(judged, State.UNKNOWN)
        yield Result(state=state, summary=f"State not known: {status}" if state is State.UNKNOWN else status)
    if (value := number(row, "lunaSensorValue", 1000)) is None:
        return
    metric, unit = UNITS.get(row["lunaSensorUnit"], ("lunawatch_sensor_value", row["lunaSensorUnit"]))
    yield from check_value(
        value,
        params,
        device_levels(number(row, "lunaSensorLowerLimit", 1000), number(row, "lunaSensorLowerFatal", 1000)),
        device_levels(number(row, "lunaSensorUpperLimit", 1000), number(row, "lunaSensorUpperFatal", 1000)),
        render_func=lambda v: f"{v:g} {unit}",
        label="Reads",
    )
    yield Metric(metric, value)


check_plugin_lunawatch_sensor = CheckPlugin(
    name="lunawatch_sensor",
    sections=["lunawatch_hsm", "lunawatch_sensor"],
    service_name="HSM Sensor %s",
    discovery_function=discover_sensors,
    check_function=check_sensor,
    check_default_parameters={},
    check_ruleset_name="lunawatch_sensor",
)
