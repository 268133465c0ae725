// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"

	"github.com/safe-roll/kubectl-safe-roll/pkg/act/fakeapi"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
	"github.com/safe-roll/kubectl-safe-roll/pkg/trail"
)

func ref() cluster.NodeRef { return cluster.NodeRef{Name: "worker-1", UID: "u1"} }

// judged is one volume with a claim.
func judged() *assess.Judgement {
	return &assess.Judgement{Snapshot: &cluster.Snapshot{}, Volumes: []assess.VolumeJudgement{{
		Volume: &cluster.Volume{Name: "vol", UID: "v1"}, ClaimNamespace: "users", ClaimName: "alice", Condition: assess.Whole,
	}}}
}

func reports() []roll.Report {
	plan := &decide.Plan{Run: "r1", Turns: []decide.PlannedTurn{{Node: ref()}}}
	mem := &decide.Memory{Turns: []decide.Turn{{Node: ref()}}}
	opened := decide.Note{Kind: decide.TurnOpened, Node: ref(), Says: "turn of worker-1"}
	wake := decide.Action{Verb: decide.Wake, Node: ref(), Volume: decide.ObjectRef{Name: "vol", UID: "v1"}, Why: "volume vol is opened"}
	halt := decide.Halt{Phase: decide.Drain, Exit: 3, Reason: strings.Repeat("because ü ", 200)}
	return []roll.Report{
		{Kind: roll.ReportDecided, Plan: plan, Memory: mem, Judgement: judged(), Decision: decide.Remember{Note: opened}},
		{Kind: roll.ReportDecided, Plan: plan, Memory: mem, Judgement: judged(), Decision: decide.Act{Phase: decide.Rebuild, Action: wake}},
		{Kind: roll.ReportActed, Action: &wake, Outcome: &decide.Outcome{Result: decide.Performed}},
		{Kind: roll.ReportHalted, Plan: plan, Memory: mem, Decision: halt},
	}
}

func TestEvents_TellNodesAndClaimsWhatWasDone(t *testing.T) {
	s := fakeapi.Start(t)
	claim := s.Create("/api/v1/namespaces/users/persistentvolumeclaims/alice", fakeapi.Object{"apiVersion": "v1", "kind": "PersistentVolumeClaim"})
	cfg := s.Config()
	cfg.ContentType = "application/json"
	set, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	e := trail.NewEvents(t.Context(), set, "ada@laptop")
	for _, r := range reports() {
		e.Watch(r)
	}
	_ = e.Close() // this server takes no new objects; what was sent is looked at
	var got []string
	for _, c := range s.Calls() {
		if c.Method != http.MethodPost {
			continue
		}
		body := string(c.Body)
		for _, reason := range []string{"SafeRollBegun", "SafeRollWoken", "SafeRollHalted"} {
			if strings.Contains(body, `"reason":"`+reason+`"`) {
				got = append(got, c.Path+" "+reason)
			}
		}
		if strings.Contains(body, "SafeRollWoken") && !strings.Contains(body, `"uid":"`+claim+`"`) {
			t.Errorf("describe would not find it: %s", body)
		}
		if strings.Contains(body, "SafeRollHalted") && (!strings.Contains(body, `"type":"Warning"`) || len(body) > 2000) {
			t.Errorf("not a short warning: %s", body)
		}
	}
	want := []string{
		"/api/v1/namespaces/default/events SafeRollBegun", "/api/v1/namespaces/users/events SafeRollWoken",
		"/api/v1/namespaces/default/events SafeRollHalted",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestEvents_AServerThatSaysNoFailsNothing(t *testing.T) {
	s := fakeapi.Start(t)
	set, err := kubernetes.NewForConfig(s.Config())
	if err != nil {
		t.Fatal(err)
	}
	e := trail.NewEvents(t.Context(), set, "ada")
	for range 1000 { // more than the queue holds
		for _, r := range reports() {
			e.Watch(r)
		}
	}
	if err := e.Close(); err == nil {
		t.Error("nobody is told that there are no events")
	}
}

func TestMetrics_TheFileIsWholeAtEveryMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roll.prom")
	m, err := trail.NewMetrics(path, "v1")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range reports() {
		m.Watch(r)
		text, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(string(text), "\n") || !strings.Contains(string(text), "safe_roll_written_timestamp_seconds ") {
			t.Fatalf("%v: %s", err, text)
		}
	}
	if err := m.Close(3); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`safe_roll_info{run="r1",version="v1"} 1`, `safe_roll_state{state="halted"} 1`, "safe_roll_exit_code 3",
		`safe_roll_volumes{condition="whole"} 1`, `safe_roll_deeds_total{verb="wake",outcome="performed"} 1`,
	} {
		if !strings.Contains(string(text), want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestMetrics_AFolderThatIsNotThereIsSaidAtOnce(t *testing.T) {
	if _, err := trail.NewMetrics(filepath.Join(t.TempDir(), "none", "roll.prom"), "v1"); err == nil {
		t.Error("no error")
	}
}
