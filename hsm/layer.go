package hsm

import "strings"

// A Layer is what is dead on the way to an HSM: the outermost part that does not work,
// as far as an attempt could tell.
type Layer string

// The layers, from the name of the appliance to the HSM in it.
const (
	LayerUnknown     Layer = ""             // nothing failed, it is not known where, or it was no matter of the way
	LayerName        Layer = "name"         // the name has no address
	LayerRoute       Layer = "route"        // no network leads there
	LayerNoAnswer    Layer = "no-answer"    // nothing came back
	LayerPortRefused Layer = "port-refused" // the host answers; the service does not run
	LayerHandshake   Layer = "handshake"    // connected, but SSH or TLS was not agreed on
	LayerIdentity    Layer = "host-key"     // the host key or certificate is another
	LayerAccount     Layer = "login"        // the account was refused
	LayerShell       Layer = "shell"        // logged in, but LunaSH or the web service is silent
	LayerCard        Layer = "hsm"          // the appliance answers, its HSM does not
	LayerSessionLost Layer = "session-lost" // it worked, and ended in its midst
)

var layerWords = map[Layer]string{
	LayerName: "name not resolved", LayerRoute: "no route", LayerNoAnswer: "no answer", LayerPortRefused: "port refused", LayerHandshake: "handshake failed",
	LayerIdentity: "identity not proven", LayerAccount: "login failed", LayerShell: "shell or service silent", LayerCard: "HSM silent", LayerSessionLost: "session lost",
}

// Layers returns all layers but LayerUnknown, from the outermost inwards.
func Layers() []Layer {
	return []Layer{LayerName, LayerRoute, LayerNoAnswer, LayerPortRefused, LayerHandshake, LayerIdentity, LayerAccount, LayerShell, LayerCard, LayerSessionLost}
}

// OfNetwork reports whether l means that there is no connection: others on the network may
// have one.
func (l Layer) OfNetwork() bool {
	return l == LayerName || l == LayerRoute || l == LayerNoAnswer || l == LayerPortRefused
}

// Words are l in plain words, such as "port refused"; "" for LayerUnknown.
func (l Layer) Words() string { return layerWords[l] }

// Explain returns what failed at l as views show it: it begins with the words of l.
func (l Layer) Explain(why string) string {
	words := l.Words()
	if words == "" || strings.HasPrefix(why, words) {
		return why
	}
	return words + ": " + why
}
