package agent

import (
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/lunawatch/lunawatch/agent/guard"
)

// overSocket returns who asks over the control socket, or why he may not operate. Root and
// the agent's own user may; others, if they are in the group for it, or if there is none.
func (a *Agent) overSocket(r *http.Request, claimed string) (by string, err error) {
	c, known := guard.CallerOf(r.Context())
	if !known {
		return "nobody", errors.New("the kernel does not say who asks")
	}
	group := a.config().OperateGroup
	if c.UID == 0 || c.UID == os.Getuid() || group == "" || c.In(group) {
		return c.Author(claimed), nil
	}
	return c.Author(""), fmt.Errorf("%s may look, and not operate: that needs group %s", c.Author(""), group)
}

// overWeb is overSocket for the web server, which believes no claim.
func (a *Agent) overWeb(r *http.Request, _ string) (by string, err error) {
	v := guard.VisitorOf(r.Context())
	return v.String(), a.config().Web.May(v)
}
