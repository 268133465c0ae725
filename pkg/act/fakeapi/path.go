// SPDX-License-Identifier: Apache-2.0

package fakeapi

import "strings"

// place is where a path points to.
type place struct {
	collection string // the path without name and subresource
	resource   string
	group      string
	version    string
	namespace  string
	name       string
	sub        string
}

// path returns the path of the object of that name in the same collection.
func (p place) path(name string) string { return p.collection + "/" + name }

// parse takes apart /api/v1/... and /apis/GROUP/VERSION/...
func parse(path string) (place, error) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var p place
	var n int
	switch {
	case len(parts) > 2 && parts[0] == "api":
		p.version, n = parts[1], 2
	case len(parts) > 3 && parts[0] == "apis":
		p.group, p.version, n = parts[1], parts[2], 3
	default:
		return p, errPath
	}
	if len(parts) > n+2 && parts[n] == "namespaces" {
		p.namespace = parts[n+1]
		n += 2
	}
	p.resource = parts[n]
	p.collection = "/" + strings.Join(parts[:n+1], "/")
	rest := parts[n+1:]
	if len(rest) > 0 {
		p.name = rest[0]
	}
	if len(rest) > 1 {
		p.sub = rest[1]
	}
	if len(rest) > 2 {
		return p, errPath
	}
	return p, nil
}

// apiVersion returns the group and version as objects carry them.
func (p place) apiVersion() string {
	if p.group == "" {
		return p.version
	}
	return p.group + "/" + p.version
}
