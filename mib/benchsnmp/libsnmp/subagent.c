/* The measure to beat: a subagent as libsnmp's own documentation would have it, a table_container behind AgentX.
 * usage: subagent SOCKET SUBTREE ROWS
 * It serves SUBTREE.1.1.COLUMN.ROW as rows() of main.go does. */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_COLUMN = 2, LAST_COLUMN = 11 };

struct row {
    netsnmp_index index; /* first, as table_container wants it */
    oid id;
    char name[24];
};

static int answer(netsnmp_variable_list *vb, const struct row *row, unsigned column)
{
    u_long n = row->id * column;
    struct counter64 wide = { .high = column, .low = n };

    switch (column) {
    case 2:
        return snmp_set_var_typed_value(vb, ASN_OCTET_STR, row->name, strlen(row->name));
    case 3: case 4: case 5:
        return snmp_set_var_typed_value(vb, ASN_GAUGE, &n, sizeof n);
    case 6: case 7: case 8:
        return snmp_set_var_typed_value(vb, ASN_COUNTER64, &wide, sizeof wide);
    case 9:
        return snmp_set_var_typed_value(vb, ASN_TIMETICKS, &n, sizeof n);
    default:
        return snmp_set_var_typed_value(vb, ASN_INTEGER, &n, sizeof n);
    }
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                  netsnmp_agent_request_info *info, netsnmp_request_info *request)
{
    (void)handler, (void)registration;
    if (info->mode != MODE_GET)
        return SNMP_ERR_NOERROR;
    for (; request; request = request->next) {
        if (request->processed)
            continue;
        const struct row *row = netsnmp_container_table_row_extract(request);
        const netsnmp_table_request_info *table = netsnmp_extract_table_info(request);
        if (!row || !table)
            netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
        else
            answer(request->requestvb, row, table->colnum);
    }
    return SNMP_ERR_NOERROR;
}

static void serve(const oid *subtree, size_t length, long rows)
{
    oid entry[MAX_OID_LEN];
    memcpy(entry, subtree, length * sizeof *entry);
    entry[length] = 1;

    netsnmp_table_registration_info *table = SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);
    netsnmp_table_helper_add_indexes(table, ASN_UNSIGNED, 0);
    table->min_column = FIRST_COLUMN;
    table->max_column = LAST_COLUMN;

    netsnmp_container *container = netsnmp_container_find("bench:table_container");
    for (long i = 1; i <= rows; i++) {
        struct row *row = calloc(1, sizeof *row);
        row->id = i;
        row->index.len = 1;
        row->index.oids = &row->id;
        snprintf(row->name, sizeof row->name, "partition-%05ld", i);
        CONTAINER_INSERT(container, row);
    }
    netsnmp_handler_registration *registration =
        netsnmp_create_handler_registration("bench", handle, entry, length + 1, HANDLER_CAN_RONLY);
    netsnmp_container_table_register(registration, table, container, TABLE_CONTAINER_KEY_NETSNMP_INDEX);
}

int main(int argc, char **argv)
{
    oid subtree[MAX_OID_LEN];
    size_t length = MAX_OID_LEN;

    if (argc != 4) {
        fprintf(stderr, "usage: %s SOCKET SUBTREE ROWS\n", argv[0]);
        return 2;
    }
    netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, argv[1]);
    snmp_enable_stderrlog();
    init_agent("bench");
    if (!read_objid(argv[2], subtree, &length)) {
        fprintf(stderr, "%s is no OID\n", argv[2]);
        return 2;
    }
    serve(subtree, length, atol(argv[3]));
    init_snmp("bench");
    for (;;)
        agent_check_and_process(1);
}
