// SPDX-License-Identifier: Apache-2.0

package observe

import (
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"

	"github.com/safe-roll/kubectl-safe-roll/pkg/plugin"
)

// Config says what is observed, and within which limits. Every zero limit is
// replaced by its default; none means for ever.
type Config struct {
	// REST is how the cluster is reached. Its Timeout, if set, replaces
	// RequestLimit.
	REST     *rest.Config
	Storages []plugin.Storage
	// StorageNamespace restricts the storages' kinds to one namespace; empty
	// for all of them, so that a storage is found wherever it lives.
	StorageNamespace string
	// RequestLimit bounds one request for one page, its body included (30 s).
	RequestLimit time.Duration
	// LookLimit bounds one reading of all kinds (10 min), and as much again one
	// look into all directories.
	LookLimit time.Duration
	// Relist is when everything is read again although no event came (5 min, or
	// ten times what the last reading took, if that is longer).
	Relist time.Duration
	// Pause is the least time between two readings of all kinds that were not
	// asked to be fresh (1 s).
	Pause time.Duration
	// Page is how many objects one request asks for (500).
	Page int
	// Parallel is how many kinds are read at once (6).
	Parallel int
	// Probe: every reading of all kinds ends with a look into the directories of
	// replicas that their objects do not prove.
	Probe bool
	// ProbeLimit bounds one such look on one node (30 s).
	ProbeLimit time.Duration
	// ProbeParallel is how many nodes are asked at once (8).
	ProbeParallel int
}

// The defaults of Config, and what has no field.
const (
	defaultRequestLimit = 30 * time.Second
	defaultLookLimit    = 10 * time.Minute
	defaultRelist       = 5 * time.Minute
	defaultPause        = time.Second
	defaultPage         = 500
	defaultParallel     = 6

	defaultProbeLimit    = 30 * time.Second
	defaultProbeParallel = 8

	// The client-side limits on requests: a reading is some dozens of requests
	// in a row, and what comes after it is a handful a minute.
	queriesPerSecond = 50
	queriesAtOnce    = 100
)

func (c Config) withDefaults() (Config, error) {
	if c.REST == nil {
		return c, errors.New("no cluster was named")
	}
	if c.REST.Timeout > 0 {
		c.RequestLimit = c.REST.Timeout
	}
	for _, l := range []struct {
		value    *time.Duration
		fallback time.Duration
	}{
		{&c.RequestLimit, defaultRequestLimit}, {&c.LookLimit, defaultLookLimit},
		{&c.Relist, defaultRelist}, {&c.Pause, defaultPause}, {&c.ProbeLimit, defaultProbeLimit},
	} {
		if *l.value <= 0 {
			*l.value = l.fallback
		}
	}
	if c.Page <= 0 {
		c.Page = defaultPage
	}
	if c.Parallel <= 0 {
		c.Parallel = defaultParallel
	}
	if c.ProbeParallel <= 0 {
		c.ProbeParallel = defaultProbeParallel
	}
	return c, nil
}

// clients are the REST clients: Kubernetes' own kinds through one that knows
// no version, each storage's through the storage's.
type clients struct {
	kubernetes rest.Interface
	storages   []rest.Interface
}

func (c Config) connect(clock *clock) (clients, error) {
	cfg := rest.CopyConfig(c.REST)
	cfg.Timeout = 0 // it would end watches too; every request has a context with a limit
	cfg.ContentType, cfg.AcceptContentTypes = "application/json", "application/json"
	if cfg.QPS == 0 {
		cfg.QPS, cfg.Burst = queriesPerSecond, queriesAtOnce
	}
	if cfg.WarningHandler == nil && cfg.WarningHandlerWithContext == nil {
		cfg.WarningHandler = rest.NoWarnings{} // of deprecated versions: nothing is written
	}
	cfg.Wrap(clock.listen)
	own := rest.CopyConfig(cfg)
	own.NegotiatedSerializer = statusCodec()
	kubernetes, err := rest.UnversionedRESTClientFor(own)
	if err != nil {
		return clients{}, fmt.Errorf("no client for Kubernetes: %w", err)
	}
	out := clients{kubernetes: kubernetes}
	for _, st := range c.Storages {
		client, err := st.Connect(rest.CopyConfig(cfg))
		if err != nil {
			return clients{}, fmt.Errorf("storage %s: %w", st.Driver(), err)
		}
		out.storages = append(out.storages, client)
	}
	return out, nil
}

// statusCodec knows no type but the Status with which a server refuses:
// everything else is decoded narrowly, here and in the plugins.
func statusCodec() runtime.NegotiatedSerializer {
	scheme := runtime.NewScheme()
	v1 := schema.GroupVersion{Version: "v1"}
	metav1.AddToGroupVersion(scheme, v1)
	scheme.AddUnversionedTypes(v1, &metav1.Status{})
	return serializer.NewCodecFactory(scheme).WithoutConversion()
}

// request begins a request for the source's objects.
func (c clients) request(s source) *rest.Request {
	if s.storage >= 0 {
		return c.storages[s.storage].Get().NamespaceIfScoped(s.namespace, s.namespace != "").
			Resource(s.Resource).SetHeader("Accept", "application/json")
	}
	path := []string{"/apis", s.Group, s.Version}
	if s.Group == "" {
		path = []string{"/api", s.Version}
	}
	if s.namespace != "" {
		path = append(path, "namespaces", s.namespace)
	}
	return c.kubernetes.Get().AbsPath(append(path, s.Resource)...)
}
