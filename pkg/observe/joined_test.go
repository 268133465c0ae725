// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Whatever comes, changes and goes: lists that are kept are those that reading
// everything just now would make.
func TestCore_WhatIsKeptOfTheLastJoiningIsOfThePresent(t *testing.T) {
	objects := map[string]string{
		kindPod: `{"metadata":{"name":"p%[1]d","namespace":"a","uid":"p%[1]d","labels":{"app":"%[2]d"},
			"ownerReferences":[{"kind":"DaemonSet","name":"d%[2]d","controller":true}]},"spec":{"nodeName":"n%[2]d"},"status":{"phase":"Running"}}`,
		kindDaemonSet:  `{"metadata":{"name":"d%[1]d","namespace":"a","uid":"d%[1]d"}}`,
		kindBudget:     `{"metadata":{"name":"b%[1]d","namespace":"a","uid":"b%[1]d"},"spec":{"selector":{"matchLabels":{"app":"%[2]d"}}},"status":{"disruptionsAllowed":%[2]d}}`,
		kindPersistent: `{"metadata":{"name":"pv%[1]d","uid":"pv%[1]d"},"spec":{"csi":{"driver":"box","volumeHandle":"v%[2]d"}},"status":{"phase":"Bound"}}`,
		kindAttachment: `{"metadata":{"name":"va%[1]d","uid":"va%[1]d"},"spec":{"attacher":"box","nodeName":"n%[2]d","source":{"persistentVolumeName":"pv"}},"status":{"attached":true}}`,
		kindNode:       `{"metadata":{"name":"n%[1]d","uid":"n%[1]d"},"spec":{"unschedulable":true},"status":{"nodeInfo":{"bootID":"b%[2]d"}}}`,
		kindLease:      `{"metadata":{"name":"n%[1]d","namespace":"kube-node-lease","uid":"l%[1]d"},"spec":{"renewTime":"2026-01-01T10:0%[2]d:00.000000Z","leaseDurationSeconds":40}}`,
	}
	uids := map[string]string{kindPod: "p", kindDaemonSet: "d", kindBudget: "b", kindPersistent: "pv", kindAttachment: "va", kindNode: "n", kindLease: "l"}
	kinds := []string{kindPod, kindDaemonSet, kindBudget, kindPersistent, kindAttachment, kindNode, kindLease}
	rapid.Check(t, func(t *rapid.T) {
		present := map[string]map[cluster.UID]string{}
		kept := newCore()
		kept.daemonsRead = true
		for range rapid.IntRange(1, 15).Draw(t, "steps") {
			kind := plugin.Kind{Name: rapid.SampledFrom(kinds).Draw(t, "kind")}
			n := rapid.IntRange(0, 2).Draw(t, "which")
			uid := cluster.UID(fmt.Sprintf("%s%d", uids[kind.Name], n))
			if present[kind.Name] == nil {
				present[kind.Name] = map[cluster.UID]string{}
			}
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				kept.forget(kind)
				clear(present[kind.Name])
			case 1, 2:
				kept.Drop(kind, uid)
				delete(present[kind.Name], uid)
			default:
				item := fmt.Sprintf(objects[kind.Name], n, rapid.IntRange(0, 2).Draw(t, "how"))
				if err := kept.Put(kind, []byte(item)); err != nil {
					t.Fatal(err)
				}
				present[kind.Name][uid] = item
			}
			anew := newCore()
			anew.daemonsRead = true
			for name, items := range present {
				for _, item := range items {
					if err := anew.Put(plugin.Kind{Name: name}, []byte(item)); err != nil {
						t.Fatal(err)
					}
				}
			}
			var got, want cluster.Snapshot
			kept.join(&got)
			anew.join(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// A pod tells nothing of a DaemonSet that was made since the last reading, and is
// not one whose DaemonSet is gone.
func TestObserve_ADaemonSetThatIsNewIsThatOfItsPods(t *testing.T) {
	a := newAPI(t)
	c := watching(t, a)
	const path = "/apis/apps/v1/daemonsets"
	set := `{"kind":"DaemonSet","metadata":{"name":"agent","namespace":"d","uid":"ds","resourceVersion":"%d"},"status":{"numberReady":%d}}`
	a.send(path, "ADDED", fmt.Sprintf(set, 30, 0))
	a.send(podsPath, "ADDED", `{"kind":"Pod","metadata":{"name":"p","namespace":"d","uid":"u-p","resourceVersion":"31",
		"ownerReferences":[{"kind":"DaemonSet","name":"agent","controller":true}]},"spec":{"nodeName":"n"}}`)
	c.Expect([]cluster.Mark{{Kind: "daemonsets.apps", UID: "ds", Version: "30"}, {Kind: "pods", UID: "u-p", Version: "31"}})
	s := <-observing(t, c)
	if len(s.Pods) != 1 || s.Pods[0].Owner != cluster.OwnerDaemonSet || s.Look.Fresh {
		t.Errorf("pods %+v, fresh %t; want the DaemonSet's, by events", s.Pods, s.Look.Fresh)
	}
	done := awaiting(t, c, s.Revision)
	a.send(path, "MODIFIED", fmt.Sprintf(set, 32, 1))
	sleeps(t, done, "the status of a DaemonSet")
	a.send(path, "DELETED", fmt.Sprintf(set, 33, 1))
	wakes(t, done, "a DaemonSet that is gone")
	if s := <-observing(t, c); len(s.Pods) != 1 || s.Pods[0].Owner != cluster.OwnerOrphan {
		t.Errorf("pods %+v; want one whose DaemonSet is gone", s.Pods)
	}
}
