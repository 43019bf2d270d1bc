package lunash

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/lunawatch/lunawatch/collectors"
	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/collectors/login"
	"github.com/lunawatch/lunawatch/hsm"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// A passwordLogin gives a password at most once, by whichever method the appliance
// asks for it: what refuses it as a password refuses it at the keyboard, too, and
// counts twice.
type passwordLogin struct {
	ctx     context.Context
	account *login.Account
	file    setting.File
	try     *login.Try // nil: it was not asked for
	err     error      // why it was not given
}

func (p *passwordLogin) password() (string, error) {
	if p.try != nil {
		return "", errors.New("the password was given once")
	}
	p.try, p.err = p.account.Begin(p.ctx, p.file)
	if p.err != nil {
		return "", p.err
	}
	return p.try.Password, nil
}

var asksPassword = regexp.MustCompile(`(?i)\bpassword\b`)

// answer answers the question for the password, and no other: one for a new password
// gets nothing.
func (p *passwordLogin) answer(_, _ string, questions []string, echos []bool) ([]string, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	if q := questions[0]; len(questions) > 1 || echos[0] || !asksPassword.MatchString(q) || newPassword.MatchString(q) {
		p.err = collectors.Failf(hsm.Login, "the appliance asks %q and not only for the password; log in once by hand and answer it", answer.Clip(q, 100))
		return nil, p.err
	}
	password, err := p.password()
	return []string{password}, err
}

// methods returns how to log in with the password. A password that was refused
// before is no method; if there is no other, that is the error.
func (p *passwordLogin) methods(others []ssh.AuthMethod) ([]ssh.AuthMethod, error) {
	if p.file == "" {
		return others, nil
	}
	if p.err = p.account.Refused(p.ctx, p.file); p.err != nil {
		if len(others) == 0 {
			return nil, p.err
		}
		return others, nil
	}
	return append(others, ssh.PasswordCallback(p.password), ssh.KeyboardInteractive(p.answer)), nil
}

// outcome remembers whether the password was refused, by how the login ended. A
// connection that was lost says nothing.
func (p *passwordLogin) outcome(err error) error {
	switch {
	case p.try == nil:
		return err
	case err == nil:
		p.try.Accepted()
		return nil
	case collectors.FailureOf(err) != hsm.Login:
		return err
	case errors.Is(err, errRefused):
		err = errors.New("over SSH")
	}
	return p.try.Refused(err)
}

func (p *passwordLogin) end() {
	if p.try != nil {
		p.try.End()
	}
}

var errRefused = errors.New("was refused")

// loginError returns a *[collectors.Failed] that says why there is no login. What
// fails after the password was given is a refusal, unless the connection was lost.
func (c *Client) loginError(ctx context.Context, p *passwordLogin, err error) error {
	var f *collectors.Failed
	var lost *net.OpError
	switch text := err.Error(); {
	case errors.As(err, &f):
		return f
	case ctx.Err() != nil:
		return collectors.Failf(hsm.Unreachable, "no SSH answer from %s in time", c.Address).At(hsm.LayerHandshake)
	case p.err != nil:
		return p.err
	case strings.Contains(text, "unable to authenticate"), p.try != nil && !errors.As(err, &lost) && !errors.Is(err, io.EOF):
		return collectors.Failf(hsm.Login, "user %q %w; check the key file, and that the account is enabled on the appliance", c.User, errRefused)
	case strings.Contains(text, "no common algorithm"):
		return collectors.Failf(hsm.Login, "%w; allow what the appliance offers under \"algorithms\"", err).At(hsm.LayerHandshake)
	}
	return collectors.Failf(hsm.Unreachable, "SSH: %w", err).At(hsm.LayerHandshake)
}

// clientConfig returns what a login needs but for the check of the host key.
func (c *Client) clientConfig(p *passwordLogin) (*ssh.ClientConfig, error) {
	config := &ssh.ClientConfig{User: c.User, HostKeyAlgorithms: c.Algorithms.HostKeys}
	config.KeyExchanges, config.Ciphers, config.MACs = c.Algorithms.KeyExchanges, c.Algorithms.Ciphers, c.Algorithms.MACs
	if c.PrivateKeyFile != "" {
		pem, err := c.PrivateKeyFile.Bytes()
		if err != nil {
			return nil, collectors.Failf(hsm.Login, "private key: %w", err)
		}
		key, err := ssh.ParsePrivateKey(pem)
		if err != nil {
			return nil, collectors.Failf(hsm.Login, "private key %s: %w", c.PrivateKeyFile, err)
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(key))
	}
	var err error
	if config.Auth, err = p.methods(config.Auth); err != nil {
		return nil, err
	}
	config.HostKeyCallback, err = c.hostKeyCallback()
	return config, err
}
