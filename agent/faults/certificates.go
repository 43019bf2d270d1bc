package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certify makes an authority, ca.pem in dir, and one certificate for all nodes and this
// process, node.pem and node.key. It returns how this process reaches etcd.
func certify(dir string) (*tls.Config, error) {
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "lwf"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "lwf node"}, NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for i := range servers {
		leaf.IPAddresses = append(leaf.IPAddresses, net.IPv4(10, 77, 0, byte(11+i)))
	}
	by, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	root, err1 := x509.CreateCertificate(rand.Reader, authority, authority, by.Public(), by)
	signed, err2 := x509.CreateCertificate(rand.Reader, leaf, authority, key.Public(), by)
	secret, err3 := x509.MarshalPKCS8PrivateKey(key)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	file := func(name, kind string, text []byte) error {
		return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: text}), 0o600)
	}
	if err := errors.Join(file("ca.pem", "CERTIFICATE", root), file("node.pem", "CERTIFICATE", signed), file("node.key", "PRIVATE KEY", secret)); err != nil {
		return nil, err
	}
	ca, err := x509.ParseCertificate(root)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: x509.NewCertPool(), Certificates: []tls.Certificate{{Certificate: [][]byte{signed}, PrivateKey: key}}}
	config.RootCAs.AddCert(ca)
	return config, nil
}
