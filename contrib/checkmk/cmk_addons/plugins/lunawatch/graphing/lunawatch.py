"""Titles, units and colours of the metrics."""

from cmk.graphing.v1 import Title
from cmk.graphing.v1.metrics import Color, DecimalNotation, IECNotation, Metric, StrictPrecision, Unit
from cmk.graphing.v1.perfometers import Closed, FocusRange, Open, Perfometer

COUNT = Unit(DecimalNotation(""))
PERCENT = Unit(DecimalNotation("%"))
PER_SECOND = Unit(DecimalNotation("/s"))
SECONDS = Unit(DecimalNotation("s"))
VOLTS = Unit(DecimalNotation("V"), StrictPrecision(3))
CELSIUS = Unit(DecimalNotation("°C"))
BYTES = Unit(IECNotation("B"))


def metric(name, title, unit, color):
    """A metric of a check of Lunawatch."""
    return Metric(name="lunawatch_" + name, title=Title(title), unit=unit, color=color)


metric_battery = metric("battery", "Voltage of the battery", VOLTS, Color.ORANGE)
metric_temperature = metric("temperature", "Temperature of the HSM", CELSIUS, Color.RED)
metric_sensor_volts = metric("sensor_volts", "Voltage", VOLTS, Color.ORANGE)
metric_sensor_celsius = metric("sensor_celsius", "Temperature", CELSIUS, Color.RED)
metric_sensor_rpm = metric("sensor_rpm", "Speed of the fan", Unit(DecimalNotation("RPM")), Color.BLUE)
metric_sensor_value = metric("sensor_value", "Value of the sensor", COUNT, Color.GRAY)
metric_utilization = metric("utilization", "Busy since reset", PERCENT, Color.LIGHT_BLUE)
metric_utilization_interval = metric("utilization_interval", "Busy in the last interval", PERCENT, Color.BLUE)
metric_uptime = metric("uptime", "Time since reset", SECONDS, Color.GREEN)
metric_age = metric("age", "Age of the newest value", SECONDS, Color.GRAY)
metric_source_age = metric("source_age", "Age of the oldest source", SECONDS, Color.GRAY)
metric_commands = metric("commands", "Commands", PER_SECOND, Color.CYAN)
metric_requests = metric("requests", "Operation requests", PER_SECOND, Color.GREEN)
metric_request_errors = metric("request_errors", "Operation errors", PER_SECOND, Color.RED)
metric_crypto_requests = metric("crypto_requests", "Crypto operation requests", PER_SECOND, Color.LIGHT_GREEN)
metric_crypto_errors = metric("crypto_errors", "Crypto operation errors", PER_SECOND, Color.LIGHT_RED)
metric_storage_total = metric("storage_total", "Storage", BYTES, Color.GRAY)
metric_storage_used = metric("storage_used", "Storage that is used", BYTES, Color.PURPLE)
metric_storage_percent = metric("storage_percent", "Storage that is used", PERCENT, Color.PURPLE)
metric_partitions = metric("partitions", "Partitions", COUNT, Color.BROWN)
metric_objects = metric("objects", "Objects", COUNT, Color.BROWN)
metric_so_attempts = metric("so_attempts", "Logins of the SO that are left", COUNT, Color.YELLOW)
metric_alarms = metric("alarms", "Active alarms", COUNT, Color.RED)
metric_ha_alive = metric("ha_alive", "Members alive", COUNT, Color.GREEN)
metric_ha_redundancy = metric("ha_redundancy", "Members that can still be lost", COUNT, Color.BLUE)
metric_hsms_ok = metric("hsms_ok", "HSMs that are OK", COUNT, Color.GREEN)
metric_hsms_warning = metric("hsms_warning", "HSMs with a warning", COUNT, Color.YELLOW)
metric_hsms_critical = metric("hsms_critical", "HSMs that are critical", COUNT, Color.RED)
metric_hsms_unknown = metric("hsms_unknown", "HSMs whose state is not known", COUNT, Color.GRAY)


def meter(name, low, high):
    """A Perf-O-Meter of one metric."""
    return Perfometer(name="lunawatch_" + name, focus_range=FocusRange(low, high), segments=["lunawatch_" + name])


perfometer_battery = meter("battery", Closed(2.5), Open(3.2))
perfometer_temperature = meter("temperature", Closed(0), Open(88))
perfometer_utilization_interval = meter("utilization_interval", Closed(0), Closed(100))
perfometer_storage_percent = meter("storage_percent", Closed(0), Closed(100))
