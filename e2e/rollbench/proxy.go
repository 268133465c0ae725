// SPDX-License-Identifier: Apache-2.0

package rollbench

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// proxy stands before the API server, and notes what is asked and when news was
// handed over. It speaks TLS, as the server does, so that the tool has no less to
// do; who asks through it has all rights.
type proxy struct {
	server *httptest.Server

	mu    sync.Mutex
	asked []*request
	news  []news
}

// request is one that was made, of one of the kinds below.
type request struct {
	at    time.Time
	kind  string
	bytes int64
}

// The kinds of requests.
const (
	watches = "watches begun"
	lists   = "lists"
	gets    = "reads of one object"
	writes  = "writes"
	lock    = "lock renewals"
)

// news is one event of a watch: what it is about, and the node that is named in
// its spec.
type news struct {
	at         time.Time
	kind, name string
	node       string
}

// newProxy starts it.
func newProxy(to *rest.Config) (*proxy, error) {
	transport, err := rest.TransportFor(to)
	if err != nil {
		return nil, err
	}
	host, err := url.Parse(to.Host)
	if err != nil {
		return nil, err
	}
	p := &proxy{}
	p.server = httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(host) },
		Transport: transport, FlushInterval: -1, ModifyResponse: p.note,
	})
	p.server.EnableHTTP2 = true
	p.server.StartTLS()
	return p, nil
}

func (p *proxy) close() {
	p.server.CloseClientConnections()
	p.server.Close()
}

// kubeconfig writes one that leads here.
func (p *proxy) kubeconfig(dir string) (string, error) {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.server.Certificate().Raw})
	file := clientcmdapi.NewConfig()
	file.Clusters["counted"] = &clientcmdapi.Cluster{Server: p.server.URL, CertificateAuthorityData: ca}
	file.Contexts["counted"] = &clientcmdapi.Context{Cluster: "counted"}
	file.CurrentContext = "counted"
	name := filepath.Join(dir, "counted.kubeconfig")
	return name, clientcmd.WriteToFile(*file, name)
}

// note takes down an answer, and has its body counted.
func (p *proxy) note(res *http.Response) error {
	r := &request{at: time.Now(), kind: kindOf(res.Request)}
	p.mu.Lock()
	p.asked = append(p.asked, r)
	p.mu.Unlock()
	var events *splitter
	if r.kind == watches {
		events = &splitter{proxy: p, kind: path.Base(res.Request.URL.Path)}
	}
	res.Body = &counted{ReadCloser: res.Body, proxy: p, of: r, events: events}
	return nil
}

// kindOf tells requests apart by their paths: that of a collection ends with a
// resource, and the lock is the only lease that is asked for by its name.
func kindOf(r *http.Request) string {
	_, lease, _ := strings.Cut(r.URL.Path, "/leases/")
	switch {
	case lease != "":
		return lock
	case r.Method != http.MethodGet:
		return writes
	case r.URL.Query().Get("watch") != "":
		return watches
	case r.URL.Query().Has("limit") || r.URL.Query().Has("resourceVersion"):
		return lists
	}
	return gets
}

// requests are all that were made so far.
func (p *proxy) requests() []request {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []request
	for _, r := range p.asked {
		out = append(out, *r)
	}
	return out
}

// delivered is all news so far.
func (p *proxy) delivered() []news {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]news(nil), p.news...)
}

// counted is the body of an answer.
type counted struct {
	io.ReadCloser
	proxy  *proxy
	of     *request
	events *splitter // of a watch
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.proxy.mu.Lock()
	c.of.bytes += int64(n)
	c.proxy.mu.Unlock()
	if c.events != nil {
		c.events.write(b[:n])
	}
	return n, err
}

// splitter finds the events in a watch, one a line.
type splitter struct {
	proxy *proxy
	kind  string
	line  []byte
}

func (s *splitter) write(b []byte) {
	now := time.Now()
	for {
		head, rest, whole := bytes.Cut(b, []byte("\n"))
		s.line = append(s.line, head...)
		if !whole {
			return
		}
		s.event(now)
		s.line, b = s.line[:0], rest
	}
}

func (s *splitter) event(now time.Time) {
	var e struct {
		Type   string
		Object struct {
			Metadata struct{ Name string }
			Spec     struct{ NodeID, NodeName string }
		}
	}
	if json.Unmarshal(s.line, &e) != nil || e.Type == "BOOKMARK" {
		return
	}
	n := news{at: now, kind: s.kind, name: e.Object.Metadata.Name, node: e.Object.Spec.NodeID + e.Object.Spec.NodeName}
	s.proxy.mu.Lock()
	s.proxy.news = append(s.proxy.news, n)
	s.proxy.mu.Unlock()
}
