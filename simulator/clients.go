package simulator

import (
	"fmt"
	"slices"
	"strings"
)

func clientList(s *state, _ params) (string, error) {
	var p page
	p.line("")
	for i, c := range s.clients {
		p.line("registered client %d: %s", i+1, c.name)
	}
	if len(s.clients) == 0 {
		p.line("No clients are registered.")
	}
	return p.String(), nil
}

func clientShow(s *state, pr params) (string, error) {
	i := slices.IndexFunc(s.clients, func(c client) bool { return c.name == pr["-client"] })
	if i < 0 {
		return "", failed("client show", codeNotInList, "Specified client does not exist.")
	}
	c := s.clients[i]
	var p page
	p.line("\n")
	p.line("%-14s%s", "ClientID:", c.name)
	if c.hostname {
		p.line("%-14s%s", "Hostname:", c.address)
	} else {
		p.line("%-14s%s", "IPAddress:", c.address)
	}
	if !s.modern() {
		p.line("%-14s%s", "HTL Required:", "no")
		p.line("%-14s%s", "OTT Expiry:", "n/a")
	}
	names := "<none>"
	if len(c.partitions) > 0 {
		names = `"` + strings.Join(c.partitions, `", "`) + `"`
	}
	p.line("%-14s%s", "Partitions:", names)
	return p.String(), nil
}

// traffic makes NTLS clients disconnect and reconnect now and then, and a stranger
// fail.
func (s *state) traffic() {
	if s.now.Unix()%60 != 0 || !s.ntlsUp {
		return
	}
	if s.noise("handshake", s.now.Unix()) < 0.003 {
		s.ntlsFailed++
		s.log("local5", "info", fmt.Sprintf("NTLS [%d]", s.pid("NTLS")),
			"info :  0xc0000711 : Fail to establish a secure channel with client : 10.31.40.200/%d : RC_SSL_FAILED_HANDSHAKE", 30000+s.now.Unix()%20000)
	}
	for i := range s.clients {
		c := &s.clients[i]
		from := fmt.Sprintf("%s/%d", c.address, 30000+int(20000*s.noise(c.name, s.now.Unix())))
		switch n := s.noise("traffic "+c.name, s.now.Unix()); {
		case c.connected && n < 0.01:
			c.connected = false
			s.ntls("NTLA Client \"%s\" has disconnected: %s", c.name, from)
		case !c.connected && n < 0.7:
			s.connect(c, from)
		}
	}
}

func (s *state) connect(c *client, from string) {
	c.connected = true
	s.ntlsGood++
	s.ntls("Incoming connection request... : %s", from)
	s.ntls("NTLA Client \"%s\" connected and authenticated : %s", c.name, from)
}

// connected returns the number of clients with a link.
func (s *state) connected() int {
	n := 0
	for _, c := range s.clients {
		if c.connected {
			n++
		}
	}
	return n
}
