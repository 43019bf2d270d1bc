package collectors

import (
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/hsm"
)

var certificateSheet = sheet[hsm.Certificate]{
	line: certificateLine,
	labels: labels[hsm.Certificate]{
		"not before":              func(c *hsm.Certificate, v string) bool { return certificateTime(&c.NotBefore, v) },
		"not after":               func(c *hsm.Certificate, v string) bool { return certificateTime(&c.NotAfter, v) },
		"subject":                 func(c *hsm.Certificate, v string) bool { return keep(&c.Subject, v) },
		"issuer":                  func(c *hsm.Certificate, v string) bool { return keep(&c.Issuer, v) },
		"ntls server certificate": nil,
		"certificate":             nil,
		"data":                    nil,
		"version":                 nil,
		"serial number":           nil,
		"signature algorithm":     nil,
		"validity":                nil,
		"subject public key info": nil,
		"public key algorithm":    nil,
		"rsa public key":          nil,
		"rsa public-key":          nil,
		"public-key":              nil,
		"modulus":                 nil,
		"exponent":                nil,
	},
}

// NTLSCertificateShow is the certificate of NTLS.
var NTLSCertificateShow = latest("ntls-certificate-show", "ntls certificate show, ntls certificate monitor show", parseCertificate)

// parseCertificate reads LunaSH "ntls certificate show", which prints an
// OpenSSL text form, and "ntls certificate monitor show", which tells only
// the day of expiry.
func parseCertificate(lines []string, unread func(string)) hsm.Fact {
	var c hsm.Certificate
	if certificateSheet.read(lines, &c, unread) == 0 || c == (hsm.Certificate{}) {
		return nil
	}
	return c
}

func certificateLine(c *hsm.Certificate, line string) bool {
	if strings.Trim(line, "0123456789abcdefABCDEF: \t") == "" {
		return true // a piece of key or signature
	}
	line = collapse(clip(line, 500))
	switch {
	case strings.HasPrefix(line, "NTLS Server Certificate Expiry Monitor is "):
		return true
	case strings.HasPrefix(line, "NTLS Server Certificate will expire on "),
		strings.HasPrefix(line, "Certificate expiry trap will be sent "):
		_, date, _ := strings.Cut(line, `"`)
		date, _, _ = strings.Cut(date, `"`)
		return certificateTime(&c.NotAfter, date)
	case strings.HasPrefix(line, "SNMP trap is not configured"):
		return true
	}
	return false
}

// certificateTime reads "Feb 22 15:19:21 2027 GMT". The first one counts: an
// issuer's certificate may follow.
func certificateTime(to *hsm.Opt[time.Time], v string) bool {
	at, err := time.Parse("Jan 2 15:04:05 2006 GMT", collapse(v))
	if err != nil {
		return false
	}
	if !to.Known {
		*to = hsm.Some(at)
	}
	return true
}

// keep takes all of v; the first one counts.
func keep(to *string, v string) bool {
	if *to == "" {
		*to = collapse(v)
	}
	return v != ""
}
