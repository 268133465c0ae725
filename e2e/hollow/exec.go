// SPDX-License-Identifier: Apache-2.0

package hollow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
)

// Commands runs commands in pods, as kubectl exec does.
type Commands interface {
	// Exec runs the command in a pod that runs on the machine, and returns when
	// it has ended: nil, an error with ExitStatus (k8s.io/utils/exec), or why it
	// could not be run.
	Exec(ctx context.Context, c Command) error
}

// Command is one command in one pod.
type Command struct {
	Machine   Node
	Pod       *corev1.Pod
	Container string
	Args      []string
	Out, Err  io.Writer
}

const (
	// execIdle is how long a command may be silent, execStreams how long a
	// client may take to open its streams.
	execIdle    = time.Minute
	execStreams = 10 * time.Second
)

// ExecAddressType is the kind of a Node's addresses at which its kubelet can be
// reached, for the API server's --kubelet-preferred-address-types: the others
// are addresses at which nothing listens.
const ExecAddressType = corev1.NodeExternalIP

// endpoint is the port of the kubelets, one for the whole fleet: which machine
// is meant is told by the pod.
type endpoint struct {
	fleet  *Fleet
	server *httptest.Server
}

// listen opens the port where commands can be run.
func (f *Fleet) listen() {
	if f.opts.Commands == nil {
		return
	}
	e := &endpoint{fleet: f}
	mux := http.NewServeMux()
	mux.HandleFunc("/exec/{namespace}/{pod}/{container}", e.exec)
	e.server = httptest.NewTLSServer(mux) // on the loopback; the API server does not check whose certificate it is
	f.endpoint = e
}

func (e *endpoint) close() {
	if e != nil {
		e.server.CloseClientConnections()
		e.server.Close()
	}
}

// status is what a Node says of the port, merged into its status.
func (e *endpoint) status(to map[string]any, addresses []corev1.NodeAddress) {
	if e == nil {
		return
	}
	host, port, err := net.SplitHostPort(e.server.Listener.Addr().String())
	if err != nil {
		return // the address of a listener has both
	}
	n, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		return
	}
	to["addresses"] = append(addresses, corev1.NodeAddress{Type: ExecAddressType, Address: host})
	to["daemonEndpoints"] = corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(n)}}
}

// exec serves one command.
func (e *endpoint) exec(w http.ResponseWriter, r *http.Request) {
	c, err := e.find(r.PathValue("namespace"), r.PathValue("pod"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	opts, err := remotecommand.NewOptions(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.Args, c.Container = r.URL.Query()["command"], r.PathValue("container")
	remotecommand.ServeExec(w, r, runner{e.fleet.opts.Commands, c}, c.Pod.Name, string(c.Pod.UID), c.Container, c.Args,
		opts, execIdle, execStreams, remotecommand.SupportedStreamingProtocols)
}

var errNoPod = errors.New("no such pod runs here")

// find returns the pod of that name on a machine that is on.
func (e *endpoint) find(namespace, name string) (Command, error) {
	f := e.fleet
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.machines {
		k := m.kubelet()
		if k == nil {
			continue
		}
		if pod := k.runs(namespace, name); pod != nil {
			return Command{Machine: m.snapshot(), Pod: pod}, nil
		}
	}
	return Command{}, fmt.Errorf("%s/%s: %w", namespace, name, errNoPod)
}

// runs returns the pod of that name if it runs here.
func (k *kubelet) runs(namespace, name string) *corev1.Pod {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, w := range k.pods {
		pod := w.seen()
		if pod.Namespace == namespace && pod.Name == name && pod.Status.Phase == corev1.PodRunning && !w.removed() {
			return pod
		}
	}
	return nil
}

// runner gives one command to who runs it.
type runner struct {
	commands Commands
	command  Command
}

func (r runner) ExecInContainer(ctx context.Context, _, _, _ string, _ []string, _ io.Reader, out, errs io.WriteCloser,
	_ bool, _ <-chan remotecommand.TerminalSize, _ time.Duration,
) error {
	r.command.Out, r.command.Err = or(out), or(errs)
	return r.commands.Exec(ctx, r.command)
}

// or is a writer, also where the client did not ask for the stream.
func or(w io.WriteCloser) io.Writer {
	if w == nil {
		return io.Discard
	}
	return w
}
