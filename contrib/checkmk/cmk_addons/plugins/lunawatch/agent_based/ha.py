"""HA groups and their members, as the hosts that are clients see them."""

from cmk.agent_based.v2 import CheckPlugin, Metric, Result, Service, SNMPSection, State, check_levels

from cmk_addons.plugins.lunawatch.lib import DETECT, line, number, rows, tree, true, word

GROUP = (
    "lunaHaGroupSerial",
    "lunaHaGroupMembers",
    "lunaHaGroupAlive",
    "lunaHaGroupStandby",
    "lunaHaGroupStandbyInUse",
    "lunaHaGroupRedundancy",
    "lunaHaGroupOffline",
    "lunaHaGroupRecoveryDisabled",
)
MEMBER = (
    "lunaHaMemberLabel",
    "lunaHaMemberState",
    "lunaHaMemberStandby",
    "lunaHaMemberReachable",
    "lunaHaMemberCode",
)


def parse_ha(string_table):
    """The groups by host and name, each with its members by serial number."""
    groups = rows(string_table[0], GROUP, "tt")
    if groups is None:
        return None
    members = rows(string_table[1], MEMBER, "ttt") or {}
    return {
        f"{host} {name}": (group, {serial: row for (h, n, serial), row in members.items() if (h, n) == (host, name)})
        for (host, name), group in groups.items()
    }


snmp_section_lunawatch_ha = SNMPSection(
    name="lunawatch_ha",
    detect=DETECT,
    fetch=[tree(*GROUP), tree(*MEMBER)],
    parse_function=parse_ha,
)


def discover_ha(section):
    """A service for each group on each host."""
    for item in section:
        yield Service(item=item)


def check_ha(item, params, section):
    """Members that are alive, and how many can still be lost."""
    if item not in section:
        return
    group, members = section[item]
    alive, configured = number(group, "lunaHaGroupAlive"), number(group, "lunaHaGroupMembers")
    if alive is None or configured is None:
        yield Result(state=State.UNKNOWN, summary="Members not known")
    else:
        yield Result(state=State.WARN if alive < configured else State.OK, summary=f"{alive} of {configured} members alive")
        yield Metric("lunawatch_ha_alive", alive, boundaries=(0, configured))
    if true(group, "lunaHaGroupOffline"):
        yield Result(state=State.CRIT, summary="Offline: no member is alive")
    if true(group, "lunaHaGroupStandbyInUse"):
        yield Result(state=State.WARN, summary="Only standby members are alive")
    if true(group, "lunaHaGroupRecoveryDisabled"):
        yield Result(state=State.WARN, summary="Members are lost, and automatic recovery is off")
    if (redundancy := number(group, "lunaHaGroupRedundancy")) is None:
        yield Result(state=State.UNKNOWN, summary="Redundancy not known")
    else:
        yield from check_levels(
            redundancy,
            levels_lower=params.get("redundancy"),
            metric_name="lunawatch_ha_redundancy",
            label="Members that can still be lost",
            render_func=str,
            notice_only=True,
        )
    for serial, row in members.items():
        yield from member(serial, row)


def member(serial, row):
    """One member; that it is down is a warning, since the group still works."""
    state = word(row, "lunaHaMemberState")
    text = f"{line(row['lunaHaMemberLabel']) or serial}: {state}" + (f" ({row['lunaHaMemberCode']})" if row["lunaHaMemberCode"] else "")
    yield Result(state={"alive": State.OK, "unknown": State.UNKNOWN}.get(state, State.WARN), notice=text)


check_plugin_lunawatch_ha = CheckPlugin(
    name="lunawatch_ha",
    service_name="HSM HA Group %s",
    discovery_function=discover_ha,
    check_function=check_ha,
    check_default_parameters={"redundancy": ("fixed", (1, 0))},
    check_ruleset_name="lunawatch_ha",
)
