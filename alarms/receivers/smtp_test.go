package receivers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lunawatch/lunawatch/alarms"
	"github.com/lunawatch/lunawatch/alarms/alarmstest"
	"github.com/lunawatch/lunawatch/alarms/notify"
	"github.com/lunawatch/lunawatch/internal/setting"
)

// smtpd is a server of aiosmtpd: what it takes becomes lines of JSON.
const smtpd = `
import asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
o = json.loads(sys.argv[1])
context = None
if o["cert"]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(o["cert"], o["key"])
class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"): return "550 no such mailbox"
        if address.startswith("later"): return "451 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        if b"breaks" in envelope.content: return "554 not this one"
        with open(o["out"], "a") as f:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": o["smtps"] or session.ssl is not None, "login": str(session.auth_data and session.authenticated), "data": envelope.content.decode()}, f)
            f.write("\n")
        return "250 OK"
def login(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"noc" and data.password == o["password"].encode(), handled=False, auth_data=data.login)
secure = bool(context)
def make():
    return SMTP(Handler(), hostname="mail.test", tls_context=None if o["smtps"] else context, require_starttls=secure and not o["smtps"],
        authenticator=login if secure else None, auth_required=secure and not o["smtps"], auth_require_tls=not o["smtps"])
async def main():
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", o["port"], ssl=context if o["smtps"] else None)
    await server.serve_forever()
asyncio.run(main())
`

func startSMTP(s site) []string { return startSMTPS(s, false) }

func startSMTPS(s site, smtps bool) []string {
	s.t.Helper()
	python := realPeer(s.t, "/usr/bin/python3", "python3-aiosmtpd")
	if err := exec.Command(python, "-c", "import aiosmtpd").Run(); err != nil {
		missing(s.t, "aiosmtpd", "python3-aiosmtpd")
	}
	file := filepath.Join(s.t.TempDir(), "smtpd.py")
	alarmstest.Overwrite(s.t, file, smtpd)
	options := map[string]any{"out": filepath.Join(s.dir, "got"), "cert": "", "key": "", "smtps": smtps, "password": theSecret + "-password", "port": json.Number(s.port())}
	if s.tls {
		options["cert"], options["key"] = s.certs.cert, s.certs.key
	}
	text, err := json.Marshal(options)
	if err != nil {
		s.t.Fatal(err)
	}
	daemon(s.t, python, file, string(text))
	listens(s)
	return nil
}

// A gotMail is a mail that the server took.
type gotMail struct {
	From  string
	To    []string
	TLS   bool
	Login string
	Data  string
}

func mails(s site) (list []gotMail) {
	s.t.Helper()
	for _, line := range gotten(s) {
		var m gotMail
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			s.t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// read parses a mail as a mail reader does.
func (m gotMail) read(t *testing.T) (header map[string]string, body string) {
	t.Helper()
	message, err := mail.ReadMessage(strings.NewReader(m.Data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(message.Body))
	if err != nil {
		t.Fatal(err)
	}
	header = make(map[string]string)
	for k := range message.Header {
		header[k], err = new(mime.WordDecoder).DecodeHeader(message.Header.Get(k))
		if err != nil {
			t.Fatal(err)
		}
	}
	return header, strings.ReplaceAll(string(text), "\r\n", "\n")
}

// TestMail sends over STARTTLS and TLS, with a login, to a real server.
func TestMail(t *testing.T) {
	for _, smtps := range []bool{false, true} {
		t.Run(fmt.Sprintf("tls %v", smtps), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, subject{})
			s.tls = true
			startSMTPS(s, smtps)
			m := &SMTP{Address: s.address, From: "lunawatch@example.net", To: []string{"a@example.net", "b@example.net"}, User: "noc", PasswordFile: s.secret("password"), TLS: TLS{CAFile: setting.File(s.certs.cert)}}
			if smtps {
				m.Security = "tls"
			}
			for range 2 { // as a retry does
				if err := m.Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err != nil {
					t.Fatal(err)
				}
			}
			got := mails(s)
			if len(got) != 2 || !got[0].TLS || got[0].From != "lunawatch@example.net" || !slices.Equal(got[0].To, m.To) {
				t.Fatalf("%+v", got)
			}
			header, body := got[0].read(t)
			again, _ := got[1].read(t)
			if header["Message-Id"] == "" || header["Message-Id"] != again["Message-Id"] || header["Auto-Submitted"] != "auto-generated" || header["Date"] == "" ||
				header["Subject"] != `MAJOR hsm-a: Partition storage, p "1" é]: 96 % of the storage is used now` {
				t.Errorf("%v", header)
			}
			for _, want := range []string{"What to do: Delete objects, or resize", "\nHSM: hsm-a\n", "\nCodes: 2021 2004\n", "0.96 is above 0.9", "\nLabel: payments\n"} {
				if !strings.Contains(body, want) {
					t.Errorf("no %q in\n%s", want, body)
				}
			}
			alarmstest.Overwrite(t, m.PasswordFile, theSecret+"-wrong")
			err := m.Notify(t.Context(), alarmstest.Complete(alarms.Raised))
			if rejected := (*notify.Rejected)(nil); err == nil || errors.As(err, &rejected) || !strings.Contains(err.Error(), `the login of user "noc" is refused with 535`) {
				t.Errorf("wrong password: %v", err)
			}
			quiet(t, err)
			s.secret("password") // renewed
			if err := m.Notify(t.Context(), alarmstest.Complete(alarms.Raised)); err != nil {
				t.Errorf("renewed password: %v", err)
			}
		})
	}
}

// TestMailRefusals checks what is retried.
func TestMailRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t, subject{})
	startSMTP(s)
	for _, x := range []struct {
		to       []string
		text     string
		rejected bool
		want     string
		mails    int
	}{
		{[]string{"refused@example.net"}, "", true, "RCPT TO refused@example.net: 550", 0},
		{[]string{"later@example.net"}, "", false, "RCPT TO later@example.net: 451", 0},
		{[]string{"refused@example.net", "later@example.net"}, "", false, "451", 0},
		{[]string{"refused@example.net", "a@example.net"}, "", true, "sent to 1 of 2 recipients", 1},
		{[]string{"later@example.net", "a@example.net"}, "", true, "sent to 1 of 2 recipients", 1},
		{[]string{"a@example.net"}, "breaks", true, "after DATA: 554", 0},
	} {
		before := len(mails(s))
		n := alarmstest.Complete(alarms.Raised)
		n.Change.Alarm.Text = x.text
		err := (&SMTP{Address: s.address, Security: "none", From: "lunawatch@example.net", To: x.to}).Notify(t.Context(), n)
		rejected := (*notify.Rejected)(nil)
		if err == nil || errors.As(err, &rejected) != x.rejected || !strings.Contains(err.Error(), x.want) || len(mails(s))-before != x.mails {
			t.Errorf("%v: %v, %d mails", x.to, err, len(mails(s))-before)
		}
	}
	err := (&SMTP{Address: s.address, From: "lunawatch@example.net", To: []string{"a@example.net"}}).Notify(t.Context(), alarmstest.Complete(alarms.Raised))
	if err == nil || !strings.Contains(err.Error(), "offers no STARTTLS") {
		t.Errorf("without TLS: %v", err)
	}
}

// TestMailHeaders: nothing that an alarm says makes a header or a line.
func TestMailHeaders(t *testing.T) {
	n := alarmstest.Complete(alarms.Raised)
	n.Change.Alarm.Text, n.Change.Alarm.Object = "x\r\nBcc: all@example.net\r\n\r\nbody", "o\nX-Evil: 1"
	n.Change.Alarm.Evidence[0].Text = "one\r\n.\r\nMAIL FROM"
	header, body := gotMail{Data: string((&SMTP{From: "a@example.net", To: []string{"b@example.net"}}).text([]alarms.Notification{n, alarmstest.Complete(alarms.Cleared)}))}.read(t)
	if header["Bcc"] != "" || header["X-Evil"] != "" || !strings.HasPrefix(header["Subject"], "MAJOR hsm-a: Partition storage, o X-Evil: 1; 1 more: CLEARED hsm-a") || strings.Contains(body, "\n.\n") || strings.Count(body, "What to do: ") != 1 {
		t.Errorf("%v\n%s", header, body)
	}
}
