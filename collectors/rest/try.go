package rest

import "context"

// Try logs in, unless there is a session, and reads one resource, which needs no HSM:
// the version of the appliance's software. Its errors are those of [API.Get].
func (r *API) Try(ctx context.Context) (software string, err error) {
	software, err = resource(ctx, r, root, readVersion)
	if oldAPI(err) && r.older() {
		software, err = resource(ctx, r, root, readVersion)
	}
	return software, err
}
