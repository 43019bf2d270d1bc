package shell

import (
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

var informationSheet = answer.Sheet[hsm.Information]{Labels: answer.Labels[hsm.Information]{
	"operation requests":        counter(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.OperationRequests }),
	"operation errors":          counter(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.OperationErrors }),
	"crypto operation requests": counter(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.CryptoRequests }),
	"crypto operation errors":   counter(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.CryptoErrors }),
	"critical events":           counter(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.CriticalEvents }),
	"non-critical events":       counter(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.NoncriticalEvents }),
	"noncritical events":        counter(func(i *hsm.Information) *hsm.Opt[uint64] { return &i.NoncriticalEvents }),
	"hsm information":           nil,
	"hsm event counters":        nil,
}}

// HSMInformationShow is the format of the counters of an HSM.
var HSMInformationShow = answer.Latest("hsm-information-show", "hsm information show", parseInformation)

// parseInformation reads LunaSH "hsm information show". 5.4 has no crypto
// counters.
func parseInformation(lines []string, unread func(string)) hsm.Fact {
	var i hsm.Information
	if informationSheet.Read(lines, &i, unread) == 0 {
		return nil
	}
	return i
}

// counter returns a setter of a field that is a counter.
func counter[T any](field func(*T) *hsm.Opt[uint64]) func(*T, string) bool {
	return func(to *T, v string) bool {
		n, ok := answer.Count(v)
		return answer.Known(field(to), n, ok)
	}
}
