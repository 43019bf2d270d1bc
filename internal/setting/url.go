package setting

import (
	"errors"
	"net/url"
	"strconv"
)

// ValidateURL returns what is wrong with a URL. The error does not hold it: it
// may hold a secret.
func ValidateURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return errors.New("not a URL such as https://host/path")
	case u.User != nil:
		return errors.New("holds a user or a password; secrets are only read from files")
	case u.Port() != "":
		if n, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || n == 0 {
			return errors.New("its port is out of range; 1 to 65535 is allowed")
		}
	}
	return nil
}
