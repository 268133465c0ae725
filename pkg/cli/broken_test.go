// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/record"
	"github.com/safe-roll/kubectl-safe-roll/pkg/roll"
)

// What is another's to look after by now is not told; what is nobody's is.
func TestBroken_TellsWhatIsLeftChangedUnlessAnotherHasTakenOver(t *testing.T) {
	for cause, said := range map[error]string{
		record.ErrFenced:      "",
		record.ErrJournalGone: "by hand",
		record.ErrLockGone:    "by hand",
		record.ErrExpiring:    "for the same command to go on from",
	} {
		var errOut bytes.Buffer
		o := &rollOptions{app: App{Streams: genericiooptions.IOStreams{ErrOut: &errOut}}, display: "kubectl safe-roll", output: outputText}
		left := []decide.Action{{Verb: decide.Uncordon, Node: cluster.NodeRef{Name: "worker-1", UID: "u"}}}
		_ = o.broken(fmt.Errorf("the journal cannot be written: %w", cause), roll.Result{Left: left, Exit: 1})
		if got := errOut.String(); (said == "") != (got == "") || !strings.Contains(got, said) {
			t.Errorf("%v: %q", cause, got)
		}
	}
}
