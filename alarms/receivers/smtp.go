package receivers

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// SMTP sends mail. With Digest, all that is queued goes in one mail once the
// oldest has waited for so long; tests of the alarm chain do not wait.
type SMTP struct {
	Address      string        `yaml:"address"`                                               // host:port
	Security     string        `yaml:"security" default:"starttls" words:"starttls tls none"` // starttls, tls, none; "" is starttls
	From         string        `yaml:"from"`
	To           []string      `yaml:"to"`
	User         string        `yaml:"user"` // "": no login
	PasswordFile setting.File  `yaml:"password_file"`
	Digest       time.Duration `yaml:"digest" range:"0s,1s.."` // 0: a mail for each
	TLS          `yaml:",inline"`

	Words notify.Words `yaml:"-"`
}

// Port returns the default port.
func (s *SMTP) Port() string { return smtpPorts[s.Security] }

var smtpPorts = map[string]string{"starttls": "587", "tls": "465", "none": "25", "": "587"}

// Validate returns all that is wrong with s.
func (s *SMTP) Validate() error {
	errs := []error{s.TLS.Validate(), setting.At("address", setting.ValidatePeer(s.Address)), setting.At("password_file", s.PasswordFile.Validate())}
	if s.Address == "" || len(s.To) == 0 {
		errs = append(errs, errors.New("address and to are needed"))
	}
	errs = append(errs, setting.At("from", validateMail(s.From)))
	for i, to := range s.To {
		errs = append(errs, setting.At(fmt.Sprintf("to[%d]", i), validateMail(to)))
	}
	if (s.User == "") != (s.PasswordFile == "") {
		errs = append(errs, errors.New("user and password_file go together"))
	}
	if s.User != "" && s.Security == "none" {
		errs = append(errs, errors.New("a password is not sent without TLS: security none and user exclude each other"))
	}
	return errors.Join(append(errs, setting.Limits(s))...)
}

func validateMail(address string) error {
	if parsed, err := mail.ParseAddress(address); err != nil || parsed.Address != address {
		return fmt.Errorf("%s is not a mail address such as noc@example.net", setting.Shown("", address))
	}
	return nil
}

// Notify implements [notify.Notifier].
func (s *SMTP) Notify(ctx context.Context, n alarms.Notification) error {
	return s.NotifyAll(ctx, []alarms.Notification{n})
}

// NotifyAll sends one mail for all. If the server takes only some recipients,
// these get it, and the error for the others is [notify.Rejected]: sent again,
// it would come twice.
func (s *SMTP) NotifyAll(ctx context.Context, list []alarms.Notification) error {
	err := s.mail(ctx, list)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Address, err)
	}
	return nil
}

func (s *SMTP) mail(ctx context.Context, list []alarms.Notification) error {
	host, _, err := net.SplitHostPort(s.Address)
	if err != nil {
		return err
	}
	config, err := s.config(host)
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{Timeout: notify.DeliveryTimeout / 3}).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	conn.SetDeadline(time.Now().Add(notify.DeliveryTimeout - time.Second))
	if s.Security == "tls" {
		conn = tls.Client(conn, config)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return err
	}
	if err := s.login(c, host, config); err != nil {
		return err
	}
	return s.transfer(c, list)
}

func (s *SMTP) login(c *smtp.Client, host string, config *tls.Config) error {
	if err := c.Hello(field(notify.Hostname(), 255)); err != nil {
		return fmt.Errorf("EHLO: %w", err)
	}
	if cmp.Or(s.Security, "starttls") == "starttls" {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return errors.New("the server offers no STARTTLS; nothing is sent without TLS unless security is none")
		}
		if err := c.StartTLS(config); err != nil {
			return fmt.Errorf("STARTTLS: %w", err)
		}
	}
	if s.User == "" {
		return nil
	}
	password, err := s.PasswordFile.Secret("password_file", 1)
	if err != nil {
		return err
	}
	if err := c.Auth(smtp.PlainAuth("", s.User, password, host)); err != nil {
		if refused := (*textproto.Error)(nil); errors.As(err, &refused) { // its text may repeat what was sent
			return fmt.Errorf("the login of user %q is refused with %d", s.User, refused.Code)
		}
		return errors.New("login: the server does not allow AUTH PLAIN")
	}
	return nil
}

func (s *SMTP) transfer(c *smtp.Client, list []alarms.Notification) error {
	if err := c.Mail(s.From); err != nil {
		return final(fmt.Errorf("MAIL FROM: %w", err))
	}
	var refused []error
	for _, to := range s.To {
		if err := c.Rcpt(to); err != nil {
			refused = append(refused, fmt.Errorf("RCPT TO %s: %w", to, err))
		}
	}
	if len(refused) == len(s.To) {
		for _, err := range refused {
			if rejected := (*notify.Rejected)(nil); !errors.As(final(err), &rejected) {
				return err
			}
		}
		return &notify.Rejected{Err: errors.Join(refused...)}
	}
	w, err := c.Data()
	if err != nil {
		return final(fmt.Errorf("DATA: %w", err))
	}
	if _, err := w.Write(s.text(list)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return final(fmt.Errorf("after DATA: %w", err))
	}
	_ = c.Quit() // it has the mail
	if len(refused) > 0 {
		return &notify.Rejected{Err: fmt.Errorf("sent to %d of %d recipients: %w", len(s.To)-len(refused), len(s.To), errors.Join(refused...))}
	}
	return nil
}

// final returns err, as [notify.Rejected] if it is an answer of 5xx.
func final(err error) error {
	if answer := (*textproto.Error)(nil); errors.As(err, &answer) && answer.Code >= 500 {
		return &notify.Rejected{Err: err}
	}
	return err
}

// text returns the mail, with headers. Its Message-ID is the same at every
// retry of the same notifications.
func (s *SMTP) text(list []alarms.Notification) []byte {
	_, domain, _ := strings.Cut(s.From, "@")
	var ids, bodies []string
	for _, n := range list {
		ids = append(ids, n.ID, n.At.UTC().Format(time.RFC3339Nano))
	}
	for _, n := range notify.WorstFirst(list) {
		bodies = append(bodies, s.Words.Message(n).Body())
	}
	first := list[0]
	subject := s.Words.Message(notify.Together(list)).Summary
	var b bytes.Buffer
	header := func(key, value string) { b.WriteString(key + ": " + value + "\r\n") }
	header("From", "Lunawatch <"+s.From+">")
	header("To", strings.Join(s.To, ", "))
	header("Subject", mime.QEncoding.Encode("utf-8", notify.Cut(subject, 150)))
	header("Date", list[len(list)-1].At.Format(time.RFC1123Z))
	header("Message-ID", "<"+notify.Hash(ids...)+"@"+domain+">")
	if len(list) == 1 && !first.IsHeartbeat() { // mails of one alarm are one thread
		header("References", "<"+notify.Dedup(first)+"@"+domain+">")
	}
	header("Auto-Submitted", "auto-generated")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	q := quotedprintable.NewWriter(&b)
	_, _ = io.WriteString(q, strings.ReplaceAll(strings.Join(bodies, "\n"+strings.Repeat("-", 60)+"\n\n"), "\n", "\r\n"))
	q.Close()
	return b.Bytes()
}
