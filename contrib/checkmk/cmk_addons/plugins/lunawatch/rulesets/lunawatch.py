"""What a rule may set in place of the limits that the HSM states, or beside them."""

from cmk.rulesets.v1 import Help, Title
from cmk.rulesets.v1.form_specs import (
    DefaultValue,
    DictElement,
    Dictionary,
    Float,
    Integer,
    LevelDirection,
    ServiceState,
    SimpleLevels,
)
from cmk.rulesets.v1.rule_specs import CheckParameters, HostAndItemCondition, HostCondition, Topic

LOWER, UPPER = LevelDirection.LOWER, LevelDirection.UPPER

INSTEAD = Help("In place of the limits that the device states, and of what Lunawatch says of this value.")


def levels(title, direction, form, prefill, help_text=None):
    """Fixed levels, or none."""
    return DictElement(
        parameter_form=SimpleLevels(
            title=Title(title),
            help_text=help_text,
            level_direction=direction,
            form_spec_template=form,
            prefill_fixed_levels=DefaultValue(prefill),
        )
    )


def state(title, prefill):
    """A state of a service."""
    return DictElement(parameter_form=ServiceState(title=Title(title), prefill=DefaultValue(prefill)))


def rule(name, title, item, topic, elements):
    """A ruleset for the services of one check; item is what their items are, None without."""
    return CheckParameters(
        name=name,
        title=Title(title),
        topic=topic,
        parameter_form=lambda: Dictionary(elements=elements),
        condition=HostAndItemCondition(item_title=Title(item)) if item else HostCondition(),
    )


rule_spec_lunawatch_hsm = rule(
    "lunawatch_hsm",
    "Luna HSM",
    "Name of the HSM",
    Topic.APPLICATIONS,
    {
        "age": levels("Age of the newest value (s)", UPPER, Float(), (600.0, 1800.0)),
        "so_attempts": levels("Logins of the SO that are left", LOWER, Integer(), (3, 2)),
    },
)

rule_spec_lunawatch_battery = rule(
    "lunawatch_battery",
    "Luna HSM battery",
    "Name of the HSM",
    Topic.ENVIRONMENTAL,
    {"levels_lower": levels("Voltage (V)", LOWER, Float(), (2.85, 2.75), INSTEAD)},
)

rule_spec_lunawatch_temperature = rule(
    "lunawatch_temperature",
    "Luna HSM temperature",
    "Name of the HSM",
    Topic.ENVIRONMENTAL,
    {"levels_upper": levels("Temperature (°C)", UPPER, Float(), (65.0, 75.0), INSTEAD)},
)

rule_spec_lunawatch_sensor = rule(
    "lunawatch_sensor",
    "Luna HSM sensors, fans and power supplies",
    "Name of the HSM, part and sensor",
    Topic.ENVIRONMENTAL,
    {
        "levels_lower": levels("Lower levels", LOWER, Float(), (0.0, 0.0), INSTEAD),
        "levels_upper": levels("Upper levels", UPPER, Float(), (0.0, 0.0), INSTEAD),
    },
)

rule_spec_lunawatch_partition = rule(
    "lunawatch_partition",
    "Luna HSM partitions",
    "Name of the HSM and partition",
    Topic.APPLICATIONS,
    {
        "storage": levels("Storage that is used (%)", UPPER, Float(), (80.0, 90.0)),
        "not_activated": state("State if not activated", ServiceState.CRIT),
    },
)

rule_spec_lunawatch_ha = rule(
    "lunawatch_ha",
    "Luna HA groups",
    "Name of the host and group",
    Topic.APPLICATIONS,
    {"redundancy": levels("Members that can still be lost", LOWER, Integer(), (1, 0))},
)

rule_spec_lunawatch_source = rule(
    "lunawatch_source",
    "Luna HSM sources",
    "Name of the HSM or host",
    Topic.APPLICATIONS,
    {"age": levels("Age of the oldest (s)", UPPER, Float(), (7200.0, 86400.0))},
)

rule_spec_lunawatch_alarms = rule(
    "lunawatch_alarms",
    "Luna HSM alarms",
    "Name of the HSM",
    Topic.APPLICATIONS,
    {"acknowledged": state("State of alarms that are acknowledged in Lunawatch", ServiceState.OK)},
)

rule_spec_lunawatch_agent = rule(
    "lunawatch_agent",
    "Lunawatch",
    None,
    Topic.APPLICATIONS,
    {
        "frozen": DictElement(
            parameter_form=Integer(
                title=Title("Unknown when its values do not move on for so many seconds"),
                prefill=DefaultValue(180),
            )
        )
    },
)
