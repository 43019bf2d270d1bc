package collectors

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"syscall"

	"github.com/lunawatch/lunawatch/hsm"
)

// LayerOf returns where the way to an HSM is dead: what the transport said of it by
// [Failed.At], or what the cause of err shows. An answer that is an error, or of no
// known form, says that the way is whole.
func LayerOf(err error) hsm.Layer {
	for within := err; within != nil; {
		f, ok := errors.AsType[*Failed](within)
		switch {
		case !ok:
			return byCause(err)
		case f.Layer != hsm.LayerUnknown:
			return f.Layer
		case f.Failure == hsm.HostKey:
			return hsm.LayerIdentity
		case f.Failure == hsm.Login:
			return hsm.LayerAccount
		case f.Failure == hsm.Command || f.Failure == hsm.Unrecognised:
			return hsm.LayerUnknown
		}
		within = f.Err
	}
	return hsm.LayerUnknown
}

// At returns f with the layer at which it failed, where its cause does not show it.
func (f *Failed) At(l hsm.Layer) *Failed {
	f.Layer = l
	return f
}

// noRoute are what the kernel says when it does not know where to send a packet, or may
// not.
var noRoute = []syscall.Errno{syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN}

// noWay are what connect says of routes of type blackhole and prohibit.
var noWay = []syscall.Errno{syscall.EINVAL, syscall.EACCES, syscall.EPERM}

// ended are how a connection ends that was open.
var ended = []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.ETIMEDOUT}

func byCause(err error) hsm.Layer {
	_, unresolved := errors.AsType[*net.DNSError](err)
	op, _ := errors.AsType[*net.OpError](err)
	dialing := op != nil && op.Op == "dial"
	no, _ := errors.AsType[syscall.Errno](err)
	switch {
	case unresolved:
		return hsm.LayerName
	case no == syscall.ECONNREFUSED:
		return hsm.LayerPortRefused
	case slices.Contains(noRoute, no), dialing && slices.Contains(noWay, no):
		return hsm.LayerRoute
	case dialing && (no == syscall.ETIMEDOUT || errors.Is(err, os.ErrDeadlineExceeded) || op.Timeout()):
		return hsm.LayerNoAnswer
	case ofCertificate(err):
		return hsm.LayerIdentity
	case ofTLS(err):
		return hsm.LayerHandshake
	case slices.ContainsFunc(ended, func(end error) bool { return errors.Is(err, end) }):
		return hsm.LayerSessionLost
	}
	return hsm.LayerUnknown
}

func ofCertificate(err error) bool {
	_, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, name := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	return unverified || authority || name || invalid
}

func ofTLS(err error) bool {
	_, record := errors.AsType[tls.RecordHeaderError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	return record || alert
}
