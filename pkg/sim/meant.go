// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"cmp"
	"encoding/json"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// wanted is what a change says of the object that it means.
type wanted struct {
	Metadata struct {
		UID             string `json:"uid"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Preconditions struct {
		UID             string `json:"uid"`
		ResourceVersion string `json:"resourceVersion"`
	} `json:"preconditions"`
	DeleteOptions struct {
		Preconditions struct {
			UID string `json:"uid"`
		} `json:"preconditions"`
	} `json:"deleteOptions"`
	Spec struct {
		Unschedulable *bool `json:"unschedulable"`
	} `json:"spec"`
}

// named is the identity that the change names; empty where it names none.
func (m wanted) named() cluster.UID {
	return cluster.UID(cmp.Or(m.Metadata.UID, m.Preconditions.UID, m.DeleteOptions.Preconditions.UID))
}

// meant checks the preconditions; the answer is nil where they hold.
func meant(body []byte, uid types.UID, version string) (wanted, *metav1.Status) {
	var m wanted
	if err := json.Unmarshal(body, &m); err != nil {
		return m, status(http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
	}
	for _, want := range []string{m.Metadata.UID, m.Preconditions.UID, m.DeleteOptions.Preconditions.UID} {
		if want != "" && want != string(uid) {
			return m, status(http.StatusConflict, metav1.StatusReasonConflict, "Precondition failed: UID in precondition: "+want+", UID in object meta: "+string(uid))
		}
	}
	for _, want := range []string{m.Metadata.ResourceVersion, m.Preconditions.ResourceVersion} {
		if want != "" && want != version {
			return m, status(http.StatusConflict, metav1.StatusReasonConflict, "the object has been modified; please apply your changes to the latest version and try again")
		}
	}
	return m, nil
}
