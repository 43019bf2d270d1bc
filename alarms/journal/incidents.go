package journal

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Incidents are the alarms that receivers take to be active, by receiver. They
// are stored beside the state: should that be lost, somebody has to close them
// by hand. The file also distinguishes a lost state from a first start.
type Incidents map[string][]string

const incidentsFile = "incidents.json"

// readIncidents returns what was stored, and whether anything was.
func readIncidents(directory string) (open Incidents, stored bool) {
	text, err := os.ReadFile(filepath.Join(directory, incidentsFile))
	if json.Unmarshal(text, &open) != nil {
		open = nil
	}
	return open, !errors.Is(err, fs.ErrNotExist)
}

// StoreIncidents stores open if it differs from what is stored.
func (j *Journal) StoreIncidents(open Incidents) error {
	text, err := json.Marshal(open)
	if err != nil || string(text) == j.incidents {
		return err
	}
	file := filepath.Join(filepath.Dir(j.file), incidentsFile)
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	if err := os.Rename(file+".new", file); err != nil {
		return err
	}
	j.incidents = string(text)
	return nil
}
