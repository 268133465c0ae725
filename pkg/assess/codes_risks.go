// SPDX-License-Identifier: Apache-2.0

package assess

// RiskDoc documents one risk that the operator may accept by its code.
type RiskDoc struct {
	Code string
	// Of is what NAME stands for in CODE:NAME.
	Of string
	// For is the finding that it accepts, where that has another code.
	For string
}

const podName = "NAMESPACE/NAME"

// Risks lists what may be accepted of what this package finds. A finding that
// offers a Risk offers one of these; no flag accepts anything else.
func Risks() []RiskDoc {
	return []RiskDoc{
		{Code: VolumeOneCopy, Of: "VOLUME"}, {Code: VolumeAlreadyLost, Of: "VOLUME", For: VolumeDataLost},
		{Code: NodeForeignAttachment, Of: "PV"}, {Code: PVBoundToNode, Of: "PV"},
		{Code: OrphanUnknown, Of: "ORPHAN"}, {Code: BaseOnlyCopy, Of: "IMAGE"},
		{Code: PodUnmanaged, Of: podName}, {Code: PodEmptyDir, Of: podName}, {Code: PodDaemonSetGone, Of: podName},
	}
}
