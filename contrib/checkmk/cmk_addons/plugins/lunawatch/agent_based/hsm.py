"""How each HSM is, its battery and its temperature: lunaHsmTable."""

import time

from cmk.agent_based.v2 import (
    CheckPlugin,
    GetRateError,
    Metric,
    Result,
    Service,
    SimpleSNMPSection,
    State,
    check_levels,
    get_rate,
    get_value_store,
)

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
    true,
    why,
    word,
)

COLUMNS = (
    "lunaHsmKind",
    "lunaHsmState",
    "lunaHsmReason",
    "lunaHsmReach",
    "lunaHsmAlarms",
    "lunaHsmWorstAlarm",
    "lunaHsmSerial",
    "lunaHsmModel",
    "lunaHsmFirmware",
    "lunaHsmStatus",
    "lunaHsmBattery",
    "lunaHsmBatteryThreshold",
    "lunaHsmBatteryWarns",
    "lunaHsmTemperature",
    "lunaHsmTemperatureThreshold",
    "lunaHsmTemperatureWarns",
    "lunaHsmUtilization",
    "lunaHsmUtilizationInterval",
    "lunaHsmUpTime",
    "lunaHsmCommands",
    "lunaHsmOperationRequests",
    "lunaHsmOperationErrors",
    "lunaHsmCryptoRequests",
    "lunaHsmCryptoErrors",
    "lunaHsmDiscontinuity",
    "lunaHsmTamper",
    "lunaHsmTampers",
    "lunaHsmTransportMode",
    "lunaHsmZeroized",
    "lunaHsmFips",
    "lunaHsmSoAttemptsLeft",
    "lunaHsmStorageTotal",
    "lunaHsmStorageUsed",
    "lunaHsmPartitionsCreated",
    "lunaHsmPartitionsAllowed",
    "lunaHsmStale",
    "lunaHsmAge",
)

# Metrics of counters, by column: a rate of 1/s.
RATES = {
    "lunaHsmCommands": "lunawatch_commands",
    "lunaHsmOperationRequests": "lunawatch_requests",
    "lunaHsmOperationErrors": "lunawatch_request_errors",
    "lunaHsmCryptoRequests": "lunawatch_crypto_requests",
    "lunaHsmCryptoErrors": "lunawatch_crypto_errors",
}

# Metrics of what is now, by column, with what makes one of its unit.
GAUGES = {
    "lunaHsmUtilization": ("lunawatch_utilization", 100),
    "lunaHsmUtilizationInterval": ("lunawatch_utilization_interval", 100),
    "lunaHsmUpTime": ("lunawatch_uptime", 1),
    "lunaHsmStorageTotal": ("lunawatch_storage_total", 1),
    "lunaHsmStorageUsed": ("lunawatch_storage_used", 1),
    "lunaHsmPartitionsCreated": ("lunawatch_partitions", 1),
}


def parse_hsms(string_table):
    """The rows of lunaHsmTable by the names of the HSMs."""
    table = rows(string_table, COLUMNS, "t")
    return table and {name: row for (name,), row in table.items()}


snmp_section_lunawatch_hsm = SimpleSNMPSection(
    name="lunawatch_hsm",
    detect=DETECT,
    fetch=tree(*COLUMNS),
    parse_function=parse_hsms,
)


def discover_hsms(section):
    """A service for each HSM that is watched, also for one that was never read."""
    for name in section:
        yield Service(item=name)


def check_hsm(item, params, section):
    """State of the HSM as Lunawatch says, and its figures."""
    if (row := section.get(item)) is None:
        return
    state = word(row, "lunaHsmState")
    yield Result(state=STATES.get(state, State.UNKNOWN), summary=line(row["lunaHsmReason"]) or state)
    yield from safety(row)
    yield from told(row)
    if (age := number(row, "lunaHsmAge")) is not None:
        yield from check_levels(
            age,
            levels_upper=params.get("age"),
            metric_name="lunawatch_age",
            label="Newest value",
            render_func=lambda v: f"{v:.0f} s old",
            notice_only=True,
        )
    if (left := number(row, "lunaHsmSoAttemptsLeft")) is not None:
        yield from check_levels(
            left,
            levels_lower=params.get("so_attempts"),
            metric_name="lunawatch_so_attempts",
            label="Logins of the SO left",
            render_func=str,
            notice_only=True,
        )
    for column, (metric, scale) in GAUGES.items():
        if (value := number(row, column, scale)) is not None:
            yield Metric(metric, value)
    yield from rates(row, get_value_store(), time.time())


def safety(row):
    """What Checkmk says by itself, whatever the state is."""
    if (tamper := word(row, "lunaHsmTamper")) == "detected":
        yield Result(state=State.CRIT, summary="Tamper: " + (line(row["lunaHsmTampers"]) or tamper))
    else:
        yield Result(state=State.OK, notice="Tamper: " + (tamper if tamper == "none" else "not known"))
    if true(row, "lunaHsmZeroized"):
        yield Result(state=State.CRIT, summary="Zeroized: it has no keys")
    if true(row, "lunaHsmTransportMode"):
        yield Result(state=State.WARN, summary="Secure transport mode")


def told(row):
    """What is worth knowing, in the details."""
    if (reach := word(row, "lunaHsmReach")) != "reached":
        yield Result(state=State.OK, notice=f"The way to the HSM: {reach}")
    alarms = number(row, "lunaHsmAlarms")
    if alarms is not None:
        yield Result(state=State.OK, notice=f"Active alarms: {alarms}, worst: {word(row, 'lunaHsmWorstAlarm')}")
        yield Metric("lunawatch_alarms", alarms)
    for label, column in (
        ("Serial number", "lunaHsmSerial"),
        ("Model", "lunaHsmModel"),
        ("Firmware", "lunaHsmFirmware"),
        ("Status", "lunaHsmStatus"),
        ("Past its maximum age", "lunaHsmStale"),
    ):
        if row[column]:
            yield Result(state=State.OK, notice=f"{label}: {line(row[column])}")
    if (fips := true(row, "lunaHsmFips")) is not None:
        yield Result(state=State.OK, notice=f"FIPS 140 approved mode: {'yes' if fips else 'no'}")


def rates(row, store, now):
    """Rates of the counters. Where they began again, there is none until the next check."""
    epoch = row["lunaHsmDiscontinuity"]
    if store.get("epoch") != epoch:
        for column in RATES:
            store.pop(column, None)
        store["epoch"] = epoch
    for column, metric in RATES.items():
        if (count := number(row, column)) is None:
            continue
        try:
            yield Metric(metric, get_rate(store, column, now, count, raise_overflow=True))
        except GetRateError:
            continue


check_plugin_lunawatch_hsm = CheckPlugin(
    name="lunawatch_hsm",
    service_name="HSM %s",
    discovery_function=discover_hsms,
    check_function=check_hsm,
    check_default_parameters={},
    check_ruleset_name="lunawatch_hsm",
)


def has(row, column):
    """Whether an HSM has such a sensor. Of one that is not read now, the next discovery finds it."""
    return bool(row[column]) or true(row, column + "Warns") is True


def sensor_state(sensors, item, name):
    """What Lunawatch says of a sensor of the card, and its second limits."""
    row = (sensors or {}).get((item, 1, name))
    if row is None:
        return None, {}
    return STATES.get(word(row, "lunaSensorState"), State.UNKNOWN), row


def warned(row, column, what):
    """Whether the HSM itself warns."""
    if true(row, column + "Warns"):
        yield Result(state=State.WARN, summary=f"The HSM warns of its {what}")


def discover_battery(section_lunawatch_hsm, section_lunawatch_sensor):
    """A service for each HSM that states a battery."""
    for name, row in (section_lunawatch_hsm or {}).items():
        if has(row, "lunaHsmBattery"):
            yield Service(item=name)


def check_battery(item, params, section_lunawatch_hsm, section_lunawatch_sensor):
    """Voltage of the battery, by the threshold that the HSM prints."""
    if (row := (section_lunawatch_hsm or {}).get(item)) is None:
        return
    yield from warned(row, "lunaHsmBattery", "battery")
    judged, sensor = sensor_state(section_lunawatch_sensor, item, "Battery")
    if (volts := number(row, "lunaHsmBattery", 1000)) is None:
        yield Result(state=State.UNKNOWN, summary=f"Voltage not known: {why(row)}")
        return
    fatal = number(sensor, "lunaSensorLowerFatal", 1000) if sensor else None
    yield from check_value(
        volts,
        params,
        device_levels(number(row, "lunaHsmBatteryThreshold", 1000), fatal),
        None,
        metric_name="lunawatch_battery",
        label="Voltage",
        render_func=lambda v: f"{v:.3f} V",
    )
    if judged not in (None, State.OK) and not chosen(params):
        yield Result(state=judged, notice=f"Lunawatch: {word(sensor, 'lunaSensorState')}")


check_plugin_lunawatch_battery = CheckPlugin(
    name="lunawatch_battery",
    sections=["lunawatch_hsm", "lunawatch_sensor"],
    service_name="HSM %s Battery",
    discovery_function=discover_battery,
    check_function=check_battery,
    check_default_parameters={},
    check_ruleset_name="lunawatch_battery",
)


def discover_temperature(section_lunawatch_hsm, section_lunawatch_sensor):
    """A service for each HSM that states a temperature."""
    for name, row in (section_lunawatch_hsm or {}).items():
        if has(row, "lunaHsmTemperature"):
            yield Service(item=name)


def check_temperature(item, params, section_lunawatch_hsm, section_lunawatch_sensor):
    """Temperature of the card, by the threshold that the HSM prints."""
    if (row := (section_lunawatch_hsm or {}).get(item)) is None:
        return
    yield from warned(row, "lunaHsmTemperature", "temperature")
    judged, sensor = sensor_state(section_lunawatch_sensor, item, "Temperature")
    if (celsius := number(row, "lunaHsmTemperature", 1000)) is None:
        yield Result(state=State.UNKNOWN, summary=f"Temperature not known: {why(row)}")
        return
    fatal = number(sensor, "lunaSensorUpperFatal", 1000) if sensor else None
    yield from check_value(
        celsius,
        params,
        None,
        device_levels(number(row, "lunaHsmTemperatureThreshold", 1000), fatal),
        metric_name="lunawatch_temperature",
        label="Temperature",
        render_func=lambda v: f"{v:.1f} °C",
    )
    if judged not in (None, State.OK) and not chosen(params):
        yield Result(state=judged, notice=f"Lunawatch: {word(sensor, 'lunaSensorState')}")


check_plugin_lunawatch_temperature = CheckPlugin(
    name="lunawatch_temperature",
    sections=["lunawatch_hsm", "lunawatch_sensor"],
    service_name="HSM %s Temperature",
    discovery_function=discover_temperature,
    check_function=check_temperature,
    check_default_parameters={},
    check_ruleset_name="lunawatch_temperature",
)
