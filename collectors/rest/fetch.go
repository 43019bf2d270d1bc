package rest

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/hsm"
)

// FetchCertificate connects to address, host:port, and returns the fingerprint of the
// certificate that is shown there, in the form of [ParseFingerprint]. It sends nothing
// but the handshake. Its errors are a *[collectors.Failed].
func FetchCertificate(ctx context.Context, address string) (fingerprint string, err error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", collectors.Failf(hsm.Unreachable, "connect: %w", err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	secured := tls.Client(conn, &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}) // somebody compares the fingerprint
	if err := secured.HandshakeContext(ctx); err != nil {
		return "", collectors.Failf(hsm.Unreachable, "TLS with %s: %w", address, err).At(hsm.LayerHandshake)
	}
	return certificateFingerprint(secured.ConnectionState().PeerCertificates), nil
}
