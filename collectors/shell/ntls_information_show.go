package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

var ntlsSheet = answer.Sheet[hsm.NTLS]{Labels: answer.Labels[hsm.NTLS]{
	"operational status":            ntlsStatus,
	"connected clients":             counter(func(n *hsm.NTLS) *hsm.Opt[uint64] { return &n.ConnectedClients }),
	"links":                         counter(func(n *hsm.NTLS) *hsm.Opt[uint64] { return &n.Links }),
	"successful client connections": counter(func(n *hsm.NTLS) *hsm.Opt[uint64] { return &n.SuccessfulConnections }),
	"failed client connections":     counter(func(n *hsm.NTLS) *hsm.Opt[uint64] { return &n.FailedConnections }),
	"ntls information":              nil,
}}

// NTLSInformationShow is the format of the state of NTLS.
var NTLSInformationShow = answer.Latest("ntls-information-show", "ntls information show", parseNTLS)

// parseNTLS reads LunaSH "ntls information show".
func parseNTLS(lines []string, unread func(string)) hsm.Fact {
	var n hsm.NTLS
	if ntlsSheet.Read(lines, &n, unread) == 0 {
		return nil
	}
	return n
}

// ntlsStatus reads "1 (up)" by its number. The document of the command has no
// value but 1; the others are those of ntlsOperStatus in the vendor's MIB.
func ntlsStatus(n *hsm.NTLS, v string) bool {
	switch number, word, _ := strings.Cut(strings.ToLower(v), " "); {
	case v == "":
		return false
	case number == "1" || number == "up":
		n.Status = hsm.NTLSUp
	case number == "2" || number == "down" || strings.Contains(word, "down"):
		n.Status = hsm.NTLSDown
	default:
		n.Status = hsm.NTLSUnknown
	}
	return true
}
