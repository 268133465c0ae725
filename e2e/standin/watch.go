// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"

	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn/model"
)

const syncLimit = time.Minute

// watched is what the stand-in sees of the API server.
type watched struct {
	kube     informers.SharedInformerFactory
	kinds    map[model.Kind]cache.SharedIndexInformer
	informed sync.WaitGroup

	mu      sync.Mutex
	changed map[model.Ref]bool        // Longhorn objects to look at
	gone    map[model.Ref][]types.UID // Longhorn objects that were removed
}

// newObject returns an empty object of a kind.
func newObject(k model.Kind) model.Object {
	switch k {
	case model.Volumes:
		return &longhorn.Volume{}
	case model.Engines:
		return &longhorn.Engine{}
	case model.Replicas:
		return &longhorn.Replica{}
	case model.Nodes:
		return &longhorn.Node{}
	case model.VolumeAttachments:
		return &longhorn.VolumeAttachment{}
	case model.InstanceManagers:
		return &longhorn.InstanceManager{}
	case model.EngineImages:
		return &longhorn.EngineImage{}
	case model.Settings:
		return &longhorn.Setting{}
	}
	return nil
}

// watch starts all watches and waits until each has been read once.
func (s *Standin) watch(ctx context.Context) error {
	w := &watched{
		kube:    informers.NewSharedInformerFactoryWithOptions(s.kube, 0, informers.WithTransform(trim)),
		kinds:   map[model.Kind]cache.SharedIndexInformer{},
		changed: map[model.Ref]bool{}, gone: map[model.Ref][]types.UID{},
	}
	s.watched = w
	poke := cache.ResourceEventHandlerFuncs{
		AddFunc: func(any) { s.poke() }, UpdateFunc: func(any, any) { s.poke() }, DeleteFunc: func(any) { s.poke() },
	}
	for _, inf := range []cache.SharedIndexInformer{
		w.kube.Core().V1().Nodes().Informer(), w.kube.Core().V1().Pods().Informer(),
		w.kube.Core().V1().PersistentVolumes().Informer(), w.kube.Core().V1().PersistentVolumeClaims().Informer(),
		w.kube.Storage().V1().VolumeAttachments().Informer(), w.kube.Policy().V1().PodDisruptionBudgets().Informer(),
	} {
		if _, err := inf.AddEventHandler(poke); err != nil {
			return fmt.Errorf("watch Kubernetes: %w", err)
		}
	}
	w.kube.Start(ctx.Done())
	client := s.longhorn.LonghornV1beta2().RESTClient()
	var synced []cache.InformerSynced
	for _, k := range model.Kinds() {
		if slices.Contains(s.opts.Behaviour.Lacks(), k) {
			continue
		}
		lw := cache.NewListWatchFromClient(client, string(k), Namespace, fields.Everything())
		inf := cache.NewSharedIndexInformer(lw, newObject(k), 0, cache.Indexers{})
		if err := inf.SetTransform(trim); err != nil {
			return fmt.Errorf("watch %s: %w", k, err)
		}
		reg, err := inf.AddEventHandler(s.longhornHandler(k))
		if err != nil {
			return fmt.Errorf("watch %s: %w", k, err)
		}
		w.kinds[k] = inf
		synced = append(synced, reg.HasSynced)
		w.informed.Go(func() { inf.Run(ctx.Done()) })
	}
	limited, cancel := context.WithTimeoutCause(ctx, syncLimit, fmt.Errorf("sync limit of %s passed", syncLimit))
	defer cancel()
	for kind, ok := range w.kube.WaitForCacheSync(limited.Done()) {
		if !ok {
			return fmt.Errorf("first read of %v: %w", kind, context.Cause(limited))
		}
	}
	if !cache.WaitForCacheSync(limited.Done(), synced...) {
		return fmt.Errorf("first read of Longhorn's objects: %w", context.Cause(limited))
	}
	return nil
}

func (s *Standin) longhornHandler(k model.Kind) cache.ResourceEventHandler {
	note := func(o any, removed bool) {
		if d, ok := o.(cache.DeletedFinalStateUnknown); ok {
			o = d.Obj
		}
		m, err := meta.Accessor(o)
		if err != nil {
			return
		}
		ref := model.Ref{Kind: k, Name: m.GetName()}
		s.watched.mu.Lock()
		if removed {
			s.watched.gone[ref] = append(s.watched.gone[ref], m.GetUID())
		} else {
			s.watched.changed[ref] = true
		}
		s.watched.mu.Unlock()
		s.poke()
	}
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) { note(o, false) }, UpdateFunc: func(_, o any) { note(o, false) }, DeleteFunc: func(o any) { note(o, true) },
	}
}

// take returns what has changed since the last call.
func (w *watched) take() (changed map[model.Ref]bool, gone map[model.Ref][]types.UID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed, gone = w.changed, w.gone
	w.changed, w.gone = map[model.Ref]bool{}, map[model.Ref][]types.UID{}
	return changed, gone
}

// latest returns an object as the watch saw it last, nil if it is not there.
func (w *watched) latest(ref model.Ref) model.Object {
	o, ok, err := w.kinds[ref.Kind].GetStore().GetByKey(Namespace + "/" + ref.Name)
	if err != nil || !ok {
		return nil
	}
	out, _ := o.(model.Object)
	return out
}

func (w *watched) stop() {
	w.kube.Shutdown()
	w.informed.Wait()
}

// trim drops what the stand-in never reads.
func trim(o any) (any, error) {
	if m, err := meta.Accessor(o); err == nil {
		m.SetManagedFields(nil)
	}
	return o, nil
}
