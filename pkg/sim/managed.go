// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"encoding/json"

	"k8s.io/apimachinery/pkg/types"
)

// managed are, by the UIDs of objects, the fields that our last change of each
// has set, as a server keeps them in managedFields. Those of others are not kept:
// what they set again after us passes for ours here, as on a server that keeps no
// managedFields.
type managed map[types.UID]json.RawMessage

// note takes in a change that took effect. What cannot be read was refused before.
func (m managed) note(uid types.UID, patch []byte) {
	var p map[string]any
	if json.Unmarshal(patch, &p) != nil {
		return
	}
	fields, err := json.Marshal(fieldsOf(p))
	if err != nil {
		return
	}
	m[uid] = fields
}

// fieldsOf names what a patch sets, as managedFields do.
func fieldsOf(patch map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range patch {
		sub, _ := v.(map[string]any)
		out["f:"+k] = fieldsOf(sub)
	}
	return out
}

// into adds to an object what a server keeps of it.
func (m managed) into(raw []byte, uid types.UID, version string) []byte {
	kept := `"metadata":{"resourceVersion":"` + version + `",`
	if fields := m[uid]; fields != nil {
		kept += `"managedFields":[{"manager":"kubectl-safe-roll","operation":"Update","fieldsV1":` + string(fields) + `}],`
	}
	return bytes.Replace(raw, []byte(`"metadata":{`), []byte(kept), 1)
}
