// SPDX-License-Identifier: Apache-2.0

package observe

import "github.com/safe-roll/kubectl-safe-roll/pkg/cluster"

type persistentSpec struct {
	CSI *struct {
		Driver string `json:"driver"`
		Handle string `json:"volumeHandle"`
	} `json:"csi"`
	Local    *struct{} `json:"local"`
	HostPath *struct{} `json:"hostPath"`
	Claim    *struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
	} `json:"claimRef"`
	Affinity *struct {
		Required *struct {
			Terms []struct {
				Expressions []requirement `json:"matchExpressions"`
				Fields      []requirement `json:"matchFields"`
			} `json:"nodeSelectorTerms"`
		} `json:"required"`
	} `json:"nodeAffinity"`
}

type requirement struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
}

func readPersistent(item []byte) (cluster.UID, cluster.PersistentVolume, error) {
	o, err := decode[persistentSpec, struct {
		Phase string `json:"phase"`
	}](kindPersistent, item)
	if err != nil {
		return "", cluster.PersistentVolume{}, err
	}
	m, s := o.Metadata, o.Spec
	v := cluster.PersistentVolume{
		Name: m.Name, UID: m.UID, Bound: o.Status.Phase == "Bound", Deleting: m.Deleted != nil,
		Local: s.Local != nil || s.HostPath != nil, Hostnames: s.hostnames(),
	}
	if s.CSI != nil {
		v.Driver, v.Handle = s.CSI.Driver, s.CSI.Handle
	}
	if s.Claim != nil {
		v.ClaimNamespace, v.ClaimName = s.Claim.Namespace, s.Claim.Name
	}
	return m.key(), v, nil
}

// hostnames lists the nodes that the affinity names.
func (s *persistentSpec) hostnames() []string {
	if s.Affinity == nil || s.Affinity.Required == nil {
		return nil
	}
	var out []string
	for _, t := range s.Affinity.Required.Terms {
		for _, e := range append(t.Fields, t.Expressions...) {
			if (e.Key == "metadata.name" || cluster.NamesNode(e.Key)) && e.Operator == "In" {
				out = append(out, e.Values...)
			}
		}
	}
	return out
}

func readAttachment(item []byte) (cluster.UID, cluster.Attachment, error) {
	o, err := decode[struct {
		Attacher string `json:"attacher"`
		Node     string `json:"nodeName"`
		Source   struct {
			PV *string `json:"persistentVolumeName"`
		} `json:"source"`
	}, struct {
		Attached bool `json:"attached"`
	}](kindAttachment, item)
	if err != nil {
		return "", cluster.Attachment{}, err
	}
	m := o.Metadata
	a := cluster.Attachment{
		Name: m.Name, UID: m.UID, Driver: o.Spec.Attacher, Node: o.Spec.Node,
		Attached: o.Status.Attached, Deleting: m.Deleted != nil,
	}
	if o.Spec.Source.PV != nil {
		a.PV = *o.Spec.Source.PV
	}
	return m.key(), a, nil
}
