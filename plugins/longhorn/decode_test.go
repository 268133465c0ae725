// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/policy"
)

// TestReader_OddObjectsAreRightOrAnError: what Longhorn, an older version of it
// or another hand may write is read as it is meant, or not at all; it is never
// taken for nothing where nothing would be good news.
func TestReader_OddObjectsAreRightOrAnError(t *testing.T) {
	for name, c := range map[string]struct {
		kind, spec, status string
		ok                 bool
	}{
		"a number in a string is no number of replicas": {volumes, `"numberOfReplicas":"3"`, ``, false},
		"nor is half a replica":                         {volumes, `"numberOfReplicas":1.5`, ``, false},
		"nor more than fits":                            {volumes, `"numberOfReplicas":99999999999999999999`, ``, false},
		"sizes are numbers":                             {volumes, `"size":5`, `"actualSize":5`, true},
		"sizes are numbers in strings":                  {volumes, `"size":"5"`, `"actualSize":"5"`, true},
		"sizes may be absent":                           {volumes, `"size":""`, `"actualSize":null`, true},
		"a size with a unit is none":                    {volumes, `"size":"5Gi"`, ``, false},
		"a size that is a float is none":                {volumes, `"size":5e9`, ``, false},
		"a size that is a list is none":                 {volumes, `"size":[5]`, ``, false},
		"lists and maps may be null": {volumes, `"nodeSelector":null,"diskSelector":null`,
			`"conditions":null,"kubernetesStatus":null,"cloneStatus":null`, true},
		"tags that are no list":              {volumes, `"nodeSelector":"ssd"`, ``, false},
		"conditions that are a map":          {volumes, ``, `"conditions":{"Restore":{"status":"True"}}`, false},
		"a field that is there twice":        {volumes, `"numberOfReplicas":1,"numberOfReplicas":3`, ``, false},
		"one that is not read, twice":        {volumes, `"more":1,"more":3`, ``, false},
		"one inside of one that is not read": {volumes, `"more":{"a":1,"a":2}`, ``, false},
		"a word of a broken encoding":        {volumes, `"nodeID":"` + "\xff" + `"`, ``, false},
		"one that is not read":               {volumes, `"more":"` + "\xff" + `"`, ``, false},
		"half of a surrogate":                {volumes, `"nodeID":"\ud800"`, ``, false},
		"a flag in a string":                 {volumes, `"Standby":"true"`, ``, false},

		"a retry count in a string":      {replicas, `"volumeName":"v","rebuildRetryCount":"5"`, ``, false},
		"a failure that is no time":      {replicas, `"volumeName":"v","failedAt":true`, ``, false},
		"a failure in seconds":           {replicas, `"volumeName":"v","failedAt":1767261600`, ``, false},
		"a failure twice":                {replicas, `"volumeName":"v","failedAt":"2026-01-01T10:00:00Z","failedAt":""`, ``, false},
		"times that are null":            {replicas, `"volumeName":"v","healthyAt":null,"failedAt":null`, ``, true},
		"an activity in a string":        {replicas, `"volumeName":"v","active":"true"`, ``, false},
		"a wish to move in a string":     {replicas, `"volumeName":"v","evictionRequested":"true"`, ``, false},
		"progress in a string":           {engines, `"volumeName":"v"`, `"rebuildStatus":{"tcp://a:1":{"progress":"5"}}`, false},
		"a rebuild that is a list":       {engines, `"volumeName":"v"`, `"rebuildStatus":[]`, false},
		"a replica's mode twice":         {engines, `"volumeName":"v"`, `"replicaModeMap":{"r":"ERR","r":"RW"}`, false},
		"no modes":                       {engines, `"volumeName":"v"`, `"replicaModeMap":null,"purgeStatus":null,"rebuildStatus":null,"restoreStatus":null,"snapshots":null`, true},
		"a purge of null":                {engines, `"volumeName":"v"`, `"purgeStatus":{"a":null}`, true},
		"a snapshot twice":               {engines, `"volumeName":"v"`, `"snapshots":{"a":{},"a":{}}`, false},
		"space in strings":               {nodes, `"disks":{"d":{"path":"/d","storageReserved":"5"}}`, `"diskStatus":{"d":{"storageMaximum":"9"}}`, true},
		"no disks":                       {nodes, `"disks":null,"tags":null`, `"diskStatus":null,"conditions":null`, true},
		"a disk that is null":            {nodes, `"disks":{"d":null}`, `"diskStatus":{"d":null}`, true},
		"a disk twice":                   {nodes, `"disks":{"d":{"path":"/a"},"d":{"path":"/b"}}`, ``, false},
		"disks that are a list":          {nodes, `"disks":[{"path":"/a"}]`, ``, false},
		"tickets that are null":          {attachments, `"volume":"v","attachmentTickets":null`, ``, true},
		"a ticket twice":                 {attachments, `"volume":"v","attachmentTickets":{"a":{"type":"csi-attacher"},"a":{}}`, ``, false},
		"an orphan with a number for it": {orphans, `"nodeID":"n","parameters":{"DataName":5}`, ``, false},
		"a map of nodes in words":        {engineImages, `"image":"i"`, `"nodeDeploymentMap":{"w1":"true"}`, false},
	} {
		item := fmt.Sprintf(`{"metadata":{"name":"x","uid":"u"},"spec":{%s},"status":{%s}}`, c.spec, c.status)
		if err := NewReader().Put(kindOf(c.kind), []byte(item)); (err == nil) != c.ok {
			t.Errorf("%s: %s: %v", name, item, err)
		}
	}
	for item, ok := range map[string]bool{
		`{"metadata":{"name":"auto-salvage"},"value":"true"}`:                 true,
		`{"metadata":{"name":"auto-salvage"},"value":"true","value":"false"}`: false,
		`{"metadata":{"name":"auto-salvage"},"value":true}`:                   false,
	} {
		if err := NewReader().Put(kindOf(settings), []byte(item)); (err == nil) != ok {
			t.Errorf("%s: %v", item, err)
		}
	}
}

// TestReader_NamesAreThoseOfLonghornToTheLetter: the API server takes a field of
// another spelling for another field, and drops it.
func TestReader_NamesAreThoseOfLonghornToTheLetter(t *testing.T) {
	const failed = "2026-01-01T10:00:00Z"
	standby := read(t, "1.8").set("Volume/vol", "spec.Standby", true).volume()
	if standby.Class != cluster.ClassStandby {
		t.Errorf("Standby: %v", standby.Class)
	}
	if v := read(t, "1.8").set("Volume/vol", "spec.standby", true).volume(); v.Class != cluster.ClassOrdinary {
		t.Errorf("standby is no field of Longhorn: %v", v.Class)
	}
	if v := read(t, "1.8").set("Replica/vol-r2", "spec.failedAt", failed).volume(); v.Replicas[1].Claim != cluster.Failed {
		t.Errorf("failedAt: %v", v.Replicas[1].Claim)
	}
	f := read(t, "1.8").add(`{"kind":"Setting","metadata":{"name":"auto-salvage"},"value":"true","Value":"false"}`)
	if st, _ := f.storage(); settingOf(st, "auto-salvage") != "true" {
		t.Errorf("settings %+v", st.Settings)
	}
}

func settingOf(st cluster.Storage, name string) string {
	for _, s := range st.Settings {
		if s.Name == name {
			return s.Value
		}
	}
	return ""
}

// TestReader_AReplicaThatCannotBeDecodedIsNotLost: of all that a volume has it
// may be the one that holds the data.
func TestReader_AReplicaThatCannotBeDecodedIsNotLost(t *testing.T) {
	whole := `{"metadata":{"name":"vol-r2","uid":"u-r2"},"spec":{"volumeName":"vol","rebuildRetryCount":%s}}`
	for what, odd := range map[string]string{
		"a number in a string": fmt.Sprintf(whole, `"0"`),
		"a field twice":        fmt.Sprintf(whole, `0,"active":true,"active":false`),
		"a broken encoding":    fmt.Sprintf(whole, "0,\"nodeID\":\"\xff\""),
	} {
		f := read(t, "1.8").detach()
		f.items = slices.DeleteFunc(f.items, func(o map[string]any) bool { _, n := name(o); return n == "vol-r2" })
		f.set("Replica/vol-r1", "spec.failedAt", "2026-01-01T10:00:00Z")
		r := f.reader()
		before, _ := r.Storage()
		if j := judged(before); j.Volumes[0].Condition != assess.Lost {
			t.Fatalf("without any other replica the volume is %s", j.Volumes[0].Condition)
		}
		if err := r.Put(kindOf(replicas), []byte(odd)); err == nil {
			t.Fatalf("%s: %s was taken", what, odd)
		}
		st, _ := r.Storage()
		if got := st.Volumes[0].Replicas; len(got) != 2 || got[1].Name != "vol-r2" || got[1].Claim != cluster.ClaimUnknown || got[1].Doubts[0].Code != codeUnknownValue {
			t.Fatalf("%s: replicas %+v", what, got)
		}
		if j := judged(st); j.Volumes[0].Condition != assess.ConditionUnknown || j.Verdict == cluster.Safe {
			t.Errorf("%s: the volume is %s, the verdict %s", what, j.Volumes[0].Condition, j.Verdict)
		}
		r.Drop(kindOf(replicas), "u-r2")
		if st, _ := r.Storage(); len(st.Volumes[0].Replicas) != 1 {
			t.Errorf("%s: it is still there after it was deleted", what)
		}
	}
	for _, item := range []string{`{`, `{"metadata":{"uid":"u"},"spec":{"volumeName":"vol"}}`, `{"metadata":{"name":"x"},"spec":{"volumeName":5}}`} {
		r := NewReader()
		if err := r.Put(kindOf(replicas), []byte(item)); err == nil || r.replicas.Len() != 0 {
			t.Errorf("%s: %v, kept %d", item, err, r.replicas.Len())
		}
	}
}

// judged judges the storage with a live machine for each of its nodes.
func judged(st cluster.Storage) *assess.Judgement {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := &cluster.Snapshot{Source: cluster.SourceLive, Storages: []cluster.Storage{st}, Look: cluster.Look{Began: now, Ended: now, Fresh: true}}
	for _, n := range st.Nodes {
		s.Nodes = append(s.Nodes, cluster.Node{
			Ref: cluster.NodeRef{Name: n.Name, UID: cluster.UID("k-" + n.Name)}, Created: now.Add(-1000 * time.Hour),
			Ready: yes, LeaseRenewed: now, LeaseDuration: time.Minute,
		})
	}
	return assess.Judge(s, policy.Default(), now)
}
