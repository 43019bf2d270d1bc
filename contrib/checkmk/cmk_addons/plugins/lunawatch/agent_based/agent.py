"""The agent itself, and the active alarms: lunaAgent and lunaAlarmTable."""

import time

from cmk.agent_based.v2 import CheckPlugin, Metric, OIDBytes, Result, Service, SimpleSNMPSection, SNMPTree, State, get_value_store

from cmk_addons.plugins.lunawatch.lib import DETECT, SEVERITIES, line, number, rows, tree, true, word
from cmk_addons.plugins.lunawatch.objects import MODULE, OBJECTS

SCALARS = (
    "lunaAgentVersion",
    "lunaAlarmActiveCount",
    "lunaAgentState",
    "lunaAgentHsms",
    "lunaAgentHsmsOk",
    "lunaAgentHsmsWarning",
    "lunaAgentHsmsCritical",
    "lunaAgentHsmsUnknown",
)
SHOWN = "lunaAgentShownAt"

ALARM = (
    "lunaAlarmKey",
    "lunaAlarmDevice",
    "lunaAlarmSeverity",
    "lunaAlarmText",
    "lunaAlarmAction",
    "lunaAlarmAcknowledgedBy",
    "lunaAlarmSilenced",
    "lunaAlarmTest",
)


def last(name):
    """The last number of an object."""
    return OBJECTS[name].rpartition(".")[2]


def parse_agent(string_table):
    """The scalars; lunaAgentShownAt as the octets that it has."""
    return dict(zip((*SCALARS, SHOWN), string_table[0])) if string_table else None


snmp_section_lunawatch_agent = SimpleSNMPSection(
    name="lunawatch_agent",
    detect=DETECT,
    fetch=SNMPTree(
        base=f"{MODULE}.{OBJECTS[SHOWN].rpartition('.')[0]}",
        oids=[*(last(name) for name in SCALARS), OIDBytes(last(SHOWN))],
    ),
    parse_function=parse_agent,
)


def parse_alarms(string_table):
    """The active alarms by device."""
    devices = {}
    for row in (rows(string_table, ALARM, "n") or {}).values():
        devices.setdefault(row["lunaAlarmDevice"], []).append(row)
    return devices or None


snmp_section_lunawatch_alarm = SimpleSNMPSection(
    name="lunawatch_alarm",
    detect=DETECT,
    fetch=tree(*ALARM),
    parse_function=parse_alarms,
)


def discover_agent(section_lunawatch_agent, section_lunawatch_hsm, section_lunawatch_alarm):
    """One service."""
    if section_lunawatch_agent:
        yield Service()


def check_agent(params, section_lunawatch_agent, section_lunawatch_hsm, section_lunawatch_alarm):
    """Whether values are kept up to date, how the HSMs are, and alarms of no HSM."""
    agent = section_lunawatch_agent
    if not agent:
        return
    yield Result(state=State.OK, summary=f"Version {line(agent['lunaAgentVersion']) or 'not known'}")
    yield from kept_up(agent[SHOWN], get_value_store(), time.time(), params["frozen"])
    counts = {state: number(agent, "lunaAgentHsms" + state.title()) for state in ("ok", "warning", "critical", "unknown")}
    text = ", ".join(f"{'?' if n is None else n} {state}" for state, n in counts.items())
    yield Result(state=State.OK, summary=f"HSMs: {text}")
    for state, n in counts.items():
        if n is not None:
            yield Metric(f"lunawatch_hsms_{state}", n)
    for device, alarms in (section_lunawatch_alarm or {}).items():
        if device not in (section_lunawatch_hsm or {}):
            for alarm in alarms:
                yield from told(alarm, f"{device}: ")


def kept_up(shown, store, now, frozen):
    """Whether lunaAgentShownAt moves on. No clock but that of Checkmk is read."""
    if not shown:
        yield Result(state=State.UNKNOWN, summary="Not known when the values were put together")
        return
    text = bytes(shown).hex()
    if store.get("shown", ("", 0))[0] != text:
        store["shown"] = (text, now)
    age = now - store["shown"][1]
    if age >= frozen:
        yield Result(state=State.UNKNOWN, summary=f"The values have not been kept up to date for {age:.0f} s")


check_plugin_lunawatch_agent = CheckPlugin(
    name="lunawatch_agent",
    sections=["lunawatch_agent", "lunawatch_hsm", "lunawatch_alarm"],
    service_name="Lunawatch",
    discovery_function=discover_agent,
    check_function=check_agent,
    check_default_parameters={"frozen": 180},
    check_ruleset_name="lunawatch_agent",
)


def discover_alarms(section_lunawatch_hsm, section_lunawatch_alarm):
    """A service for each HSM, whether or not it has alarms now."""
    for name in section_lunawatch_hsm or {}:
        yield Service(item=name)


def check_alarms(item, params, section_lunawatch_hsm, section_lunawatch_alarm):
    """The active alarms of an HSM, the worst first."""
    if (row := (section_lunawatch_hsm or {}).get(item)) is None:
        return
    count, worst = number(row, "lunaHsmAlarms"), SEVERITIES.get(word(row, "lunaHsmWorstAlarm"), State.UNKNOWN)
    if count is None:
        yield Result(state=State.UNKNOWN, summary="Alarms not known")
        return
    alarms = (section_lunawatch_alarm or {}).get(item, [])
    listed = sum(not true(alarm, "lunaAlarmTest") for alarm in alarms)
    yield Result(state=State.OK if listed else worst, summary=f"{count} active")
    yield Metric("lunawatch_alarms", count)
    order = [State.CRIT, State.UNKNOWN, State.WARN, State.OK]
    for alarm in sorted(alarms, key=lambda a: order.index(severity(a))):
        yield from told(alarm, "", params["acknowledged"])


def severity(alarm):
    """The state of one alarm; a severity that is not known is not harmless."""
    return SEVERITIES.get(word(alarm, "lunaAlarmSeverity"), State.UNKNOWN)


def told(alarm, before, acknowledged=None):
    """One alarm. A test is not counted; one that is acknowledged may have a state of its own."""
    state, who = severity(alarm), line(alarm["lunaAlarmAcknowledgedBy"])
    after = ""
    if true(alarm, "lunaAlarmTest"):
        state, after = State.OK, " (test)"
    elif who:
        after = f" (acknowledged by {who})"
        state = state if acknowledged is None else State(acknowledged)
    elif true(alarm, "lunaAlarmSilenced"):
        after = " (silenced)"
    text = before + (line(alarm["lunaAlarmText"]) or line(alarm["lunaAlarmKey"]) or "an alarm") + after
    yield Result(state=state, notice=text, details=" ".join(filter(None, (text + ":", line(alarm["lunaAlarmAction"])))))


check_plugin_lunawatch_alarms = CheckPlugin(
    name="lunawatch_alarms",
    sections=["lunawatch_hsm", "lunawatch_alarm"],
    service_name="HSM %s Alarms",
    discovery_function=discover_alarms,
    check_function=check_alarms,
    check_default_parameters={"acknowledged": None},
    check_ruleset_name="lunawatch_alarms",
)
