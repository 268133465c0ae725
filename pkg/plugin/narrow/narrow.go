// SPDX-License-Identifier: Apache-2.0

package narrow

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// Object is one object, decoded as far as the three type parameters say.
type Object[Meta Named, Spec, Status any] struct {
	Kind     string `json:"kind"`
	Metadata Meta   `json:"metadata"`
	Spec     Spec   `json:"spec"`
	Status   Status `json:"status"`
}

// Named is metadata that keeps the object's name.
type Named interface {
	// Called is metadata.name.
	Called() string
}

// Decode decodes an object of the named kind from JSON. Items of a list need not
// repeat their kind; one that names another kind is an error, and so is one
// without a name.
func Decode[Meta Named, Spec, Status any](kind string, item []byte) (*Object[Meta, Spec, Status], error) {
	o := new(Object[Meta, Spec, Status])
	if err := json.Unmarshal(item, o); err != nil {
		return nil, err
	}
	if o.Kind != "" && o.Kind != kind {
		return nil, fmt.Errorf("it is a %s", o.Kind)
	}
	if o.Metadata.Called() == "" {
		return nil, errors.New("it has no name")
	}
	return o, nil
}

// Condition is one of an object's conditions. The time is only evidence, so an
// odd one is no error.
type Condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Changed string `json:"lastTransitionTime"`
}

// Conditions are an object's conditions.
type Conditions []Condition

// Of returns the answer and the reason of the condition of that type; Unknown
// where there is none, and where its status is any other word.
func (cs Conditions) Of(name string) (cluster.Answer, string) {
	for _, c := range cs {
		if c.Type != name {
			continue
		}
		switch c.Status {
		case "True":
			return cluster.Yes, c.Reason
		case "False":
			return cluster.No, c.Reason
		default:
			return cluster.Unknown, c.Reason
		}
	}
	return cluster.Unknown, ""
}

// Newest returns the newest time in the conditions, zero where there is none.
func (cs Conditions) Newest() time.Time {
	var newest time.Time
	for _, c := range cs {
		if at, err := time.Parse(time.RFC3339, c.Changed); err == nil && at.After(newest) {
			newest = at.UTC()
		}
	}
	return newest
}
