// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/longhorn/longhorn-manager/controller"
	"github.com/longhorn/longhorn-manager/datastore"
	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	lhclient "github.com/longhorn/longhorn-manager/k8s/pkg/client/clientset/versioned"
	"github.com/longhorn/longhorn-manager/k8s/pkg/client/clientset/versioned/scheme"
	"github.com/longhorn/longhorn-manager/scheduler"
	"github.com/longhorn/longhorn-manager/util"
	"github.com/sirupsen/logrus"
	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/flowcontrol"
)

const namespace = "longhorn-system"

// installation is Longhorn's code with its caches.
type installation struct {
	ds        *datastore.DataStore
	volumes   *controller.VolumeController
	scheduler *scheduler.ReplicaScheduler
	caches    map[string]cache.Indexer
	kube      cache.Indexer
}

// nowhere is a cluster that takes what is created and knows nothing.
type nowhere struct{}

func (nowhere) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.NopCloser(strings.NewReader("{}"))
	if r.Body != nil {
		body = r.Body
	}
	return &http.Response{
		StatusCode: http.StatusCreated, Request: r, Body: body, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}},
	}, nil
}

func newLonghorn() (*installation, error) {
	datastore.SkipListerCheck = true // what is created is put into the caches here
	config := &rest.Config{Host: "http://nowhere", Transport: nowhere{}, QPS: -1}
	config.ContentType = "application/json"
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	client, err := lhclient.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	definitions, err := apiextensions.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	informers := util.NewInformerFactories(namespace, kube, client, 0)
	ds := datastore.NewDataStore(namespace, client, kube, definitions, informers)
	log := logrus.StandardLogger()
	vc, err := controller.NewVolumeController(log, ds, scheme.Scheme, kube, namespace, "", "", util.NewAtomicCounter())
	if err != nil {
		return nil, err
	}
	return &installation{
		ds: ds, volumes: vc, scheduler: scheduler.NewReplicaScheduler(ds),
		kube: ds.KubeNodeInformer.(cache.SharedIndexInformer).GetIndexer(),
		caches: map[string]cache.Indexer{
			"nodes":            ds.NodeInformer.(cache.SharedIndexInformer).GetIndexer(),
			"volumes":          ds.VolumeInformer.(cache.SharedIndexInformer).GetIndexer(),
			"engines":          ds.EngineInformer.(cache.SharedIndexInformer).GetIndexer(),
			"replicas":         ds.ReplicaInformer.(cache.SharedIndexInformer).GetIndexer(),
			"settings":         ds.SettingInformer.(cache.SharedIndexInformer).GetIndexer(),
			"engineimages":     ds.EngineImageInformer.(cache.SharedIndexInformer).GetIndexer(),
			"instancemanagers": ds.InstanceManagerInformer.(cache.SharedIndexInformer).GetIndexer(),
			"backingimages":    ds.BackingImageInformer.(cache.SharedIndexInformer).GetIndexer(),
		},
	}, nil
}

// forget has Longhorn forget when it last used a failed replica again: no time
// passes between one question and the next, and it would wait for minutes.
func (i *installation) forget(replica string) {
	held := reflect.ValueOf(i.volumes).Elem().FieldByName("backoff")
	(*flowcontrol.Backoff)(held.UnsafePointer()).DeleteEntry(replica)
}

// load fills the caches with these objects and no others.
func (i *installation) load(objects map[string][]json.RawMessage, kube []json.RawMessage) error {
	makers := map[string]func() any{
		"nodes":            func() any { return &longhorn.Node{} },
		"volumes":          func() any { return &longhorn.Volume{} },
		"engines":          func() any { return &longhorn.Engine{} },
		"replicas":         func() any { return &longhorn.Replica{} },
		"settings":         func() any { return &longhorn.Setting{} },
		"engineimages":     func() any { return &longhorn.EngineImage{} },
		"instancemanagers": func() any { return &longhorn.InstanceManager{} },
		"backingimages":    func() any { return &longhorn.BackingImage{} },
	}
	for resource := range objects {
		if makers[resource] == nil {
			return fmt.Errorf("objects of %s are not known", resource)
		}
	}
	for resource, maker := range makers {
		if err := fill(i.caches[resource], objects[resource], maker); err != nil {
			return fmt.Errorf("%s: %w", resource, err)
		}
	}
	return fill(i.kube, kube, func() any { return &corev1.Node{} })
}

func fill(into cache.Indexer, objects []json.RawMessage, maker func() any) error {
	all := make([]any, 0, len(objects))
	for _, raw := range objects {
		o := maker()
		if err := json.Unmarshal(raw, o); err != nil {
			return err
		}
		all = append(all, o)
	}
	return into.Replace(all, "")
}

// listed returns copies of all objects of a resource.
func listed[T interface{ DeepCopy() T }](i *installation, resource string) []T {
	var out []T
	for _, o := range i.caches[resource].List() {
		out = append(out, o.(T).DeepCopy())
	}
	return out
}
