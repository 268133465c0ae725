// SPDX-License-Identifier: Apache-2.0

package decide

// Phase is a stage of a turn, for people and for limits. It is never stored to
// be trusted later: Next finds the phase from the facts.
type Phase string

// The phases of a turn, in order. Retire, create and join may be one command;
// evacuate and keep spare are the two strategies.
const (
	Pause     Phase = "pause"
	Preflight Phase = "preflight"
	Verify    Phase = "verify"
	Heal      Phase = "heal"
	Bar       Phase = "bar scheduling"
	Evacuate  Phase = "evacuate"
	CordonIt  Phase = "cordon"
	Drain     Phase = "drain"
	Prove     Phase = "prove"
	MayDelete Phase = "may be deleted"
	MayReboot Phase = "may be rebooted"
	Reboot    Phase = "reboot"
	Return    Phase = "return"
	Retire    Phase = "retire"
	PruneIt   Phase = "prune"
	Create    Phase = "create"
	Join      Phase = "join"
	Restore   Phase = "restore"
	Rebuild   Phase = "rebuild"
	Settle    Phase = "settle"
	Undo      Phase = "undo"
	Finished  Phase = "done"
)
