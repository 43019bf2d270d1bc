package formats

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
)

// places are where a name that somebody chose can stand in an answer, by format: the
// first group is the name.
var places = map[string][]*regexp.Regexp{
	"hsm-show": {
		regexp.MustCompile(`(?m)^ *HSM Label:[ \t]+(\S.*?)[ \t\r]*$`),
		regexp.MustCompile(`(?m)^ *Partition: +\d+, +Name: (\S.*?)[ \t\r]*$`),
	},
	"hsm-showpolicies":       {regexp.MustCompile(`(?m)^ *HSM Label:[ \t]+(\S.*?)[ \t\r]*$`)},
	"partition-showpolicies": {regexp.MustCompile(`(?m)^ *Partition Name:[ \t]+(\S.*?)[ \t\r]*$`)},
	"partition-show": {
		regexp.MustCompile(`(?m)^ *Partition Name:[ \t]+(\S.*?)[ \t\r]*$`),
		regexp.MustCompile(`(?m)^ *Partition Label:[ \t]+(\S.*?)[ \t\r]*$`),
	},
	"partition-list": {regexp.MustCompile(`(?m)^ *\d{6,}[ \t]+(\S.*?)[ \t]+\d+[ \t]+\d+[ \t]+\d+[ \t]+\d+[ \t\r]*$`)},
	"client-list": {
		regexp.MustCompile(`(?m)^registered client \d+: (\S.*?)[ \t\r]*$`),
		regexp.MustCompile(`(?m)^ *ClientID:[ \t]+(\S.*?)[ \t\r]*$`),
		regexp.MustCompile(`(?m)^ *Partitions:.*?"([^"\n]+)"`),
		regexp.MustCompile(`(?m)^ *Partitions:.*"([^"\n]+)"[ \t\r]*$`),
	},
	"lunacm-slot-list": {
		regexp.MustCompile(`(?m)^ *(?:HSM )?Label ->[ \t]+(\S.*?)[ \t\r]*$`),
		regexp.MustCompile(`(?m)^ *\d+ +\d{5,} +(\S.*?)[ \t\r]*$`),
	},
	"lunacm-partition-showinfo": {regexp.MustCompile(`(?m)^ *Partition Label ->[ \t]+(\S.*?)[ \t\r]*$`)},
	"lunacm-hsm-showinfo":       {regexp.MustCompile(`(?m)^ *(?:HSM|Partition) Label ->[ \t]+(\S.*?)[ \t\r]*$`)},
	"lunacm-hagroup-listgroups": {
		regexp.MustCompile(`(?m)^ *HA Group Label:[ \t]+(\S.*?)[ \t\r]*$`),
		regexp.MustCompile(`(?m)^ *\d+ +\d{5,} +(\S.*?)[ \t]+(?:alive|down|standby)[ \t\r]*$`),
		regexp.MustCompile(`(?m)data for group (\S.*?),[ \t\r]*$`),
	},
	"vtl-haadmin-show": {
		regexp.MustCompile(`(?m)^ *HA Group Label:[ \t]+(\S.*?)[ \t\r]*$`),
		regexp.MustCompile(`(?m)^ *\d+ +\d{5,} +(\S.*?)[ \t]+(?:alive|down|standby)[ \t\r]*$`),
	},
	"rest-hsm":        {regexp.MustCompile(`"label": "(.*?)"`)},
	"rest-partition":  {regexp.MustCompile(`"name": "(.*?)"`), regexp.MustCompile(`"label": "(.*?)"`)},
	"rest-partitions": {regexp.MustCompile(`"name": "(.*?)"`)},
	"rest-client":     {regexp.MustCompile(`"clientID": "(.*?)"`)},
	"rest-metrics":    {regexp.MustCompile(`"label": "(.*?)"`)},
}

// hostileNames are names that look like something else: 32 characters or fewer, of
// those that labels may have, or of those that REST lets through.
func hostileNames() (names []string) {
	names = strings.Split(`lunash:>
[a] lunash:>
[a] lunash:>hsm show
x lunash:> partition show
lush:>
lush:>exit
lunacm:>
lunacm:> slot list
x lunacm:>Label -> y
lunacm:>Slot Id -> 9
Command Result : 0 (Success)
Command Result : 65535 (Luna)
Command Result : No Error
Command Result:
command result : (Success)
Error: failed
Error  :  'hsm show' failed.
error : none
a Serial Number -> 999
a Slot Id -> 9
Serial Number -> 999
Slot Id -> 9
a Label -> b
a HSM Label -> b
-> -> ->
->
a->b
a -> b
Label ->
Serial #: 999999
Serial #:          999999
HSM Label: evil
HSM Label:
a HSM Label:   b
Partition SN: 999
Partition SN:        999999
Partition Name: evil
Partition Name:
Partition Label: evil
Partition: 99, Name: evil
a, Name: b
Name: b
Activated: yes
Activated: no
a Activated: yes
There are no partitions
There are no partitions.
No clients are registered.
registered client 9: evil
ClientID: evil
IPAddress: 192.0.2.99
Hostname: evil
HTL Required: no
OTT Expiry: 0
Partitions: evil
Client Name Host Name Host IP
is not initialized
Crypto Officer is not initialized
Crypto Officer locked out: yes
Crypto Officer is activated: no
locked out: yes
zeroized: yes
Partition zeroized: yes
HSM IS ZEROIZED
HSM Tamper State: tampered
Warning: battery voltage below
Warning: system temp above
The HSM is in FIPS 140-2 mode
is not in FIPS 140
Manually Zeroized: Yes
Secure Transport Mode: Yes
Firmware: 9.9.9
Firmware   9.9.9
Firmware Version -> 9.9.9
Storage (Bytes): Total=1, Used=1
Total=1, Used=1, Free=0
Partition Object Count: 9
Free Storage Space -> 0
HA Group Label: evil
HA Group Number: 1
HA Group Number:  999999
Group Members: 999999
Standby Members: <none>
Needs sync: yes
Synchronization: disabled
x Needs sync: yes
Enter the password:
Enter the password: ****
If you would like to see sync
HA group 1599447001 status:
HSM 1238700788101 - CKR_OK
HSM 999 - CKR_DEVICE_ERROR
Slot # Member S/N Member Label
Slot Serial # Label
Only Show HA Slots: no
HA Auto Recovery: disabled
= HA Group
alive
down
x alive
x down
alive   down
x  down
down alive
CKR_DEVICE_ERROR
Current Slot Id: None
Current Slot Id: 3
None
<none>
none
unknown
n/a
yes
no
not available
null
true
0
1
-1
999999
1 2 3 4
999999 x 1 2 3 4
1254481516099
x 0 0 0 0
x 1
x  1
7 x
1 2
1,234
2. 620127-000 ECC
CKF_LOGIN_REQUIRED
CKF_TOKEN_INITIALIZED
Slot Description -> HA
HSM Configuration -> x
User Status -> x
SO Status -> x
Session State -> x
Token Flags ->
x <<= y
<<= y
<<=
-
--
------
----------
=====
******
|||||||||
_____
~~~~~
+++++
------ 999 x down
-force
-client
--help
:
::
a:
a: b
a : b
:a
,
a,b
a, b
a,
, a
;
a;b
'
''
a'b
a', 'b
(
)
(a)
a (b)
a  (b)
(Success)
[
]
[a]
a [b
[a] b
{
}
a = {
a = b;
}; a = {
<
>
<a>
/
\
\n
\x1b[2J
%s%n
%d
${HOME}
$(id)
a|b
a&b
*
?
!
@
#
# a
^
.
..
../../etc
~
a  b
a   b
a     b     c
Partition Storage Information:
Partition Owner Locked Out: yes
HSM Status: OK
HSM Status -> OK
status: bad
Battery Voltage: 1.0 V
System Temp: 99 deg. C
Fan 1 Status: failed
Space In Use: 9
!@#$%^&*()-_=+[]{}\|/;:',.<>~`+"`", "\n")
	return append(names, "\u202eevil", "a\u200bb", "a\u2028b", "a\u00a0b", "caf\u00e9", "a\tb", "a\vb", "a\x1b[2Jb", "\x1b]0;x\ab", "a\u0085b")
}

// softwareFive is in an answer of an appliance whose HSM states by its label that it
// is zeroized.
var softwareFive = regexp.MustCompile(`Software Version:\s+5\.`)

const marker = "zq-marker-7x"

// named returns v, collapsed, with a name in place of the marker.
func named(v any, with string) any {
	switch v := v.(type) {
	case string:
		return answer.Collapse(strings.ReplaceAll(v, marker, with))
	case []any:
		for i := range v {
			v[i] = named(v[i], with)
		}
	case map[string]any:
		for k := range v {
			v[k] = named(v[k], with)
		}
	}
	return v
}

// TestHostileNames gives every name in every answer each of many names that look
// like something else: nothing but that name may be another one.
func TestHostileNames(t *testing.T) {
	names := hostileNames()
	seen := make(map[string]bool)
	checked, wrong := 0, 0
	for _, f := range fixtures(t) {
		for _, place := range places[f.format] {
			for _, at := range place.FindAllStringSubmatchIndex(f.text, -1) {
				seen[fmt.Sprint(f.format, place)] = true
				put := func(name string) any {
					if f.json() {
						escaped, _ := json.Marshal(name)
						name = string(escaped[1 : len(escaped)-1])
					}
					return collectortest.PlainJSON(t, f.parse(t, f.text[:at[2]]+name+f.text[at[3]:]))
				}
				zeroizedByLabel := softwareFive.MatchString(f.text) && strings.Contains(f.text[at[0]:at[2]], "HSM Label:")
				for _, name := range names {
					if zeroizedByLabel && answer.NotKnown(name) {
						continue
					}
					checked++
					want := named(put(marker), answer.Collapse(answer.Clean(name)))
					got := named(put(name), name)
					if !reflect.DeepEqual(got, want) {
						wrong++
						if wrong <= 40 {
							g, _ := json.Marshal(got)
							w, _ := json.Marshal(want)
							t.Errorf("%s %q for %q:\n got %s\nwant %s", f.path, name, f.text[at[2]:at[3]], g, w)
						}
					}
				}
			}
		}
	}
	for format, list := range places {
		for _, place := range list {
			if !seen[fmt.Sprint(format, place)] {
				t.Errorf("%s: no fixture has %s", format, place)
			}
		}
	}
	t.Logf("%d names, %d answers, %d wrong", len(names), checked, wrong)
}
