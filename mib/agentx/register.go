package agentx

import "time"

// openAnswered begins to register.
func (l *link) openAnswered(res response) error {
	if res.code != NoError {
		return &RefusedError{PDUOpen, res.code}
	}
	l.since = time.Now()
	l.opened = true
	if l.config.PingInterval > 0 {
		l.pingAt = l.since.Add(l.config.PingInterval)
	}
	l.retryDelay = retryFirst
	l.onOpen()
	if err := l.register(); err != nil {
		return err
	}
	for _, c := range l.config.Caps {
		if err := l.send(PDUAddAgentCaps, addCapsBody(c.ID, c.Description), l.capsAnswered); err != nil {
			return err
		}
	}
	return nil
}

// register asks for the subtrees that are not granted.
func (l *link) register() error {
	l.toRegister, l.refused = nil, false
	for i := range l.config.Registrations {
		if !l.granted[i] {
			l.toRegister = append(l.toRegister, i)
		}
	}
	return l.registerNext()
}

// registerNext asks for one subtree. The next one waits for the answer: a master with
// thousands to answer and we with thousands to send would each wait for the other to
// read. Once all are answered, those that were refused are registered later.
func (l *link) registerNext() error {
	if len(l.toRegister) == 0 {
		if l.refused {
			l.retryAt = time.Now().Add(l.retryDelay)
			l.retryDelay = min(2*l.retryDelay, retryLast)
		}
		return nil
	}
	i := l.toRegister[0]
	l.toRegister = l.toRegister[1:]
	reg := l.config.Registrations[i]
	answer := func(res response) error { return l.registerAnswered(i, res) }
	return l.sendIn(reg.Context, PDURegister, registerBody(byte(l.config.Timeout/time.Second), reg.Priority, reg.Subtree), answer)
}

// registerAnswered goes on; what is granted is served meanwhile.
func (l *link) registerAnswered(i int, res response) error {
	reg := l.config.Registrations[i]
	switch {
	case res.code == NotOpen:
		return &RefusedError{PDURegister, res.code}
	case res.code == NoError:
		l.mu.Lock()
		l.granted[i] = true
		l.mu.Unlock()
		if l.complained[i] {
			l.config.Log.Info("AgentX registration granted", "subtree", reg.Subtree, "context", reg.Context)
		}
	default:
		l.refused = true
		if !l.complained[i] {
			l.complained[i] = true
			l.config.Log.Warn("AgentX registration refused, will be retried", "subtree", reg.Subtree, "context", reg.Context, "error", res.code, "advice", refusals[res.code])
		}
	}
	return l.registerNext()
}

// refusals are the remedies for registrations that the master refuses.
var refusals = map[ErrorCode]string{
	DuplicateRegistration: "another agent has this subtree, such as a second lunawatch or luna-snmp: end that one",
}

// registrations returns the subtrees that are granted and those that are not.
func (l *link) registrations() (granted, refused []OID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, reg := range l.config.Registrations {
		if l.granted[i] {
			granted = append(granted, reg.Subtree)
		} else {
			refused = append(refused, reg.Subtree)
		}
	}
	return granted, refused
}

// capsAnswered ignores a refusal: the master may have no sysORTable.
func (l *link) capsAnswered(res response) error {
	if res.code != NoError {
		l.config.Log.Warn("AgentX capability refused", "error", res.code)
	}
	return nil
}

// pingAnswered ends a session that the master no longer knows.
func (l *link) pingAnswered(res response) error {
	if res.code != NoError {
		return &RefusedError{PDUPing, res.code}
	}
	return nil
}

func ignore(response) error { return nil }

// leave unregisters everything, closes the session, and briefly waits for the master to confirm: these PDUs could be
// lost if the connection were closed at once.
func (l *link) leave() {
	if !l.opened {
		return
	}
	l.conn.SetReadDeadline(time.Time{})
	defer time.AfterFunc(goodbye, func() { l.conn.Close() }).Stop()
	for _, c := range l.config.Caps {
		_ = l.send(PDURemoveAgentCaps, removeCapsBody(c.ID), ignore)
	}
	for i, reg := range l.config.Registrations {
		if l.granted[i] {
			_ = l.sendIn(reg.Context, PDUUnregister, unregisterBody(reg.Priority, reg.Subtree), ignore)
		}
	}
	confirmed := func(response) error { return errClosed }
	if l.send(PDUClose, closeBody(reasonShutdown), confirmed) != nil {
		return
	}
	for {
		n, err := l.conn.Read(l.in[l.w:])
		l.w += n
		if l.serve() != nil || err != nil {
			return
		}
	}
}
