// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/longhorn/types/pkg/generated/enginerpc"
	"github.com/longhorn/types/pkg/generated/imrpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Ports of an instance manager (longhorn-manager v1.8.1 engineapi).
const (
	processPort  = 8500
	proxyPort    = 8501
	diskPort     = 8502
	instancePort = 8503
)

// hostDisk is where an instance manager's pod sees the machine's disk.
const hostDisk = "/host/var/lib/longhorn"

// Place is where an instance manager runs.
type Place struct {
	Node    string
	IP      string // of its pod
	DiskDir string // the machine's disk
}

// Server is one instance manager: that of one pod.
type Server struct {
	imrpc.UnimplementedInstanceServiceServer
	plane   *Plane
	at      Place
	servers []*grpc.Server
	// listeners are closed with them: a server that was stopped before it began to
	// serve leaves its own open for a moment.
	listeners []net.Listener
	done      chan struct{}

	// The plane's lock guards these.
	instances map[string]*imrpc.InstanceResponse
	watchers  map[chan struct{}]bool
	nextPort  int32
}

// Serve starts an instance manager without processes on the place's address,
// which must exist. Close ends it.
func (p *Plane) Serve(ctx context.Context, at Place) (*Server, error) {
	s := &Server{
		plane: p, at: at, done: make(chan struct{}), nextPort: 10000,
		instances: map[string]*imrpc.InstanceResponse{}, watchers: map[chan struct{}]bool{},
	}
	for port, register := range map[int]func(*grpc.Server){
		processPort:  func(g *grpc.Server) { imrpc.RegisterProcessManagerServiceServer(g, processes{}) },
		proxyPort:    func(g *grpc.Server) { imrpc.RegisterProxyEngineServiceServer(g, &proxy{plane: p}) },
		diskPort:     func(g *grpc.Server) { imrpc.RegisterDiskServiceServer(g, imrpc.UnimplementedDiskServiceServer{}) },
		instancePort: func(g *grpc.Server) { imrpc.RegisterInstanceServiceServer(g, s) },
	} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(at.IP, strconv.Itoa(port)))
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("instance manager of %s: %w", at.Node, err)
		}
		g := grpc.NewServer(grpc.UnaryInterceptor(p.note))
		register(g)
		alive := health.NewServer()
		alive.SetServingStatus("", healthpb.HealthCheckResponse_SERVING)
		healthpb.RegisterHealthServer(g, alive)
		s.servers, s.listeners = append(s.servers, g), append(s.listeners, l)
		go func() { _ = g.Serve(l) }() // ends with Close
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.servers[s] = true
	return s, nil
}

// note remembers the calls that nobody answers.
func (p *Plane) note(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	res, err := handle(ctx, req)
	if status.Code(err) == codes.Unimplemented {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.unknown[info.FullMethod] = true
	}
	return res, err
}

// Close ends the instance manager with all its processes, at once.
func (s *Server) Close() {
	close(s.done)
	for _, g := range s.servers {
		g.Stop()
	}
	for _, l := range s.listeners {
		_ = l.Close() // most are closed already
	}
	p := s.plane
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.servers, s)
	for name := range s.instances {
		s.end(name)
	}
}

// end takes a process away.
func (s *Server) end(name string) {
	p := s.plane
	for address, r := range p.replicas {
		if r.name == name && r.node == s.at.Node {
			delete(p.replicas, address)
		}
	}
	for address, e := range p.engines {
		if e.name == name && e.node == s.at.Node {
			delete(p.engines, address)
		}
	}
}

// crashed notes that a process, if it is one of ours, ended by itself.
func (s *Server) crashed(name string) {
	if r, ok := s.instances[name]; ok {
		r.Status.State, r.Status.ErrorMsg = "error", "killed"
		s.tell()
	}
}

// tell wakes everybody who watches.
func (s *Server) tell() {
	for c := range s.watchers {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// InstanceCreate starts a replica or an engine.
func (s *Server) InstanceCreate(_ context.Context, req *imrpc.InstanceCreateRequest) (*imrpc.InstanceResponse, error) {
	s.plane.mu.Lock()
	defer s.plane.mu.Unlock()
	spec := req.GetSpec()
	if _, ok := s.instances[spec.GetName()]; ok {
		return nil, status.Errorf(codes.AlreadyExists, "instance %s already exists", spec.GetName())
	}
	ports := max(1, spec.GetPortCount())
	st := &imrpc.InstanceStatus{State: "running", PortStart: s.nextPort, PortEnd: s.nextPort + ports - 1, Conditions: map[string]bool{}}
	s.nextPort += ports
	address := net.JoinHostPort(s.at.IP, strconv.Itoa(int(st.PortStart)))
	var err error
	switch args := arguments(spec.GetProcessInstanceSpec().GetArgs()); spec.GetType() {
	case "replica":
		err = s.startReplica(spec, args, "tcp://"+address)
	case "engine":
		err = s.startEngine(spec, args, address)
	default:
		return nil, status.Errorf(codes.InvalidArgument, "unknown instance type %q", spec.GetType())
	}
	if err != nil {
		st.State, st.ErrorMsg = "error", err.Error()
		s.plane.log.Warn("process failed", "name", spec.GetName(), "error", err)
	}
	res := &imrpc.InstanceResponse{Spec: spec, Status: st}
	s.instances[spec.GetName()] = res
	s.tell()
	return res, nil
}

func (s *Server) startReplica(spec *imrpc.InstanceSpec, args arguments, address string) error {
	folder, ok := strings.CutPrefix(args.value("replica"), hostDisk)
	if !ok {
		return fmt.Errorf("the folder %q is not on the disk", args.value("replica"))
	}
	size, err := strconv.ParseInt(args.value("--size"), 10, 64)
	if err != nil {
		return fmt.Errorf("size: %w", err)
	}
	r := &replica{
		name: spec.GetName(), volume: spec.GetVolumeName(), node: s.at.Node, address: address,
		dir: filepath.Join(s.at.DiskDir, folder), counted: !args.has("--disableRevCounter"),
	}
	if err := r.open(size); err != nil {
		return err
	}
	s.plane.replicas[address] = r
	return nil
}

func (s *Server) startEngine(spec *imrpc.InstanceSpec, args arguments, address string) error {
	number := func(flag string) int64 {
		n, _ := strconv.ParseInt(args.value(flag), 10, 64) // absent is zero
		return n
	}
	e := &engine{
		name: spec.GetName(), volume: spec.GetVolumeName(), node: s.at.Node, address: address,
		size: number("--size"), frontend: args.value("--frontend"),
		frontendUp: args.value("--frontend") != "", unmap: args.has("--unmap-mark-snap-chain-removed"),
		snapshotMaxCount: int32(number("--snapshot-max-count")), snapshotMaxSize: number("--snapshot-max-size"),
		modes: map[string]enginerpc.ReplicaMode{}, names: map[string]string{}, rebuilds: map[string]*rebuild{},
	}
	if err := e.start(s.plane, args.values("--replica")); err != nil {
		return err
	}
	s.plane.engines[address] = e
	return nil
}

// errUnknown has the words by which the manager tells that an instance is gone
// (longhorn-manager v1.8.1 engineapi/instance_manager.go reads the text).
var errUnknown = errors.New("cannot find instance")

func (s *Server) get(name string) (*imrpc.InstanceResponse, error) {
	r, ok := s.instances[name]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "%v %s", errUnknown, name)
	}
	return r, nil
}

// InstanceDelete ends a process. Its folder stays.
func (s *Server) InstanceDelete(_ context.Context, req *imrpc.InstanceDeleteRequest) (*imrpc.InstanceResponse, error) {
	s.plane.mu.Lock()
	defer s.plane.mu.Unlock()
	r, err := s.get(req.GetName())
	if err != nil {
		return nil, err
	}
	s.end(req.GetName())
	delete(s.instances, req.GetName())
	s.tell()
	return &imrpc.InstanceResponse{Spec: r.GetSpec(), Status: &imrpc.InstanceStatus{State: "stopped", Conditions: map[string]bool{}}, Deleted: true}, nil
}

// InstanceGet tells of one process.
func (s *Server) InstanceGet(_ context.Context, req *imrpc.InstanceGetRequest) (*imrpc.InstanceResponse, error) {
	s.plane.mu.Lock()
	defer s.plane.mu.Unlock()
	r, err := s.get(req.GetName())
	if err != nil {
		return nil, err
	}
	return copyOf(r), nil
}

// InstanceList tells of all.
func (s *Server) InstanceList(context.Context, *emptypb.Empty) (*imrpc.InstanceListResponse, error) {
	s.plane.mu.Lock()
	defer s.plane.mu.Unlock()
	out := map[string]*imrpc.InstanceResponse{}
	for name, r := range s.instances {
		out[name] = copyOf(r)
	}
	return &imrpc.InstanceListResponse{Instances: out}, nil
}
