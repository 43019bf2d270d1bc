package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// licenseTable is a kind of table, by its columns.
type licenseTable int

const (
	plainLicenses   licenseTable = iota // id, description (7.x)
	upgradeLicenses                     // id, destructive, description (5.x, 6.x)
	countLicenses                       // id, total, available, description (5.x, 6.x)
	featureLicenses                     // number, feature, version, quantity ("sysconf license list")
)

// HSMDisplayLicenses is the format of the licences of an HSM.
var HSMDisplayLicenses = answer.Latest("hsm-displaylicenses", "hsm displaylicenses, sysconf license list", parseLicenses)

// parseLicenses reads LunaSH "hsm displaylicenses": one table in 7.x, two
// before; and "sysconf license list".
func parseLicenses(lines []string, unread func(string)) hsm.Fact {
	licenses := hsm.Licenses{}
	recognised, table := false, plainLicenses
	for _, line := range lines {
		if answer.IsRule(line) {
			continue
		}
		if t, ok := licenseHeader(line); ok {
			table, recognised = t, true
			continue
		}
		low := strings.ToLower(answer.Collapse(answer.Clip(line, 200)))
		if strings.HasPrefix(low, "no ") && strings.Contains(low, "licenses") {
			recognised = true
			continue
		}
		l, ok := license(table, line)
		if !ok {
			unread(line)
			continue
		}
		licenses, recognised = append(licenses, l), true
	}
	if !recognised {
		return nil
	}
	return licenses
}

func licenseHeader(line string) (licenseTable, bool) {
	switch low := strings.ToLower(answer.Collapse(answer.Clip(line, 200))); {
	case low == "hsm upgrade licenses", strings.HasPrefix(low, "license id destructive"):
		return upgradeLicenses, true
	case low == "partition licenses", strings.HasPrefix(low, "license id total"):
		return countLicenses, true
	case low == "hsm capability licenses", strings.HasPrefix(low, "license id description"):
		return plainLicenses, true
	case strings.HasPrefix(low, "# feature"):
		return featureLicenses, true
	}
	return 0, false
}

func license(table licenseTable, line string) (hsm.License, bool) {
	id := answer.FirstField(line)
	rest := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), id))
	if table == countLicenses && strings.HasSuffix(id, ",") { // "0,   0"
		more := answer.FirstField(rest)
		id, rest = id+" "+more, strings.TrimSpace(strings.TrimPrefix(rest, more))
	}
	if id == "" || rest == "" || strings.Trim(id, "0123456789-, ") != "" {
		return hsm.License{}, false
	}
	l := hsm.License{ID: id}
	if (table == plainLicenses || table == upgradeLicenses) && !strings.Contains(id, "-") {
		return l, false // a page number
	}
	switch table {
	case plainLicenses:
	case upgradeLicenses:
		if _, ok := answer.YesNo(rest); ok {
			rest = strings.TrimPrefix(rest, answer.FirstField(rest))
		}
	case countLicenses:
		for _, n := range []*hsm.Opt[int64]{&l.Total, &l.Available} {
			if !answer.Whole(n, answer.FirstField(rest)) {
				return l, false
			}
			rest = strings.TrimSpace(strings.TrimPrefix(rest, answer.FirstField(rest)))
		}
	case featureLicenses:
		var quantity string
		rest, quantity = answer.CutLast(rest)
		if !answer.Whole(&l.Total, quantity) {
			return hsm.License{}, false
		}
		rest, _ = answer.CutLast(rest) // the version of the licence
	}
	l.Description = answer.Collapse(rest)
	return l, l.Description != ""
}
