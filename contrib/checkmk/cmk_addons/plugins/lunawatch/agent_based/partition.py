"""The partitions of the HSMs: lunaPartitionTable."""

from collections import Counter

from cmk.agent_based.v2 import CheckPlugin, Metric, Result, Service, SimpleSNMPSection, State, check_levels

from cmk_addons.plugins.lunawatch.lib import DETECT, line, number, rows, tree, true, unread

COLUMNS = (
    "lunaPartitionName",
    "lunaPartitionLabel",
    "lunaPartitionActivated",
    "lunaPartitionObjects",
    "lunaPartitionStorageTotal",
    "lunaPartitionStorageUsed",
    "lunaPartitionStatus",
    "lunaPartitionZeroized",
    "lunaPartitionVendorRow",
)


def parse_partitions(string_table):
    """The rows by HSM and serial number."""
    return rows(string_table, COLUMNS, "tt")


snmp_section_lunawatch_partition = SimpleSNMPSection(
    name="lunawatch_partition",
    detect=DETECT,
    fetch=tree(*COLUMNS),
    parse_function=parse_partitions,
)


def items(partitions):
    """The rows by HSM and name, with the serial number where a name is there twice or missing."""
    partitions = partitions or {}
    names = Counter((hsm, row["lunaPartitionName"]) for (hsm, _), row in partitions.items())
    listed = {}
    for (hsm, serial), row in partitions.items():
        name = row["lunaPartitionName"]
        unique = name and names[hsm, name] == 1
        listed[f"{hsm} {name}" if unique else " ".join(filter(None, (hsm, name, serial)))] = row
    return listed


def discover_partitions(section_lunawatch_hsm, section_lunawatch_partition):
    """A service for each partition."""
    for item in items(section_lunawatch_partition):
        yield Service(item=item)


def check_partition(item, params, section_lunawatch_hsm, section_lunawatch_partition):
    """Whether the partition can be used, and how full it is."""
    row = items(section_lunawatch_partition).get(item)
    if row is None:
        yield from unread(item, section_lunawatch_hsm)
        return
    if true(row, "lunaPartitionZeroized"):
        yield Result(state=State.CRIT, summary="Zeroized")
    if (activated := true(row, "lunaPartitionActivated")) is not None:
        state = State.OK if activated else State(params["not_activated"])
        yield Result(state=state, summary="Activated" if activated else "Not activated")
    used, total = number(row, "lunaPartitionStorageUsed"), number(row, "lunaPartitionStorageTotal")
    if used is None or not total:
        yield Result(state=State.UNKNOWN, summary="Storage not known")
    else:
        yield from check_levels(
            100 * used / total,
            levels_upper=params.get("storage"),
            metric_name="lunawatch_storage_percent",
            label="Storage",
            render_func=lambda v: f"{v:.1f} % of {total} bytes",
            boundaries=(0, 100),
        )
        yield Metric("lunawatch_storage_used", used, boundaries=(0, total))
    if (objects := number(row, "lunaPartitionObjects")) is not None:
        yield Result(state=State.OK, notice=f"Objects: {objects}")
        yield Metric("lunawatch_objects", objects)
    for label, column in (("Label", "lunaPartitionLabel"), ("Status", "lunaPartitionStatus")):
        if row[column]:
            yield Result(state=State.OK, notice=f"{label}: {line(row[column])}")


check_plugin_lunawatch_partition = CheckPlugin(
    name="lunawatch_partition",
    sections=["lunawatch_hsm", "lunawatch_partition"],
    service_name="HSM Partition %s",
    discovery_function=discover_partitions,
    check_function=check_partition,
    check_default_parameters={"not_activated": 2},
    check_ruleset_name="lunawatch_partition",
)
