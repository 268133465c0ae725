// SPDX-License-Identifier: Apache-2.0

package cluster

// Knob is a value of a storage's own that a roll may set aside for a time, and
// then puts back as it was. What it is called and what its values mean is the
// storage's business.
type Knob struct {
	Name string
	// UID is the identity of the object that holds it.
	UID UID
	// Value is what it is now, Aside what it is set to.
	Value string
	Aside string
}

// IsAside reports whether the knob is there and set aside already.
func (k *Knob) IsAside() bool { return k != nil && k.Value == k.Aside }
