// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/safe-roll/kubectl-safe-roll/pkg/book"
	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
	"github.com/safe-roll/kubectl-safe-roll/pkg/observe"
)

// connection is how the commands reach a cluster, files, or the book. It holds
// kubectl's own connection flags; they cannot come before the plugin's name.
type connection struct {
	app   App
	flags *genericclioptions.ConfigFlags
	// storageNamespace overrides where the storage's objects are looked for.
	storageNamespace string
	bookNamespace    string
	// lockDuration is how long the lock outlives a program that died.
	lockDuration time.Duration
	verbosity    int
	// probe: look into the directories of replicas too.
	probe bool
	// journalFile gets a copy of the journal; empty for none.
	journalFile string
	// who holds the lock if this process takes it.
	who string
}

func newConnection(app App) *connection {
	flags := genericclioptions.NewConfigFlags(true)
	flags.Namespace = nil // the tool is cluster-wide
	return &connection{app: app, flags: flags, who: identity()}
}

func (c *connection) addFlags(f *pflag.FlagSet) {
	c.flags.AddFlags(f)
	f.StringVar(&c.storageNamespace, "storage-namespace", "", "where the storage system lives (default: where it usually does)")
	f.StringVar(&c.bookNamespace, "book-namespace", "kube-system", "where the lock and the journal of rolls are kept; two namespaces are two locks, so give every command the same")
	f.DurationVar(&c.lockDuration, "lock-duration", book.DefaultLeaseDuration, "how long the lock of a roll outlives a program that died")
	f.IntVarP(&c.verbosity, "v", "v", 0, "verbosity of the client libraries' own log; 6 shows every request")
}

// quiet keeps the client libraries' log away from people who did not ask for
// it: it is written between our lines and speaks of retries as of errors.
func (c *connection) quiet() error {
	f := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(f)
	set := map[string]string{"logtostderr": "false", "stderrthreshold": "FATAL"}
	if c.verbosity > 0 {
		set = map[string]string{"v": strconv.Itoa(c.verbosity)}
	} else {
		klog.SetOutput(io.Discard)
	}
	for name, value := range set {
		if err := f.Set(name, value); err != nil {
			return fmt.Errorf("client log: %w", err)
		}
	}
	return nil
}

// config is how to reach the API server.
func (c *connection) config() (*rest.Config, error) {
	cfg, err := c.flags.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("there is no way to a cluster: %w", err)
	}
	if err := c.configured(); err != nil {
		return nil, err
	}
	cfg.UserAgent = "kubectl-safe-roll/" + c.app.Version
	cfg.WarningHandler = rest.NoWarnings{}
	cfg.QPS, cfg.Burst = 50, 100 // the default of 5 a second would make people wait, and deeds
	return cfg, nil
}

// configured refuses what the client libraries make of no configuration at all:
// localhost, which answers nobody's question.
func (c *connection) configured() error {
	loader := c.flags.ToRawKubeConfigLoader()
	raw, err := loader.RawConfig()
	inside := os.Getenv("KUBERNETES_SERVICE_HOST") != "" // of a pod, which has its own way
	if err != nil || len(raw.Clusters) > 0 || *c.flags.APIServer != "" || inside {
		return nil
	}
	return fmt.Errorf("there is no way to a cluster: %s is not there, or names none (--kubeconfig or $KUBECONFIG says where it is, --server names an API server)",
		strings.Join(loader.ConfigAccess().GetLoadingPrecedence(), ", "))
}

// observe reads the cluster once, consistently.
func (c *connection) observe(ctx context.Context) (*cluster.Snapshot, error) {
	o, err := c.observer()
	if err != nil {
		return nil, err
	}
	defer o.Close()
	s, err := o.Observe(ctx, cluster.Fresh)
	if err != nil {
		return nil, err
	}
	return c.remember(ctx, s), nil
}

// survey reads the cluster once, for whoever needs its volumes one by one.
func (c *connection) survey(ctx context.Context) (*cluster.Snapshot, []iter.Seq[cluster.Volume], error) {
	o, err := c.observer()
	if err != nil {
		return nil, nil, err
	}
	defer o.Close()
	s, volumes, err := o.Survey(ctx)
	if err != nil {
		return nil, nil, err
	}
	return c.remember(ctx, s), volumes, nil
}

func (c *connection) observer() (*observe.Cluster, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	return observe.NewCluster(observe.Config{
		REST: cfg, Storages: c.app.Storages, StorageNamespace: c.storageNamespace, Probe: c.probe,
	})
}

// book is where the journal and the lock of rolls are kept.
func (c *connection) book() (*book.Book, error) {
	set, err := c.clientset()
	if err != nil {
		return nil, err
	}
	return book.New(book.Config{
		Clientset: set, Namespace: c.bookNamespace, Identity: c.who, LeaseDuration: c.lockDuration,
		RequestTimeout: min(book.DefaultRequestTimeout, c.lockDuration/4),
		SkewMargin:     min(book.DefaultSkewMargin, c.lockDuration/6),
		Copy:           copyOf(c.journalFile),
	})
}

// clientset is Kubernetes' own client.
func (c *connection) clientset() (*kubernetes.Clientset, error) {
	cfg, err := c.config()
	if err != nil {
		return nil, err
	}
	set, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return nil, fmt.Errorf("no client for Kubernetes: %w", err)
	}
	return set, nil
}

// identity says who holds the lock, for people and for the lock: no two
// processes share one.
func identity() string {
	who := "somebody"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "somewhere"
	}
	return fmt.Sprintf("%s@%s, process %d (%s)", who, host, os.Getpid(), strings.ToLower(rand.Text()[:4]))
}

// files reads files instead of a cluster.
func (c *connection) files(paths []string, recursive bool) (*cluster.Snapshot, error) {
	return observe.Files(observe.Input{
		Paths: paths, Recursive: recursive, Storages: c.app.Storages, Stdin: c.app.Streams.In,
	})
}
