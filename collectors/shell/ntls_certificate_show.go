package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

var certificateSheet = answer.Sheet[hsm.Certificate]{
	Line: certificateLine,
	Labels: answer.Labels[hsm.Certificate]{
		"not before":              func(c *hsm.Certificate, v string) bool { return answer.CertificateTime(&c.NotBefore, v) },
		"not after":               func(c *hsm.Certificate, v string) bool { return answer.CertificateTime(&c.NotAfter, v) },
		"subject":                 func(c *hsm.Certificate, v string) bool { return firstName(&c.Subject, v) },
		"issuer":                  func(c *hsm.Certificate, v string) bool { return firstName(&c.Issuer, v) },
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

// NTLSCertificateShow is the format of the certificate of NTLS.
var NTLSCertificateShow = answer.Latest("ntls-certificate-show", "ntls certificate show, ntls certificate monitor show", parseCertificate)

// parseCertificate reads LunaSH "ntls certificate show", which prints the text form
// of OpenSSL, and "ntls certificate monitor show", which states only the time of
// expiry.
func parseCertificate(lines []string, unread func(string)) hsm.Fact {
	var c hsm.Certificate
	if certificateSheet.Read(lines, &c, unread) == 0 || c == (hsm.Certificate{}) {
		return nil
	}
	return c
}

func certificateLine(c *hsm.Certificate, line string) bool {
	if strings.Trim(line, "0123456789abcdefABCDEF: \t") == "" {
		return true // part of a key or signature
	}
	line = answer.Collapse(answer.Clip(line, 500))
	switch {
	case strings.HasPrefix(line, "NTLS Server Certificate Expiry Monitor is "):
		return true
	case strings.HasPrefix(line, "NTLS Server Certificate will expire on "),
		strings.HasPrefix(line, "Certificate expiry trap will be sent "):
		_, date, _ := strings.Cut(line, `"`)
		date, _, _ = strings.Cut(date, `"`)
		return answer.CertificateTime(&c.NotAfter, date)
	case strings.HasPrefix(line, "SNMP trap is not configured"):
		return true
	}
	return false
}

// firstName takes all of v, unless to is set already: the certificate of the
// issuer may follow.
func firstName(to *string, v string) bool {
	if *to == "" {
		*to = answer.Collapse(v)
	}
	return v != ""
}
