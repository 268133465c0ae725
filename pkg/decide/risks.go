// SPDX-License-Identifier: Apache-2.0

package decide

import "github.com/safe-roll/kubectl-safe-roll/pkg/assess"

// Risks lists what may be accepted of what only a plan or a turn can find.
func Risks() []assess.RiskDoc {
	return []assess.RiskDoc{
		{Code: CodeOtherOut, Of: "NODE"}, {Code: assess.NodeMarkedToGo, Of: "NODE"}, {Code: CodeReplace, Of: "NODE"}, {Code: CodeMayHang, Of: "NODE"},
		{Code: CodeNotRestored, Of: "VOLUME"}, {Code: CodeBudgetNever, Of: "NAMESPACE/NAME"},
	}
}
