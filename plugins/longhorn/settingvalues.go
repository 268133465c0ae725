// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// settingValues are the settings' values by name; empty where none was read.
type settingValues map[string]string

// settingsOf are the reader's settings, kept until one is put or dropped. Of two
// of one name it is always the same one that is taken.
func settingsOf(r *Reader) settingValues {
	if r.values == nil {
		r.values = make(settingValues, len(r.settings))
		for _, s := range sortedBy(r.settings, func(s *setting) string { return s.Name }) {
			r.values[s.Name] = s.value
		}
	}
	return r.values
}

// decides lists the settings that decide where replicas go, or when they, or
// what protects them, may be deleted.
func decides() []string {
	return []string{
		"allow-empty-disk-selector-volume",
		"allow-empty-node-selector-volume",
		"allow-node-drain-with-last-healthy-replica",
		"auto-salvage",
		"concurrent-replica-rebuild-per-node-limit",
		"detach-manually-attached-volumes-when-cordoned",
		"disable-revision-counter",
		"disable-scheduling-on-cordoned-node",
		"kubernetes-cluster-autoscaler-enabled",
		"node-down-pod-deletion-policy",
		"node-drain-policy",
		"offline-replica-rebuilding",
		"orphan-auto-deletion",
		"orphan-resource-auto-deletion",
		"replica-auto-balance",
		"replica-disk-soft-anti-affinity",
		"replica-replenishment-wait-interval",
		"replica-soft-anti-affinity",
		"replica-zone-soft-anti-affinity",
		"storage-minimal-available-percentage",
		"storage-over-provisioning-percentage",
		"storage-reserved-percentage-for-default-disk",
		"v1-data-engine",
		"v2-data-engine",
	}
}

// decisive returns those settings that were read, sorted by name. From
// Longhorn 1.10 on some values are written per data engine, as JSON; they are
// given as the v1 engine's.
func (s settingValues) decisive() []cluster.Fact {
	var out []cluster.Fact
	for _, name := range decides() {
		if value, ok := s[name]; ok {
			out = append(out, cluster.Fact{Name: name, Value: perEngine(value)})
		}
	}
	return out
}

// perEngine picks the v1 engine's part of a value that has one for each.
func perEngine(value string) string {
	if !strings.HasPrefix(value, "{") {
		return value
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal([]byte(value), &parts) != nil {
		return value
	}
	part, ok := parts["v1"]
	if !ok {
		return value
	}
	if text, err := strconv.Unquote(string(part)); err == nil {
		return text
	}
	return string(part)
}

// soft answers whether replicas may share something: the volume's own word,
// or the setting where the volume follows it, or Longhorn's default where the
// settings were read and lack it (older versions have fewer of them).
func (s settingValues) soft(word, name string, otherwise cluster.Answer) cluster.Answer {
	switch word {
	case "enabled":
		return yes
	case "disabled":
		return no
	case "", "ignored":
	default:
		return cluster.Unknown
	}
	switch value, ok := s[name]; {
	case ok && value == "true":
		return yes
	case ok && value == "false":
		return no
	case ok || len(s) == 0:
		return cluster.Unknown
	default:
		return otherwise
	}
}

// spreads answers whether replicas that lie together are moved apart: the
// volume's own word, or the setting where the volume follows it.
func (s settingValues) spreads(word string) cluster.Answer {
	if word == "" || word == "ignored" {
		word = s["replica-auto-balance"]
	}
	switch word {
	case "disabled":
		return no
	case "least-effort", "best-effort":
		return yes
	default:
		return cluster.Unknown
	}
}
