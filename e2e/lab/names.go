// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"fmt"
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
)

// serveNames answers NAME.NAMESPACE.svc with the addresses of the service's
// ready endpoints: there is nothing in the lab that would translate a service's
// own address.
func (l *Lab) serveNames(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(l.kube, 0)
	slices := factory.Discovery().V1().EndpointSlices().Lister()
	factory.Discovery().V1().EndpointSlices().Informer()
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	c, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp", net.JoinHostPort(l.gateway.String(), "53"))
	if err != nil {
		return fmt.Errorf("name server: %w", err)
	}
	context.AfterFunc(ctx, func() { _ = c.Close() })
	l.tasks.Go(func() {
		defer factory.Shutdown()
		for buf := make([]byte, 1500); ; {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return // closed
			}
			if res, ok := answer(buf[:n], slices); ok {
				_, _ = c.WriteTo(res, from) // who gets no answer asks again
			}
		}
	})
	return nil
}

// answer answers one query; false if it is none.
func answer(query []byte, slices discoverylisters.EndpointSliceLister) ([]byte, bool) {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) == 0 {
		return nil, false
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	addresses := lookUp(q.Name.String(), slices)
	if len(addresses) == 0 {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, a := range addresses {
		if ip := net.ParseIP(a).To4(); ip != nil && q.Type == dnsmessage.TypeA {
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte(ip)},
			})
		}
	}
	res, err := m.Pack()
	return res, err == nil
}

func lookUp(name string, slices discoverylisters.EndpointSliceLister) []string {
	parts := strings.Split(name, ".")
	if len(parts) < 3 || parts[2] != "svc" {
		return nil
	}
	of := labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: parts[0]})
	found, err := slices.EndpointSlices(parts[1]).List(of)
	if err != nil {
		return nil // it is a read from memory
	}
	var out []string
	for _, s := range found {
		for _, e := range s.Endpoints {
			if e.Conditions.Ready != nil && *e.Conditions.Ready {
				out = append(out, e.Addresses...)
			}
		}
	}
	return out
}
