// SPDX-License-Identifier: Apache-2.0

package scale

import (
	"encoding/json"
	"maps"
)

// stored turns an object into what a server stores: with the managed fields
// that it keeps of whoever wrote which field, half of the size of many objects.
// The status is taken to be written by itself.
func stored(object any, manager string) (map[string]any, error) {
	raw, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	var o map[string]any
	if err := json.Unmarshal(raw, &o); err != nil {
		return nil, err
	}
	meta := o["metadata"].(map[string]any)
	entry := func(fields map[string]any, subresource string) map[string]any {
		e := map[string]any{
			"apiVersion": o["apiVersion"], "fieldsType": "FieldsV1", "fieldsV1": fields,
			"manager": manager, "operation": "Update", "time": meta["creationTimestamp"],
		}
		if subresource != "" {
			e["subresource"] = subresource
		}
		return e
	}
	main := maps.Clone(o)
	delete(main, "status")
	delete(main, "apiVersion")
	delete(main, "kind")
	owned := maps.Clone(meta)
	for _, given := range []string{"name", "namespace", "uid", "creationTimestamp", "generation"} {
		delete(owned, given)
	}
	main["metadata"] = owned
	managed := []any{entry(fields(main), "")}
	if status, ok := o["status"]; ok {
		managed = append(managed, entry(fields(map[string]any{"status": status}), "status"))
	}
	meta["managedFields"] = managed
	return o, nil
}

// fields is the set of fields of a value, as FieldsV1 spells it.
func fields(v map[string]any) map[string]any {
	out := make(map[string]any, len(v))
	for name, value := range v {
		inner := map[string]any{}
		if m, ok := value.(map[string]any); ok {
			inner = fields(m)
			inner["."] = map[string]any{}
		}
		out["f:"+name] = inner
	}
	return out
}
