// SPDX-License-Identifier: Apache-2.0

package longhorn

import (
	"testing"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// TestReader_ClaimsOfAReplica changes one thing at a time about replica r2 of
// an attached or a detached volume.
func TestReader_ClaimsOfAReplica(t *testing.T) {
	const r, e = "Replica/vol-r2", "Engine/vol-e"
	modes := func(mode string) map[string]any { return map[string]any{"vol-r1": "RW", "vol-r2": mode} }
	build := func(address, state string, is bool) map[string]any {
		return map[string]any{address: map[string]any{"isRebuilding": is, "progress": 40.0, "state": state}}
	}
	failed := func(address string) map[string]any {
		return map[string]any{address: map[string]any{"error": "no space left on device"}}
	}
	later := "2026-01-01T11:00:00Z"
	// A doubt leaves no more than the claim that it comes with.
	atMost := map[cluster.Claim]cluster.Standing{
		cluster.ClaimUnknown: cluster.StandingUnknown, cluster.Failed: cluster.StandingFailed, cluster.Rebuilding: cluster.StandingRebuilding,
	}
	for name, c := range map[string]struct {
		attached bool
		change   func(*fixture)
		want     cluster.Claim
		code     string
		progress int
	}{
		"attached": {true, func(*fixture) {}, cluster.Serving, "", 0},
		"detached": {false, func(*fixture) {}, cluster.Idle, "", 0},

		// What is not counted says nothing.
		"not scheduled":         {true, func(f *fixture) { f.set(r, "spec.nodeID", "") }, cluster.Placeholder, "", 0},
		"inactive":              {true, func(f *fixture) { f.set(r, "spec.active", false) }, cluster.Placeholder, "", 0},
		"of another engine":     {true, func(f *fixture) { f.set(r, "spec.engineName", "vol-e-1") }, cluster.Placeholder, "", 0},
		"of another, failed":    {true, func(f *fixture) { f.set(r, "spec.engineName", "x").set(r, "spec.failedAt", later) }, cluster.Placeholder, "", 0},
		"no engine":             {false, func(f *fixture) { f.drop("Engine") }, cluster.ClaimUnknown, codeNoEngine, 0},
		"no active engine":      {false, func(f *fixture) { f.set(e, "spec.active", false) }, cluster.ClaimUnknown, codeNoEngine, 0},
		"the engine is deleted": {false, func(f *fixture) { f.set(e, "metadata.deletionTimestamp", later) }, cluster.ClaimUnknown, codeNoEngine, 0},
		"no engine, but failed": {false, func(f *fixture) { f.drop("Engine").set(r, "spec.failedAt", later) }, cluster.Failed, "", 0},
		"two active engines": {true, func(f *fixture) {
			f.add(`{"kind":"Engine","metadata":{"name":"e2","uid":"e2"},"spec":{"volumeName":"vol","active":true}}`)
		}, cluster.ClaimUnknown, codeNoEngine, 0},
		"an inactive one beside": {true, func(f *fixture) {
			f.add(`{"kind":"Engine","metadata":{"name":"e2","uid":"e2"},"spec":{"volumeName":"vol"}}`)
		}, cluster.Serving, "", 0},

		// A mark of failure outranks what an engine lists.
		"failed":               {false, func(f *fixture) { f.set(r, "spec.failedAt", later) }, cluster.Failed, "", 0},
		"failed, still listed": {true, func(f *fixture) { f.set(r, "spec.failedAt", later) }, cluster.Failed, "", 0},
		"retries exhausted":    {false, func(f *fixture) { f.set(r, "spec.rebuildRetryCount", 5) }, cluster.Failed, codeRetries, 0},
		"failed for good":      {false, func(f *fixture) { f.set(r, "spec.failedAt", later).set(r, "spec.rebuildRetryCount", 5) }, cluster.Failed, codeRetries, 0},
		"made to be filled": {true, func(f *fixture) {
			f.set(e, "status.replicaModeMap", modes("WO")).set(r, "spec.rebuildRetryCount", 5).set(r, "spec.healthyAt", "")
		}, cluster.Rebuilding, "", 0},
		"filled, not yet noted": {true, func(f *fixture) {
			f.set(r, "spec.rebuildRetryCount", 5).set(r, "spec.healthyAt", "")
		}, cluster.Rebuilding, codeNeverHealthy, 0},
		"made to be filled, left": {false, func(f *fixture) {
			f.set(r, "spec.rebuildRetryCount", 5).set(r, "spec.healthyAt", "")
		}, cluster.Failed, codeRetries, 0},
		"retries exhausted, still listed": {true, func(f *fixture) { f.set(r, "spec.rebuildRetryCount", 5) }, cluster.Failed, codeRetries, 0},
		"failed for good while filled": {true, func(f *fixture) {
			f.set(r, "spec.rebuildRetryCount", 5).set(r, "spec.healthyAt", "").set(r, "spec.failedAt", later)
		}, cluster.Failed, codeRetries, 0},
		"retries not exhausted": {false, func(f *fixture) { f.set(r, "spec.rebuildRetryCount", 4) }, cluster.Idle, "", 0},

		// What a running engine lists.
		"written": {true, func(f *fixture) { f.set(e, "status.replicaModeMap", modes("WO")) }, cluster.Rebuilding, "", 0},
		"written, with progress": {true, func(f *fixture) {
			f.set(e, "status.replicaModeMap", modes("WO")).set(e, "status.rebuildStatus", build("tcp://10.0.0.2:10000", "in_progress", true))
		}, cluster.Rebuilding, "", 40},
		"in error":            {true, func(f *fixture) { f.set(e, "status.replicaModeMap", modes("ERR")) }, cluster.Failed, "", 0},
		"a mode never seen":   {true, func(f *fixture) { f.set(e, "status.replicaModeMap", modes("RO")) }, cluster.ClaimUnknown, codeUnknownValue, 0},
		"no mode, an address": {true, func(f *fixture) { f.set(e, "status.replicaModeMap", map[string]any{"vol-r1": "RW"}) }, cluster.Rebuilding, "", 0},
		"no mode, no address": {true, func(f *fixture) {
			f.set(e, "status.replicaModeMap", map[string]any{"vol-r1": "RW"}).set(e, "status.currentReplicaAddressMap", nil)
		}, cluster.ClaimUnknown, codeNotInEngine, 0},
		"new, not yet added": {true, func(f *fixture) {
			f.set(e, "status.replicaModeMap", map[string]any{"vol-r1": "RW"}).set(e, "status.currentReplicaAddressMap", nil).set(r, "spec.healthyAt", "").set(r, "spec.lastHealthyAt", "")
		}, cluster.Untouched, "", 0},
		"the engine is silent":  {true, func(f *fixture) { f.set(e, "status.replicaModeMap", nil) }, cluster.ClaimUnknown, codeEngineSilent, 0},
		"rebuilt in place":      {true, func(f *fixture) { f.set(e, "status.rebuildStatus", build("tcp://10.0.0.2:10000", "in_progress", true)) }, cluster.Rebuilding, codeInPlace, 40},
		"rebuilt in place, old": {true, func(f *fixture) { f.set(e, "status.rebuildStatus", build("10.0.0.2:10000", "", true)) }, cluster.Rebuilding, codeInPlace, 40},
		"rebuilt, finished":     {true, func(f *fixture) { f.set(e, "status.rebuildStatus", build("tcp://10.0.0.2:10000", "complete", false)) }, cluster.Serving, "", 0},
		"purge failed":          {true, func(f *fixture) { f.set(e, "status.purgeStatus", failed("tcp://10.0.0.2:10000")) }, cluster.ClaimUnknown, codeAboutToFail, 0},
		"restore failed":        {true, func(f *fixture) { f.set(e, "status.restoreStatus", failed("tcp://10.0.0.2:10000")) }, cluster.ClaimUnknown, codeAboutToFail, 0},
		"purge of another":      {true, func(f *fixture) { f.set(e, "status.purgeStatus", failed("tcp://10.0.0.1:10000")) }, cluster.Serving, "", 0},
		"listed, in error":      {true, func(f *fixture) { f.set(r, "status.currentState", "error") }, cluster.ClaimUnknown, codeAboutToFail, 0},
		"listed, stopped":       {true, func(f *fixture) { f.set(r, "status.currentState", "stopped") }, cluster.ClaimUnknown, codeReplicaState, 0},
		"listed, says nothing":  {true, func(f *fixture) { f.set(r, "status.currentState", "") }, cluster.ClaimUnknown, codeReplicaState, 0},
		"listed, no address":    {true, func(f *fixture) { f.set(e, "status.currentReplicaAddressMap", nil) }, cluster.ClaimUnknown, codeAddress, 0},
		"listed, one address": {true, func(f *fixture) {
			f.set(e, "status.currentReplicaAddressMap", map[string]any{"vol-r1": "10.0.0.2:10000", "vol-r2": "10.0.0.2:10000"})
		}, cluster.ClaimUnknown, codeAddress, 0},
		"never healthy": {true, func(f *fixture) { f.set(r, "spec.healthyAt", "") }, cluster.Rebuilding, codeNeverHealthy, 0},

		// An engine that neither runs nor is stopped.
		"engine unknown":      {true, func(f *fixture) { f.set(e, "status.currentState", "unknown") }, cluster.ClaimUnknown, codeEngineState, 0},
		"engine in error":     {true, func(f *fixture) { f.set(e, "status.currentState", "error") }, cluster.ClaimUnknown, codeEngineState, 0},
		"engine stopping":     {true, func(f *fixture) { f.set(e, "status.currentState", "stopping") }, cluster.ClaimUnknown, codeEngineState, 0},
		"engine, a new state": {true, func(f *fixture) { f.set(e, "status.currentState", "dreaming") }, cluster.ClaimUnknown, codeEngineState, 0},
		"engine never seen":   {false, func(f *fixture) { f.set(e, "status", map[string]any{}) }, cluster.Idle, "", 0},

		// What a stopped replica says of itself.
		"old map, stopped engine":   {false, func(f *fixture) { f.set(e, "status.replicaModeMap", modes("RW")).set(r, "spec.healthyAt", "") }, cluster.Rebuilding, "", 0},
		"failed since":              {false, func(f *fixture) { f.set(r, "spec.lastFailedAt", later) }, cluster.ClaimUnknown, codeFailedSince, 0},
		"failed in the same second": {false, func(f *fixture) { f.set(r, "spec.lastFailedAt", "2026-01-01T10:01:00Z") }, cluster.ClaimUnknown, codeFailedSince, 0},
		"failed before":             {false, func(f *fixture) { f.set(r, "spec.lastFailedAt", "2026-01-01T10:00:30Z") }, cluster.Idle, "", 0},
		"failed, never healthy": {false, func(f *fixture) {
			f.set(r, "spec.lastFailedAt", later).set(r, "spec.lastHealthyAt", "").set(r, "spec.healthyAt", "")
		}, cluster.ClaimUnknown, codeFailedSince, 0},
		"failed since, but serves": {true, func(f *fixture) { f.set(r, "spec.lastFailedAt", later) }, cluster.Serving, "", 0},
		"never used":               {false, func(f *fixture) { f.set(r, "spec.healthyAt", "").set(r, "spec.lastHealthyAt", "") }, cluster.Untouched, "", 0},
		"a rebuild had begun":      {false, func(f *fixture) { f.set(r, "spec.healthyAt", "") }, cluster.Rebuilding, "", 0},
		"its process in error":     {false, func(f *fixture) { f.set(r, "status.currentState", "error") }, cluster.ClaimUnknown, codeReplicaState, 0},
		"its process unknown":      {false, func(f *fixture) { f.set(r, "status.currentState", "unknown") }, cluster.ClaimUnknown, codeReplicaState, 0},
		"its process, a new state": {false, func(f *fixture) { f.set(r, "status.currentState", "dreaming") }, cluster.ClaimUnknown, codeUnknownValue, 0},
		"its process did not start": {false, func(f *fixture) {
			f.set(r, "status.conditions", []any{map[string]any{"type": "Other", "status": "True"}, map[string]any{"type": "InstanceCreation", "status": "False"}})
		}, cluster.ClaimUnknown, codeNoStart, 0},
		"its process runs": {false, func(f *fixture) { f.set(r, "status.currentState", "running") }, cluster.Idle, "", 0},
	} {
		f := read(t, "1.8")
		if !c.attached {
			f.detach()
		}
		c.change(f)
		got := f.volume().Replicas[1]
		code := ""
		if len(got.Doubts) > 0 {
			code = got.Doubts[0].Code
			if most := atMost[got.Claim]; got.Doubts[0].AtMost != most {
				t.Errorf("%s: a doubt that leaves %s of what is %s at most", name, got.Doubts[0].AtMost, most)
			}
		}
		if got.Claim != c.want || code != c.code || got.Progress != c.progress {
			t.Errorf("%s: claim %d, doubt %q, progress %d; want %d, %q, %d", name, got.Claim, code, got.Progress, c.want, c.code, c.progress)
		}
	}
}

func TestReader_AReplicaIsLeavingUnderEitherFieldName(t *testing.T) {
	for _, field := range []string{"spec.evictionRequested", "status.evictionRequested"} {
		v := read(t, "1.8").set("Replica/vol-r1", field, true).volume()
		if !v.Replicas[0].Leaving || v.Replicas[1].Leaving {
			t.Errorf("%s: leaving %t and %t, want the first", field, v.Replicas[0].Leaving, v.Replicas[1].Leaving)
		}
	}
	v := read(t, "1.8").set("Replica/vol-r1", "metadata.deletionTimestamp", "2026-01-01T11:00:00Z").volume()
	if !v.Replicas[0].Deleting {
		t.Error("a replica with a deletion timestamp is not being deleted")
	}
}

func TestCodes_DocumentEveryDoubt(t *testing.T) {
	documented := map[string]bool{}
	for _, d := range New().Codes() {
		if d.Code == "" || d.Means == "" || d.Remedy == "" || documented[d.Code] {
			t.Errorf("code %+v is not documented once", d)
		}
		documented[d.Code] = true
	}
	for _, c := range []string{
		codeNoEngine, codeEngineState, codeEngineSilent, codeNotInEngine, codeStranger, codeInPlace, codeNeverHealthy, codeReplicaState,
		codeFailedSince, codeRetries, codeFaulted, codeDegraded, codeCloneFailed, codeSharded, codeNoCount, codeUnknownValue, codeUntestedVersion,
		codeDiskChanged, codeStandby, codeMoveHalted, codeExpandFailed, codeOrphanDeletion,
	} {
		if !documented[c] {
			t.Errorf("code %s is not documented", c)
		}
	}
}

func TestClause_EveryDoubtSaysWhyInWordsOfItsOwn(t *testing.T) {
	said := map[string]string{}
	for _, c := range New().Codes() {
		words := doubt(c.Code, cluster.StandingUnknown, "state", "dreaming").Says
		if other, twice := said[words]; words == "" || twice {
			t.Errorf("%s is told as %q, and so is %q", c.Code, words, other)
		}
		said[words] = c.Code
	}
	if said[`Longhorn wrote state "dreaming", which is not known`] != codeUnknownValue {
		t.Errorf("a word that was never seen is not told: %v", said)
	}
}

func TestReader_OfAReplicaThatCannotBeReadNothingIsKnown(t *testing.T) {
	r := read(t, "1.8").reader()
	err := r.Put(kindOf(replicas), []byte(`{"metadata":{"name":"vol-r2","uid":"u-r2"},"spec":{"volumeName":"vol","nodeID":"w2","active":"yes"}}`))
	if err == nil {
		t.Fatal("it was read")
	}
	st, _ := r.Storage()
	x := st.Volumes[0].Replicas[1]
	if x.Claim != cluster.ClaimUnknown || x.Node != "" || len(x.Doubts) != 1 || x.Doubts[0].Code != codeUnknownValue || x.Doubts[0].AtMost != cluster.StandingUnknown {
		t.Errorf("%+v", x)
	}
}
