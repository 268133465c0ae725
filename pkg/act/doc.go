// SPDX-License-Identifier: Apache-2.0

// Package act performs exactly one deed.
//
// It takes a decide.Action, checks by consistent reads that every object is
// still the one that the action was decided about and still as expected, makes
// the change once, and says what came of it. It may talk to the API server and
// start the operator's commands. It must never judge, loop, retry, or wait for
// consequences: the next look sees those.
//
// What an Outcome says:
//
//   - Performed: the server took the change, or what was to be taken back is
//     gone already.
//   - Conflict, Refused: nothing was changed. Conflict says that an object is
//     not as expected, Refused that the server said no for a reason that may
//     pass (a disruption budget, a webhook, too many requests, or the read
//     before the change failed). A batch of evictions is Refused when any pod
//     was; those that went are gone and the next look shows it.
//   - Uncertain: the answer to a change never came, or said nothing (a reset
//     connection, a timeout, 5xx), or it was a no and the object is as wanted all
//     the same, by our name. It may or may not have happened.
//   - An error: looking again will not mend it (a missing right, a plugin that
//     cannot translate, a command that failed).
//
// "Already so" has two meanings. What is taken back (Uncordon, Sleep, Prune,
// DeleteNode, a Place that only releases) is fulfilled: Performed. A flag that
// others set too (Cordon, a Place that restricts) was set by somebody else
// since the look: Conflict, so that the undo register does not take down a
// cordon that is not ours (invariant I6). For the same reason such a flag is not
// taken back where managedFields say that another has set it since: Conflict.
//
// Every change carries the UID and, where old values were checked, the
// resourceVersion that was read with them: check and change are one. Status
// updates move the version as well, so a conflict can be spurious; the loop
// looks again, which costs less than a lost update.
//
// k8s.io/kubectl/pkg/drain is not used here. Its CordonHelper makes a patch
// without UID or version, and its Helper.EvictPod builds DeleteOptions without
// preconditions (makeDeleteOptions) and retries by sleeping; a namesake of the
// node or pod would be hit (I5). Which pods go is decided in package assess,
// where that library is the yardstick.
//
// Cancelling the context stops nothing that has begun: an interruption
// finishes the deed in hand. A deadline is honoured by requests, and the
// command limit by commands.
//
// A command that is still running when this program is killed goes on alone. The
// next run sees by the facts what came of it, and starts it again where nothing
// shows and the command limit must have ended it (package decide, astray). That is
// why commands must be idempotent.
//
// Start reading at Actor.Perform.
package act
