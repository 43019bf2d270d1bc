package ha

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/collectortest"
)

func TestClientConfigGrammar(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"comments", "# a\n// b\nA = { // c\nk = v; // d = e;\n}\n", `sections {"A":{"k":"v"}}`},
		{"no comment in a path", "A = {\nk = /a//b;\n}\n", `sections {"A":{"k":"/a//b"}}`},
		{"on one line", "A={k=v;l=w;}B={k=x;}\n", `sections {"A":{"k":"v","l":"w"},"B":{"k":"x"}}`},
		{"brace below", "A =\n{\nk = v;\n}\n", `sections {"A":{"k":"v"}}`},
		{"no semicolon", "A = {\nk = v\nl = w }\n", `sections {"A":{"k":"v","l":"w"}}`},
		{"no end", "A = {\nk = v;\nB = {\nk = w;\n}\n", `sections {"A":{"k":"v"},"B":{"k":"w"}}`},
		{"no end, brace below", "A = {\nk = v;\nB =\n{\nk = w;\n}\n", `sections {"A":{"k":"v"},"B":{"k":"w"}}`},
		{"end twice", "A = {\nk = v;\n}\n}\nB = {\nk = w;\n}\n", `sections {"A":{"k":"v"},"B":{"k":"w"}}`},
		{"outside", "A = {\nk = v;\n}\nl = w;\n", `sections {"A":{"k":"v"}}`},
		{"several lines", "VirtualToken = {\nVirtualToken00Members = 65003001,\n\t65005001,\n65005002;\n}\n",
			`ha.groups [{"members":[{"serial":"65003001"},{"serial":"65005001"},{"serial":"65005002"}]}]`},
		{"value below", "VirtualToken = {\nVirtualToken07SN =\n  742276409\n}\n", `ha.groups [{"serial":"742276409","members":null}]`},
		{"empty value", "LunaSA Client = {\nServerName00 = a;\nServerHtl00 = ;\n}\n", `servers [{"name":"a","port":null,"htl":null}]`},
		{"quotes", "A = {\nk = 'v';\nl = \"w x\";\nm = ';\n}\n", `sections {"A":{"k":"v","l":"w x","m":"'"}}`},
		{"other case is another name", "HAConfiguration = {\nhaonly = 1;\nHALogPath = /x;\n}\n", `ha {"ha_only":null,"log":{"path":null}}`},
		{"but not in an ini", "[haconfiguration]\nhaonly=1\nRECONNATT=7\n", `ha {"ha_only":true,"recovery":{"enabled":true,"max_retries":7}}`},
		{"ini comments", "; a\n[A]\n;b=c\n# d=e\nk=v;\n", `sections {"A":{"k":"v"}}`},
		{"last one counts", "HAConfiguration = {\nreconnAtt = 5;\nreconnAtt = 0;\n}\n", `ha.recovery {"enabled":false,"max_retries":0}`},
		{"standby", "VirtualToken = {\nVirtualToken00Label = g;\nVirtualToken00Members = 65003001,65003002;\n}\nHAConfiguration = {\ngStandbyMembers = 65003002;\n}\n",
			`ha.groups [{"label":"g","members":[{"serial":"65003001","standby":false},{"serial":"65003002","standby":true}]}]`},
		{"no number", "HAConfiguration = {\nlogLen = big;\nAutoReconnectInterval = ;\nHAOnly = perhaps;\n}\n",
			`ha {"ha_only":null,"log":{"max_bytes":null},"recovery":{"interval_seconds":null}}`},
		{"cut", "A = {\nk = v;\nl = w", `sections {"A":{"k":"v"}}`},
		{"cut behind its semicolon", "A = {\nk = v;\nl = w;", `sections {"A":{"k":"v","l":"w"}}`},
		{"cut within several lines", "A = {\nk = v;\nl = w,\n", `sections {"A":{"k":"v"}}`},
		{"cut ini", "[A]\nk=v\nl=w", `sections {"A":{"k":"v"}}`},
	} {
		config, _, err := ParseClientConfig(c.text)
		if err == nil {
			err = collectortest.Match(config, c.want)
		}
		if err == nil && strings.HasPrefix(c.want, "sections") {
			if got := collectortest.PlainJSON(t, config.Sections); collectortest.Contradiction(got, collectortest.PlainJSON(t, json.RawMessage(strings.TrimPrefix(c.want, "sections ")))) != "" {
				t.Errorf("%s: more than %s: %v", c.name, c.want, got)
			}
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestClientConfigUnread(t *testing.T) {
	_, unread, err := ParseClientConfig("A = {\nk = v; // a comment that\ngoes on below\n}\nl = ")
	if err != nil || len(unread) != 2 || unread[0] != "goes on below" || !strings.HasPrefix(unread[1], "l =") {
		t.Errorf("%q, %v", unread, err)
	}
	if _, unread, err := ParseClientConfig("garbage\n"); !errors.Is(err, answer.ErrUnrecognised) || len(unread) != 1 {
		t.Errorf("%q, %v", unread, err)
	}
}
