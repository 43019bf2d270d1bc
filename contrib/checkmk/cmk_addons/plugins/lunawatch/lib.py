"""What all checks of Lunawatch share: how rows are read, and what words and limits mean."""

from cmk.agent_based.v2 import OIDEnd, Result, SNMPTree, State, check_levels, exists

from cmk_addons.plugins.lunawatch.objects import MODULE, OBJECTS, WORDS

DETECT = exists(MODULE + "." + OBJECTS["lunaAgentVersion"] + ".0")

# LunaState. What is not among them is not known.
STATES = {"ok": State.OK, "warning": State.WARN, "critical": State.CRIT}

# ItuPerceivedSeverity, as lunaHsmState counts it.
SEVERITIES = {
    "cleared": State.OK,
    "warning": State.WARN,
    "minor": State.WARN,
    "major": State.CRIT,
    "critical": State.CRIT,
}


def tree(*columns):
    """The columns of one table, with the index of each row before them."""
    entry = OBJECTS[columns[0]].rpartition(".")[0]
    return SNMPTree(base=f"{MODULE}.{entry}", oids=[OIDEnd(), *(OBJECTS[c].rpartition(".")[2] for c in columns)])


def index(end, kinds):
    """The parts of an index: "t" is a text with its length before it, "n" a number."""
    numbers = [int(n) for n in end.split(".")]
    parts = []
    for kind in kinds:
        length = numbers.pop(0)
        if kind == "n":
            parts.append(length)
            continue
        parts.append(bytes(numbers[:length]).decode("utf-8", "replace"))
        del numbers[:length]
    return tuple(parts)


def rows(string_table, columns, kinds):
    """The rows of a table by their indexes; None if there is none.

    Checkmk takes indexes of the longest column, so one of the columns is one that every row has.
    """
    return {index(end, kinds): dict(zip(columns, cells)) for end, *cells in string_table if end} or None


def number(row, column, scale=1):
    """The value of a column; None if it is not known, since a cell that is missing is empty."""
    try:
        value = int(row[column])
    except ValueError:
        return None
    return value if scale == 1 else value / scale


def word(row, column):
    """The word of the module for a number; unknown if there is none."""
    return WORDS[column].get(row[column], "unknown")


def true(row, column):
    """A TruthValue; None if it is not known."""
    return {"1": True, "2": False}.get(row[column])


def why(row):
    """Why there is no value of an HSM."""
    if row["lunaHsmFirmware"] and not row["lunaHsmStale"]:
        return "the HSM states none"
    stale = row["lunaHsmStale"] and "past its maximum age: " + row["lunaHsmStale"]
    return line(row["lunaHsmReason"] or stale or ("it is not read" if row["lunaHsmAge"] else "nothing was read yet"))


def line(text):
    """A text for a summary, which is one line."""
    return " ".join(text.split())


def hsm_of(item, hsms):
    """The HSM whose name an item begins with."""
    names = (name for name in hsms or {} if item.startswith(name + " "))
    return max(names, key=len, default=None)


def unread(item, hsms):
    """The result where an item has no row: UNKNOWN with the reason if its HSM is still watched.

    Without its HSM there is no result, which Checkmk shows as UNKNOWN, item not found.
    """
    name = hsm_of(item, hsms)
    if name is not None:
        yield Result(state=State.UNKNOWN, summary=f"Not known: {why(hsms[name])}")


def device_levels(limit, fatal):
    """Levels of what the device states; without a second limit, the first is critical."""
    if limit is None and fatal is None:
        return None
    return ("fixed", (fatal if limit is None else limit, limit if fatal is None else fatal))


def chosen(params):
    """Whether a rule sets the levels, in place of those of the device and of its judgement."""
    return "levels_lower" in params or "levels_upper" in params


def check_value(value, params, lower, upper, **options):
    """A value against the levels of a rule, else against those of the device."""
    if chosen(params):
        lower, upper = params.get("levels_lower"), params.get("levels_upper")
    yield from check_levels(value, levels_lower=lower, levels_upper=upper, **options)
