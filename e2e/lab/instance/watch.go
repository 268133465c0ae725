// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"

	"github.com/longhorn/types/pkg/generated/imrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
)

// copyOf returns what may leave the lock.
func copyOf(r *imrpc.InstanceResponse) *imrpc.InstanceResponse {
	out, _ := proto.Clone(r).(*imrpc.InstanceResponse)
	return out
}

// InstanceWatch sends a word at each change.
func (s *Server) InstanceWatch(_ *emptypb.Empty, stream imrpc.InstanceService_InstanceWatchServer) error {
	changed := make(chan struct{}, 1)
	s.plane.mu.Lock()
	s.watchers[changed] = true
	s.plane.mu.Unlock()
	defer func() {
		s.plane.mu.Lock()
		defer s.plane.mu.Unlock()
		delete(s.watchers, changed)
	}()
	for {
		select {
		case <-stream.Context().Done():
			return nil
		case <-s.done:
			return status.Error(codes.Unavailable, "the instance manager ends")
		case <-changed:
			if err := stream.Send(&emptypb.Empty{}); err != nil {
				return err
			}
		}
	}
}

// versions are those of the instance manager that belongs to Longhorn v1.8.1.
func versions() *imrpc.VersionResponse {
	return &imrpc.VersionResponse{
		Version: "lab", InstanceManagerAPIVersion: 6, InstanceManagerAPIMinVersion: 1,
		InstanceManagerProxyAPIVersion: 5, InstanceManagerProxyAPIMinVersion: 1,
	}
}

// VersionGet tells which calls can be made.
func (s *Server) VersionGet(context.Context, *emptypb.Empty) (*imrpc.VersionResponse, error) {
	return versions(), nil
}

// LogSetLevel takes note of nothing.
func (s *Server) LogSetLevel(context.Context, *imrpc.LogSetLevelRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// LogSetFlags takes note of nothing.
func (s *Server) LogSetFlags(context.Context, *imrpc.LogSetFlagsRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// processes answers the older interface, which the manager asks for the
// version before it knows that there is a newer one.
type processes struct {
	imrpc.UnimplementedProcessManagerServiceServer
}

// VersionGet tells which calls can be made.
func (processes) VersionGet(context.Context, *emptypb.Empty) (*imrpc.VersionResponse, error) {
	return versions(), nil
}
