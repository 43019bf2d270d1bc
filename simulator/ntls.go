package simulator

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"time"
)

func ntlsShow(s *state, _ params) (string, error) {
	var p page
	indent := choose(s.modern(), "  ", "")
	p.line("\nNTLS Information:")
	for _, r := range []struct {
		label string
		value any
	}{
		{"Operational Status:", choose(s.ntlsUp, "1 (up)", "2 (down)")},
		{"Connected Clients:", s.connected()},
		{"Links:", s.connected()},
		{"Successful Client Connections:", s.ntlsGood},
		{"Failed Client Connections:", s.ntlsFailed},
	} {
		p.line("%s%-50s%v", indent, r.label, r.value)
	}
	return p.String(), nil
}

func (s *state) startNTLS() {
	if s.ntlsUp {
		return
	}
	s.ntlsUp = true
	s.ntls("Starting up NTLS........")
	s.ntls("NTLS is online and operational.")
	for i := range s.clients {
		s.connect(&s.clients[i], fmt.Sprintf("%s/%d", s.clients[i].address, 41000+i))
	}
}

func (s *state) stopNTLS() {
	if !s.ntlsUp {
		return
	}
	s.ntlsUp = false
	for i := range s.clients {
		s.clients[i].connected = false
	}
	s.ntls("Shutting down NTLS....")
	s.ntls("NTLS terminated")
}

// certTime returns a time as OpenSSL prints it.
func certTime(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }

// renew replaces the NTLS server certificate.
func (s *state) renew(life time.Duration) {
	s.certificate = validity{s.certificate.serial + 1, s.now.Add(-day), s.now.Add(life)}
	s.certmonitor("New NTLS certificate detected and the expiry date of this new certificate is %s", certTime(s.certificate.notAft))
	if life <= 30*day {
		s.warnCertificate()
	}
}

// serverCertificate makes the certificate that the state describes.
func (s *state) serverCertificate() (*x509.Certificate, error) {
	t := &x509.Certificate{
		SerialNumber:       big.NewInt(s.certificate.serial),
		SignatureAlgorithm: x509.SHA256WithRSA,
		Subject: pkix.Name{Country: []string{"CA"}, Province: []string{"Ontario"}, Locality: []string{"Ottawa"},
			Organization: []string{"Chrysalis-ITS"}, CommonName: s.spec.name},
		NotBefore: s.certificate.notBefore, NotAfter: s.certificate.notAft,
	}
	key := s.spec.ntlsKey
	der, err := x509.CreateCertificate(nil, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the NTLS certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

func certificateShow(s *state, _ params) (string, error) {
	c, err := s.serverCertificate()
	if err != nil {
		return "", err
	}
	text := certificateText(c, s.modern())
	return "\nNTLS Server Certificate:\n" + text, nil
}

// certificateText prints c like openssl x509 -text, of OpenSSL 1.0 or, before 7.x, of
// OpenSSL 0.9.8.
func certificateText(c *x509.Certificate, modern bool) string {
	key := c.PublicKey.(*rsa.PublicKey)
	name := func(n pkix.Name) string {
		return fmt.Sprintf("C=%s, ST=%s, L=%s, O=%s, CN=%s", n.Country[0], n.Province[0], n.Locality[0], n.Organization[0], n.CommonName)
	}
	bits, modulus := "Public-Key: (%d bit)", "Modulus:"
	if !modern {
		bits, modulus = "RSA Public Key: (%d bit)", fmt.Sprintf("Modulus (%d bit):", key.N.BitLen())
	}
	var p page
	p.line("    Data:")
	p.line("        Version: %d (0x%x)", c.Version, c.Version-1)
	p.line("        Serial Number: %d (0x%x)", c.SerialNumber, c.SerialNumber)
	p.line("    Signature Algorithm: sha256WithRSAEncryption")
	p.line("        Issuer: %s", name(c.Issuer))
	p.line("        Validity")
	p.line("            Not Before: %s", certTime(c.NotBefore))
	p.line("            Not After : %s", certTime(c.NotAfter))
	p.line("        Subject: %s", name(c.Subject))
	p.line("        Subject Public Key Info:")
	p.line("            Public Key Algorithm: rsaEncryption")
	p.line("            "+bits, key.N.BitLen())
	p.line("            %s", modulus)
	p.WriteString(hexLines(append([]byte{0}, key.N.Bytes()...), 15, 16, ":"))
	p.line("            Exponent: %d (0x%x)", key.E, key.E)
	p.line("    Signature Algorithm: sha256WithRSAEncryption")
	p.WriteString(hexLines(c.Signature, 18, 8, ":"))
	return p.String()
}

// hexLines prints bytes like OpenSSL, indented and perLine on each line.
func hexLines(b []byte, perLine, indent int, sep string) string {
	var out strings.Builder
	for i, x := range b {
		if i%perLine == 0 {
			out.WriteString(strings.Repeat(" ", indent))
		}
		fmt.Fprintf(&out, "%02x", x)
		if i < len(b)-1 {
			out.WriteString(sep)
		}
		if i%perLine == perLine-1 || i == len(b)-1 {
			out.WriteByte('\n')
		}
	}
	return out.String()
}
