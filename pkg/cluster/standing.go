// SPDX-License-Identifier: Apache-2.0

package cluster

// Standing is what safe-roll concludes of a replica.
type Standing uint8

// The standings. Only Good counts.
const (
	StandingUnknown    Standing = iota
	StandingGood                // its data are there as far as every clause can tell
	StandingAbsent              // its node or disk is gone, or is another one
	StandingFailed              // the storage says that it is bad
	StandingRebuilding          // not yet whole
	StandingLeaving             // about to go
	StandingUnproven            // its node is younger than its data
	StandingUnused              // never held data
)

// String returns the word that people and JSON read.
func (s Standing) String() string {
	switch s {
	case StandingGood:
		return "Good"
	case StandingAbsent:
		return "Absent"
	case StandingFailed:
		return "Failed"
	case StandingRebuilding:
		return "Rebuilding"
	case StandingLeaving:
		return "Leaving"
	case StandingUnproven:
		return "Unproven"
	case StandingUnused:
		return "Unused"
	default:
		return "Unknown"
	}
}

// Proof is how well a Good standing is known.
type Proof uint8

// The proofs.
const (
	ProofNone Proof = iota
	Plausible       // nothing contradicts it
	Proven          // seen read-write in a running engine, or probed
)

// String returns the word that people and JSON read.
func (p Proof) String() string {
	switch p {
	case Plausible:
		return "Plausible"
	case Proven:
		return "Proven"
	default:
		return ""
	}
}

// Verdict answers a question of safety. Unsafe outranks Unknown outranks Safe.
type Verdict uint8

// The verdicts.
const (
	VerdictUnknown Verdict = iota
	Safe
	Unsafe
)

// String returns the word that people and JSON read.
func (v Verdict) String() string {
	switch v {
	case Safe:
		return "Safe"
	case Unsafe:
		return "Unsafe"
	default:
		return "Unknown"
	}
}

// Worse returns the verdict that outranks the other.
func (v Verdict) Worse(o Verdict) Verdict {
	switch {
	case v == Unsafe || o == Unsafe:
		return Unsafe
	case v == VerdictUnknown || o == VerdictUnknown:
		return VerdictUnknown
	default:
		return Safe
	}
}
