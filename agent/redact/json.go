package redact

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/url"
	"regexp"
	"strings"
)

// jsonToken is a string, with the colon behind it if it is a key, or a number.
var jsonToken = regexp.MustCompile(`"(?:[^"\\]|\\.)*"(\s*:)?|-?[0-9][0-9.eE+-]*(\s*:)?`)

// JSON redacts the values of JSON, as loosely written as the vendor's;
// the keys are the product's. A certificate is replaced by one with other
// names.
func (r *Redactor) JSON(text string) string {
	return jsonToken.ReplaceAllStringFunc(text, func(token string) string {
		if strings.HasSuffix(token, ":") {
			return token
		}
		if token[0] != '"' {
			return r.Answer(token)
		}
		var s string
		if json.Unmarshal([]byte(strings.NewReplacer("\n", "\\n", "\t", "\\t", "\r", "\\r").Replace(token)), &s) != nil {
			return r.Answer(token)
		}
		redacted := r.redactValue(s)
		if redacted == s {
			return token
		}
		out, _ := json.Marshal(redacted)
		return string(out)
	})
}

func (r *Redactor) redactValue(s string) string {
	if block, _ := pem.Decode([]byte(s)); block != nil {
		return r.redactPEM(block)
	}
	if strings.HasPrefix(s, "/") {
		return r.Path(s)
	}
	return r.Answer(s)
}

// restWords are the parts of paths that are the product's.
var restWords = regexp.MustCompile(`^(?:rest|api|lunasa|hsms|counter|tamper|metrics|licenses|policies|partitions|roles|ntls|certificate|clients|services|sensors|disk|smart|cards|ha)(?:\.json)?$`)

// Path redacts the names in a path, which are escaped there.
func (r *Redactor) Path(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if name, err := url.PathUnescape(p); err == nil && !restWords.MatchString(p) {
			if redacted := r.Answer(name); redacted != name {
				parts[i] = url.PathEscape(redacted)
			}
		}
	}
	return strings.Join(parts, "/")
}

// redactPEM returns a certificate of the same dates, with redacted names and a
// key that is thrown away; "removed" for anything else.
func (r *Redactor) redactPEM(block *pem.Block) string {
	const removed = "removed"
	old, err := x509.ParseCertificate(block.Bytes)
	if err != nil || block.Type != "CERTIFICATE" {
		return removed
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return removed
	}
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: old.NotBefore, NotAfter: old.NotAfter,
		RawSubject: r.redactName(old.RawSubject),
	}
	issuer := &x509.Certificate{RawSubject: r.redactName(old.RawIssuer)}
	der, err := x509.CreateCertificate(rand.Reader, made, issuer, key.Public(), key)
	if err != nil {
		return removed
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// redactName redacts each part of a distinguished name.
func (r *Redactor) redactName(der []byte) []byte {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return nil
	}
	for _, set := range name {
		for i, part := range set {
			if s, ok := part.Value.(string); ok {
				set[i].Value = r.Answer(s)
			}
		}
	}
	out, err := asn1.Marshal(name)
	if err != nil {
		return nil
	}
	return out
}
