// SPDX-License-Identifier: Apache-2.0

package assess

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

func TestJudge_SaysWhatMustNotBeAttached(t *testing.T) {
	for name, c := range map[string]struct {
		world func() *lab
		bend  func(*lab)
		want  bool
	}{
		"a machine re-created":             {atRest3, func(l *lab) { l.recreate("w1") }, true},
		"a node younger than its data":     {atRest3, func(l *lab) { l.node("w1").Created = ago(time.Hour) }, true},
		"a disk that is not ready":         {atRest3, func(l *lab) { l.disk("w1").Ready = cluster.No }, true},
		"a disk that is there twice":       {atRest2, func(l *lab) { l.disk("w3").UUID = "disk-w1" }, true},
		"a disk at another path":           {atRest3, func(l *lab) { l.disk("w1").Path = "/mnt" }, true},
		"a disk that is not configured":    {atRest3, func(l *lab) { l.disk("w1").Declared = false }, true},
		"a directory that is blank":        {atRest3, then(func(l *lab) { l.v("data").Used = 1 }, look(cluster.SeenBlank)), true},
		"a directory that is broken":       {atRest3, look(cluster.SeenBroken), true},
		"another disk in its place":        {atRest3, look(cluster.SeenOtherDisk), true},
		"nobody answers what is there":     {atRest3, look(cluster.SeenNoAnswer), false},
		"a volume on its way to be served": {atRest3, func(l *lab) { l.recreate("w1"); l.v("data").State = cluster.Attaching }, true},
		"a node that is gone":              {atRest3, func(l *lab) { l.remove("w1") }, false},
		"a failed replica":                 {atRest3, func(l *lab) { l.recreate("w1"); l.r(0).Claim = cluster.Failed }, false},
		"a replica that is being deleted":  {atRest3, func(l *lab) { l.recreate("w1"); l.r(0).Deleting = true }, false},
		"a volume that serves":             {serving3, func(l *lab) { l.recreate("w3"); l.r(2).Claim = cluster.Idle }, false},
		"a volume that is lost":            {atRest2, func(l *lab) { l.recreate("w1"); l.recreate("w2") }, false},
		"all is well":                      {atRest3, func(*lab) {}, false},
	} {
		l := c.world()
		c.bend(l)
		fs := l.judge().Volume("data").Findings
		if got := slices.Contains(codes(fs, Note), VolumeUnsafeToAttach); got != c.want {
			t.Errorf("%s: said %t\n%s", name, got, say(fs))
		}
		for _, f := range fs { // what is not to be attached nobody is told to have attached
			if f.Code == VolumeDegraded && (f.Advice == VolumeUnsafeToAttach) != c.want {
				t.Errorf("%s: the advice about %s is that of %q", name, f.Code, f.Advice)
			}
		}
	}
}

func TestJudge_WhatIsAtRestSaysWhatWasNotSeen(t *testing.T) {
	evidence := func(l *lab) []cluster.Fact { return l.judge().Volume("data").Replicas[0].Evidence }
	if e := evidence(atRest3()); len(e) != 2 || !strings.Contains(e[0].Value, "--probe") || e[0].Name != "replica.directory" || e[1].Name != "replica.data" {
		t.Errorf("at rest: %v", e)
	}
	if e := evidence(serving3()); len(e) != 0 {
		t.Errorf("serving: %v", e)
	}
}
