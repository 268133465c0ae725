// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
)

// Incident is the cluster of the real loss: three workers and a control-plane
// node, a hub with one replica, a Prometheus with an attached volume, and the
// volumes of thirty users with two replicas each, of whom three are logged in.
type Incident struct {
	// Workers and Users count them; LoggedIn of the users have a running pod.
	Workers, Users, LoggedIn int
	// Replicas is how many each volume has.
	Replicas int
}

// TheIncident is the cluster as it was.
func TheIncident() Incident {
	return Incident{Workers: 3, Users: 30, LoggedIn: 3, Replicas: 2}
}

// WorkerNames are the workers, in the order in which they are replaced.
func (i Incident) WorkerNames() []string {
	var out []string
	for n := range i.Workers {
		out = append(out, fmt.Sprintf("worker-%d", n+1))
	}
	return out
}

// Detached names the volumes of the users who are not logged in.
func (i Incident) Detached() []string {
	var out []string
	for n := i.LoggedIn; n < i.Users; n++ {
		out = append(out, user(n))
	}
	return out
}

func user(n int) string { return fmt.Sprintf("user-%02d", n+1) }

// Build builds it: every volume was used once and holds bytes of its own.
// It returns what was written.
func (i Incident) Build(ctx context.Context, w World) (Expected, error) {
	if err := i.Machines(ctx, w); err != nil {
		return nil, err
	}
	if err := w.Run(ctx, Workload{Name: "hub", Replicas: 1}); err != nil {
		return nil, err
	}
	e := Expected{}
	if err := i.volume(ctx, w, "prometheus", e); err != nil {
		return nil, err
	}
	return e, i.users(ctx, w, e)
}

// Machines adds them, the workers all at once: a storage takes its time with
// each.
func (i Incident) Machines(ctx context.Context, w World) error {
	if err := w.AddNode(ctx, Node{Name: "control-plane", Role: "control-plane"}); err != nil {
		return err
	}
	var group sync.WaitGroup
	errs := make([]error, i.Workers)
	for n, name := range i.WorkerNames() {
		group.Go(func() { errs[n] = w.AddNode(ctx, Node{Name: name, Role: "worker"}) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// atOnce is how many users log in at the same time.
const atOnce = 8

// users has every user log in once and write, and all but a few log out.
func (i Incident) users(ctx context.Context, w World, e Expected) error {
	var group sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	slots := make(chan struct{}, atOnce)
	for n := range i.Users {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			mine := Expected{}
			err := i.volume(ctx, w, user(n), mine)
			if err == nil && n >= i.LoggedIn {
				err = w.Stop(ctx, user(n))
			}
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(e, mine)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", user(n), err))
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// volume creates a volume, runs its workload and writes bytes that no other
// volume holds.
func (i Incident) volume(ctx context.Context, w World, name string, e Expected) error {
	if err := w.CreateVolume(ctx, Volume{Name: name, Replicas: i.Replicas, Bytes: 1 << 30}); err != nil {
		return fmt.Errorf("create volume %s: %w", name, err)
	}
	if err := w.Run(ctx, Workload{Name: name, Volume: name, Replicas: 1}); err != nil {
		return fmt.Errorf("run %s: %w", name, err)
	}
	data := []byte("the bytes of " + name + "\n")
	if err := w.Write(ctx, name, data); err != nil {
		return fmt.Errorf("write to %s: %w", name, err)
	}
	e[name] = Sum(data)
	return nil
}
