#!/bin/bash
# Runs once in a Debian that TestUnit has booted, and prints what systemd does with the unit.
exec >/root/unit.log 2>/root/unit.err
until_equals() { # VALUE COMMAND...: for half a minute
	for _ in $(seq 300); do
		[ "$("${@:2}")" = "$1" ] && return
		sleep 0.1
	done
	echo "never $1, but $("${@:2}"): ${*:2}"
}
show() { systemctl show --value -p "$1" lunawatch; }
walk() { snmpwalk -v3 -u noc -l authPriv -a SHA-256 -A authauthauth -x AES -X privprivpriv "$@"; }

dpkg -i /lunawatch.deb >&2
echo "installed: $(systemctl is-enabled lunawatch), $(systemctl is-active lunawatch)"
mkdir /root/sim
lunasim -state-dir /root/sim >/root/sim.json &
until [ -s /root/sim.json ]; do sleep 0.1; done
address=$(sed -E 's/.*"name":"luna72"[^}]*"ssh_address":"([^"]*)".*/\1/' /root/sim.json)
install -m 600 /root/sim/password /etc/lunawatch/hsm.password
install -m 644 /root/sim/known_hosts /etc/lunawatch/known_hosts
cat >/etc/lunawatch/lunawatch.yaml <<END
intervals: {fast: 5s, slow: 15s, hourly: 1m}
host: {enabled: false} # its own alarms are not this test's
hsms:
- {name: luna72, address: "$address", user: monitor, password_credential: hsm1, known_hosts_file: /etc/lunawatch/known_hosts}
receivers:
- {name: snmpd, agentx: {}}
END
mkdir -p /etc/systemd/system/lunawatch.service.d
printf '[Service]\nLoadCredential=hsm1:/etc/lunawatch/hsm.password\nWatchdogSec=6s\n' >/etc/systemd/system/lunawatch.service.d/try.conf
echo 'LUNAWATCH_OPTIONS="-log.format json"' >/etc/default/lunawatch
printf 'createUser noc SHA-256 "authauthauth" AES "privprivpriv"\nrouser noc priv -V lunawatch *\n' >/etc/snmp/snmpd.conf.d/noc.conf
systemctl restart snmpd
systemctl daemon-reload
systemctl enable --now lunawatch
echo "started: $(show ActiveState), $(show StatusText)"
echo "arguments: $(tr '\0' ' ' </proc/$(show MainPID)/cmdline)"
served() { [ "$(walk -Oqv -n "$1" 127.0.0.1 .1.3.6.1.4.1.12383 2>/dev/null | wc -l)" -gt 1 ] && echo yes; }
for name in "" luna72; do
	until_equals yes served "$name"
	echo "snmp${name:+ of $name}: $(served "$name")"
done
sleep 10 # longer than the watchdog allows
echo "idle: $(show ActiveState), restarted $(show NRestarts) times"
kill -STOP "$(show MainPID)"
until_equals 1 show NRestarts
until_equals active show ActiveState
echo "hung: $(show ActiveState), restarted $(show NRestarts) times"
systemctl stop lunawatch
echo "stopped: $(show ActiveState), $(show Result)"
systemctl start lunawatch
dpkg -i /lunawatch.deb >&2
echo "upgraded: $(show ActiveState)"
dpkg -P lunawatch >&2
echo "purged: $(systemctl is-active lunawatch)"
journalctl -u lunawatch --no-pager >&2
