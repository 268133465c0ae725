// SPDX-License-Identifier: Apache-2.0

package view

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/safe-roll/kubectl-safe-roll/pkg/api/v1alpha1"
	"github.com/safe-roll/kubectl-safe-roll/pkg/assess"
)

func TestAnswer_JSONIsTheContract(t *testing.T) {
	var b bytes.Buffer
	if err := asked().JSON(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "unsafe.json", b.Bytes())
}

func TestAnswer_StreamedJSONIsTheTypeMarshalledAtOnce(t *testing.T) {
	empty := Answer{Judgement: &assess.Judgement{}}
	for name, a := range map[string]Answer{"asked": asked(), "empty": empty} {
		var streamed, whole bytes.Buffer
		if err := a.JSON(&streamed); err != nil {
			t.Fatal(err)
		}
		if err := WriteJSON(&whole, a.Verification()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(whole.String(), streamed.String()); diff != "" {
			t.Errorf("%s (-whole +streamed):\n%s", name, diff)
		}
		var back v1alpha1.Verification
		dec := json.NewDecoder(&streamed)
		dec.DisallowUnknownFields()
		if err := dec.Decode(&back); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAnswer_AnAnswerThatCouldNotBeWrittenIsAnError(t *testing.T) {
	a := asked()
	if a.JSON(full{}) == nil || a.Text(full{}, Style{}) == nil || a.Wide(full{}, Style{}) == nil {
		t.Error("half an answer passed for a whole one")
	}
}
