"""What the agent asks, and how that went: lunaSourceTable."""

from cmk.agent_based.v2 import CheckPlugin, Result, Service, SimpleSNMPSection, State, check_levels

from cmk_addons.plugins.lunawatch.lib import DETECT, line, number, rows, tree, word

COLUMNS = ("lunaSourceFailure", "lunaSourceReach", "lunaSourceError", "lunaSourceFailures", "lunaSourceUnread", "lunaSourceAge")


def parse_sources(string_table):
    """The rows by device, then by source."""
    devices = {}
    for (device, source), row in (rows(string_table, COLUMNS, "tt") or {}).items():
        devices.setdefault(device, {})[source] = row
    return devices or None


snmp_section_lunawatch_source = SimpleSNMPSection(
    name="lunawatch_source",
    detect=DETECT,
    fetch=tree(*COLUMNS),
    parse_function=parse_sources,
)


def discover_sources(section):
    """A service for each HSM and host that is asked."""
    for device in section:
        yield Service(item=device)


def check_sources(item, params, section):
    """Which sources fail, and how old what was read is."""
    if (sources := section.get(item)) is None:
        return
    failing = [name for name, row in sources.items() if word(row, "lunaSourceFailure") != "none"]
    yield Result(
        state=State.WARN if failing else State.OK,
        summary=f"{len(sources) - len(failing)} of {len(sources)} sources answer" + (": not " + ", ".join(failing) if failing else ""),
    )
    for name in failing:
        row = sources[name]
        yield Result(state=State.OK, notice=f"{name}: {word(row, 'lunaSourceFailure')}: {line(row['lunaSourceError'])}")
    never = [name for name, row in sources.items() if number(row, "lunaSourceAge") is None]
    if never:
        yield Result(state=State.UNKNOWN, summary="Never read: " + ", ".join(never))
    ages = {name: number(row, "lunaSourceAge") for name, row in sources.items() if name not in never}
    if ages:
        oldest = max(ages, key=ages.get)
        yield from check_levels(
            ages[oldest],
            levels_upper=params.get("age"),
            metric_name="lunawatch_source_age",
            label=f"Oldest: {oldest}",
            render_func=lambda v: f"{v:.0f} s",
            notice_only=True,
        )
    for name, row in sources.items():
        if number(row, "lunaSourceUnread"):
            yield Result(state=State.OK, notice=f"{name}: {row['lunaSourceUnread']} lines were not understood")


check_plugin_lunawatch_source = CheckPlugin(
    name="lunawatch_source",
    service_name="Lunawatch Sources %s",
    discovery_function=discover_sources,
    check_function=check_sources,
    check_default_parameters={},
    check_ruleset_name="lunawatch_source",
)
