// SPDX-License-Identifier: Apache-2.0

package act

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/decide"
	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// DefaultRequestTimeout bounds one request where Config says nothing.
const DefaultRequestTimeout = 10 * time.Second

// DryRun says how much of a deed is real.
type DryRun string

// The dry runs.
const (
	// DryRunNone does it.
	DryRunNone DryRun = ""
	// DryRunServer sends every request with dryRun=All, and runs no command.
	DryRunServer DryRun = "server"
)

// Config is what deeds need.
type Config struct {
	// REST reaches the API server.
	REST *rest.Config
	// Storages translate the deeds that are about their objects.
	Storages []plugin.Storage
	// Run identifies the roll, for commands.
	Run string
	// Commands are the operator's; CommandLimit bounds one run of one of them.
	Commands     decide.Commands
	CommandLimit time.Duration
	// RequestTimeout bounds one request; DefaultRequestTimeout if it is zero.
	RequestTimeout time.Duration
	// Guard is asked before every change whether the lock lasts for so long; nil
	// for who needs no lock. A deed is many requests, and the machine may sleep
	// between two of them.
	Guard  func(time.Duration) error
	DryRun DryRun
	// Out and Err take the commands' output, line by line; nil drops it.
	Out io.Writer
	Err io.Writer
}

// Actor performs deeds, one at a time.
type Actor struct {
	cfg      Config
	core     client
	storages map[string]storage
	marks    *marks
	grace    time.Duration // how long a command may clean up after its limit
	wall     func() time.Time
	glance   time.Duration // how often a command's limit is looked at by wall
}

// storage is a plugin and the way to its objects.
type storage struct {
	plugin plugin.Storage
	client client
}

// New connects to the API server on behalf of every storage. It sends nothing
// yet. It fails where a connection cannot be configured or a limit is missing.
func New(cfg Config) (*Actor, error) {
	if cfg.REST == nil {
		return nil, errors.New("deeds need a way to the API server")
	}
	if cfg.RequestTimeout < 0 || cfg.CommandLimit < 0 {
		return nil, errors.New("the limits of deeds cannot be negative")
	}
	if cfg.RequestTimeout == 0 {
		cfg.RequestTimeout = DefaultRequestTimeout
	}
	if cfg.Commands != (decide.Commands{DeleteNode: cfg.Commands.DeleteNode}) && cfg.CommandLimit == 0 {
		return nil, errors.New("commands need a limit (the command limit is zero)")
	}
	core, err := corev1.NewForConfig(cfg.REST)
	if err != nil {
		return nil, fmt.Errorf("connect to Kubernetes: %w", err)
	}
	a := &Actor{cfg: cfg, storages: map[string]storage{}, marks: &marks{}, grace: termGrace, wall: wall, glance: time.Second}
	a.core = a.client(core.RESTClient())
	for _, s := range cfg.Storages {
		c, err := s.Connect(cfg.REST)
		if err != nil {
			return nil, fmt.Errorf("connect to %s: %w", s.Driver(), err)
		}
		a.storages[s.Driver()] = storage{plugin: s, client: a.client(c)}
	}
	return a, nil
}

func (a *Actor) client(c rest.Interface) client {
	return client{
		rest: c, timeout: a.cfg.RequestTimeout, guard: a.cfg.Guard, dryRun: a.cfg.DryRun == DryRunServer, marks: a.marks,
	}
}

// Perform does one deed. The snapshot is the one that the action was decided
// from; only the deeds of a storage use it. See the package's description for
// what Outcome and error say.
func (a *Actor) Perform(ctx context.Context, s *cluster.Snapshot, d decide.Action) (decide.Outcome, error) {
	a.marks.of = nil
	if err := ctx.Err(); err != nil {
		return decide.Outcome{}, fmt.Errorf("%s: not begun: %w", d.Verb, context.Cause(ctx))
	}
	if err := named(d); err != nil {
		return decide.Outcome{}, err
	}
	ctx, done := begun(ctx)
	defer done()
	switch d.Verb {
	case decide.Cordon, decide.Uncordon:
		return a.setSchedulable(ctx, d)
	case decide.Refit:
		if d.StorageNode.Name != "" {
			return a.changeStorage(ctx, s, d)
		}
		return a.refitNode(ctx, d)
	case decide.DeleteNode:
		return a.deleteNode(ctx, d.Node)
	case decide.EvictPods:
		return a.evictPods(ctx, d.Pods)
	case decide.Place, decide.Wake, decide.Sleep, decide.Prune, decide.SetAside, decide.PutBack, decide.Forget:
		return a.changeStorage(ctx, s, d)
	case decide.RunCommand:
		o, err := a.runCommand(ctx, d)
		a.marks.of = nil // what it changed is not known
		return o, err
	default:
		return decide.Outcome{}, fmt.Errorf("no such deed: %q", d.Verb)
	}
}

// begun detaches from cancellation, because a deed in hand is finished, and
// keeps the deadline, because everything has a limit.
func begun(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if at, ok := ctx.Deadline(); ok {
		return context.WithDeadlineCause(free, at, errors.New("the limit of one deed"))
	}
	return context.WithCancel(free)
}

// named refuses an action that does not say by UID which objects it means (I5).
func named(d decide.Action) error {
	missing := func(what, name string) error {
		return fmt.Errorf("%s: the %s %q has no UID, so it could be another one by now", d.Verb, what, name)
	}
	switch d.Verb {
	case decide.Cordon, decide.Uncordon, decide.DeleteNode, decide.RunCommand, decide.Refit:
		if d.Node.Name == "" || d.Node.UID == "" {
			return missing("node", d.Node.Name)
		}
	case decide.SetAside, decide.PutBack:
		if d.Knob.Name == "" || d.Knob.UID == "" {
			return missing("knob", d.Knob.Name)
		}
	case decide.Place, decide.Forget:
		if d.StorageNode.Name == "" || d.StorageNode.UID == "" {
			return missing("storage node", d.StorageNode.Name)
		}
	case decide.Wake, decide.Sleep, decide.Prune:
		if d.Volume.Name == "" || d.Volume.UID == "" {
			return missing("volume", d.Volume.Name)
		}
	}
	if d.Verb == decide.Prune && d.Replica.UID == "" {
		return missing("replica", d.Replica.Name)
	}
	for _, p := range d.Pods {
		if p.Name == "" || p.UID == "" {
			return missing("pod", p.Namespace+"/"+p.Name)
		}
	}
	return nil
}
