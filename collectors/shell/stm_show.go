package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

var transportSheet = answer.Sheet[hsm.Transport]{
	Labels: answer.Labels[hsm.Transport]{
		"transport mode":        transportMode,
		"secure transport mode": transportMode,
		"stm state flags":       nil,
	},
}

// STMShow is the format of the secure transport mode of an HSM.
var STMShow = answer.Latest("lunacm-stm-show", "stm show, hsm stm show", parseTransport)

// parseTransport reads LunaCM "stm show" and LunaSH "hsm stm show".
func parseTransport(lines []string, unread func(string)) hsm.Fact {
	var t hsm.Transport
	transportSheet.Read(lines, &t, unread)
	if !t.SecureTransportMode.Known {
		return nil
	}
	return t
}

// transportMode reads Yes and No, or the flag 0 or 1.
func transportMode(t *hsm.Transport, v string) bool {
	switch v = strings.ToLower(answer.FirstField(v)); v {
	case "0", "off":
		t.SecureTransportMode = hsm.Some(false)
	case "1", "on":
		t.SecureTransportMode = hsm.Some(true)
	default:
		return answer.Boolean(&t.SecureTransportMode, v)
	}
	return true
}
