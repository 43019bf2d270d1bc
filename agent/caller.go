package agent

import (
	"fmt"
	"net/http"
	"os"

	"github.com/lunawatch/lunawatch/agent/guard"
)

// An act is what somebody does over the control socket. by is who.
type act func(w http.ResponseWriter, r *http.Request, by string)

// maxRequest bounds the body of a request, in bytes.
const maxRequest = 1 << 20

// operating answers an act, if its caller may operate. Root and the agent's own user
// may; others, if they are in the group for it, or if there is none.
func (a *Agent) operating(name string, do act) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, known := guard.CallerOf(r.Context())
		group := a.config().OperateGroup
		switch {
		case !known:
			http.Error(w, "the kernel does not say who asks", http.StatusForbidden)
			return
		case c.UID == 0, c.UID == os.Getuid(), group == "", c.In(group):
		default:
			a.log.Warn("refused", "act", name, "by", c.Author(""), "group", group)
			http.Error(w, fmt.Sprintf("%s may look, and not operate: that needs group %s", c.Author(""), group), http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		do(w, r, c.Author(r.FormValue("by")))
	}
}

// acted logs what somebody did.
func (a *Agent) acted(name, what, by, why string, err error) {
	if err != nil {
		a.log.Warn("not done", "act", name, "of", what, "by", by, "why", why, "err", err)
		return
	}
	a.log.Info("done", "act", name, "of", what, "by", by, "why", why)
}
