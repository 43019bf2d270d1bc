package shell

import (
	"strings"

	"github.com/lunawatch/lunawatch/collectors/answer"
	"github.com/lunawatch/lunawatch/hsm"
)

// rolesRead are roles while they are parsed; the last is the current one.
type rolesRead struct{ hsm.Roles }

var roleSheet = answer.Sheet[rolesRead]{
	Line: roleLine,
	Labels: answer.Labels[rolesRead]{
		"primary authentication type":          ofRole(func(r *hsm.RoleState, v string) bool { return answer.Words(&r.PrimaryAuthentication, v) }),
		"secondary authentication type":        ofRole(func(r *hsm.RoleState, v string) bool { return answer.Words(&r.SecondaryAuthentication, v) }),
		"failed login attempts before lockout": ofRole(func(r *hsm.RoleState, v string) bool { return attemptsLeft(&r.Role, v) }),
	},
}

// RoleShow is the format of the state of a role of the partition in LunaCM's slot.
var RoleShow = answer.Each("lunacm-role-show", "role show", ParseRoles, joinRoles)

// ParseRoles reads LunaCM "role show": a heading with the name of the role, labels,
// and sentences that state what it is and is not.
func ParseRoles(lines []string, unread func(string)) hsm.Fact {
	var r rolesRead
	roleSheet.Read(lines, &r, unread)
	if r.Roles.Roles == nil {
		return nil
	}
	return r.Roles
}

// joinRoles joins the roles of several answers; the last answer about a role
// counts.
func joinRoles(facts []hsm.Fact) hsm.Fact {
	var all hsm.Roles
	at := make(map[string]int)
	for _, f := range facts {
		for _, r := range f.(hsm.Roles).Roles {
			i, repeated := at[r.Name]
			if !repeated {
				at[r.Name] = len(all.Roles)
				all.Roles = append(all.Roles, r)
				continue
			}
			all.Roles[i] = r
		}
	}
	return all
}

// ofRole returns a setter of the current role.
func ofRole(set func(*hsm.RoleState, string) bool) func(*rolesRead, string) bool {
	return func(r *rolesRead, v string) bool {
		n := len(r.Roles.Roles)
		return n > 0 && set(&r.Roles.Roles[n-1], v)
	}
}

// roleSentences are the setters of sentences about a role, without the full stop.
var roleSentences = map[string]func(*hsm.RoleState){
	"initialized":     func(r *hsm.RoleState) { r.Initialized = hsm.Some(true) },
	"not initialized": func(r *hsm.RoleState) { r.Initialized = hsm.Some(false) },
	"activated":       func(r *hsm.RoleState) { r.Activated = hsm.Some(true) },
	"not activated":   func(r *hsm.RoleState) { r.Activated = hsm.Some(false) },
	"locked out":      func(r *hsm.RoleState) { r.LockedOut = hsm.Some(true) },
	"not locked out":  func(r *hsm.RoleState) { r.LockedOut = hsm.Some(false) },
}

func roleLine(r *rolesRead, line string) bool {
	text := answer.Collapse(answer.Clip(line, 200))
	if rest, ok := answer.CutPrefixFold(text, "state of role "); ok {
		name := strings.Trim(strings.TrimSuffix(rest, ":"), `'"`)
		if name == "" {
			return false
		}
		r.Roles.Roles = append(r.Roles.Roles, hsm.RoleState{Role: hsm.Role{Name: roleName(name)}})
		return true
	}
	set, ok := roleSentences[strings.ToLower(strings.TrimRight(text, ".!"))]
	return ok && ofRole(func(s *hsm.RoleState, _ string) bool { set(s); return true })(r, "")
}
