// SPDX-License-Identifier: Apache-2.0

package instance

import (
	"context"
	"slices"

	"github.com/longhorn/types/pkg/generated/enginerpc"
	"github.com/longhorn/types/pkg/generated/imrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// proxy answers for engines, wherever they run: a call names the engine by its
// address. What is not here has not been called by the manager in the lab;
// Plane.Unanswered tells if it ever is.
type proxy struct {
	imrpc.UnimplementedProxyEngineServiceServer
	plane *Plane
}

// with runs do with the engine that the call is about, under the lock.
func (p *proxy) with(r *imrpc.ProxyEngineRequest, do func(*engine)) error {
	p.plane.mu.Lock()
	defer p.plane.mu.Unlock()
	e := p.plane.engines[r.GetAddress()]
	if e == nil {
		return status.Errorf(codes.Unavailable, "no engine listens at %s", r.GetAddress())
	}
	do(e)
	return nil
}

// VolumeGet tells how the engine does.
func (p *proxy) VolumeGet(_ context.Context, r *imrpc.ProxyEngineRequest) (*imrpc.EngineVolumeGetProxyResponse, error) {
	out := &enginerpc.Volume{FrontendState: "down"}
	err := p.with(r, func(e *engine) {
		out.Name, out.Size, out.ReplicaCount, out.Frontend = e.volume, e.size, int32(len(e.modes)), e.frontend
		out.UnmapMarkSnapChainRemoved, out.SnapshotMaxCount, out.SnapshotMaxSize = e.unmap, e.snapshotMaxCount, e.snapshotMaxSize
		if e.frontendUp {
			out.FrontendState, out.Endpoint = "up", "/dev/longhorn/"+e.volume
		}
	})
	return &imrpc.EngineVolumeGetProxyResponse{Volume: out}, err
}

// ReplicaList tells with which replicas the engine works.
func (p *proxy) ReplicaList(_ context.Context, r *imrpc.ProxyEngineRequest) (*imrpc.EngineReplicaListProxyResponse, error) {
	out := &enginerpc.ReplicaListReply{}
	err := p.with(r, func(e *engine) {
		e.refresh(p.plane)
		for address, mode := range e.modes {
			a := &enginerpc.ReplicaAddress{Address: address, InstanceName: e.names[address]}
			out.Replicas = append(out.Replicas, &enginerpc.ControllerReplica{Address: a, Mode: mode})
		}
	})
	return &imrpc.EngineReplicaListProxyResponse{ReplicaList: out}, err
}

// ReplicaAdd rebuilds a replica; it returns when that is done.
func (p *proxy) ReplicaAdd(ctx context.Context, r *imrpc.EngineReplicaAddRequest) (*emptypb.Empty, error) {
	var e *engine
	if err := p.with(r.GetProxyEngineRequest(), func(it *engine) { e = it }); err != nil {
		return nil, err
	}
	if err := p.plane.addReplica(ctx, e, r.GetReplicaAddress()); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return &emptypb.Empty{}, nil
}

// ReplicaRemove has the engine forget a replica.
func (p *proxy) ReplicaRemove(_ context.Context, r *imrpc.EngineReplicaRemoveRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.with(r.GetProxyEngineRequest(), func(e *engine) {
		delete(e.modes, r.GetReplicaAddress())
		delete(e.rebuilds, r.GetReplicaAddress())
	})
}

// ReplicaModeUpdate has the engine treat a replica otherwise.
func (p *proxy) ReplicaModeUpdate(_ context.Context, r *imrpc.EngineReplicaModeUpdateRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.with(r.GetProxyEngineRequest(), func(e *engine) { e.modes[r.GetReplicaAddress()] = r.GetMode() })
}

// ReplicaVerifyRebuild has nothing to add.
func (p *proxy) ReplicaVerifyRebuild(context.Context, *imrpc.EngineReplicaVerifyRebuildRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// ReplicaRebuildingStatus tells how the copies do.
func (p *proxy) ReplicaRebuildingStatus(_ context.Context, r *imrpc.ProxyEngineRequest) (*imrpc.EngineReplicaRebuildStatusProxyResponse, error) {
	out := map[string]*enginerpc.ReplicaRebuildStatusResponse{}
	err := p.with(r, func(e *engine) {
		for address, b := range e.rebuilds {
			out[address] = &enginerpc.ReplicaRebuildStatusResponse{
				IsRebuilding: b.running, Error: b.failure, Progress: b.progress, State: b.state, FromReplicaAddress: b.from,
			}
		}
	})
	return &imrpc.EngineReplicaRebuildStatusProxyResponse{Status: out}, err
}

// SnapshotPurge finds nothing to purge.
func (p *proxy) SnapshotPurge(context.Context, *imrpc.EngineSnapshotPurgeRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// SnapshotPurgeStatus tells that nothing is being purged.
func (p *proxy) SnapshotPurgeStatus(_ context.Context, r *imrpc.ProxyEngineRequest) (*imrpc.EngineSnapshotPurgeStatusProxyResponse, error) {
	out := map[string]*enginerpc.SnapshotPurgeStatusResponse{}
	err := p.with(r, func(e *engine) {
		for address := range e.modes {
			out[address] = &enginerpc.SnapshotPurgeStatusResponse{}
		}
	})
	return &imrpc.EngineSnapshotPurgeStatusProxyResponse{Status: out}, err
}

// SnapshotCloneStatus tells that nothing is being cloned.
func (p *proxy) SnapshotCloneStatus(_ context.Context, r *imrpc.ProxyEngineRequest) (*imrpc.EngineSnapshotCloneStatusProxyResponse, error) {
	err := p.with(r, func(*engine) {})
	return &imrpc.EngineSnapshotCloneStatusProxyResponse{Status: map[string]*enginerpc.SnapshotCloneStatusResponse{}}, err
}

// BackupRestoreStatus tells that nothing is being restored.
func (p *proxy) BackupRestoreStatus(_ context.Context, r *imrpc.ProxyEngineRequest) (*imrpc.EngineBackupRestoreStatusProxyResponse, error) {
	out := map[string]*imrpc.EngineBackupRestoreStatus{}
	err := p.with(r, func(e *engine) {
		for address := range e.modes {
			out[address] = &imrpc.EngineBackupRestoreStatus{}
		}
	})
	return &imrpc.EngineBackupRestoreStatusProxyResponse{Status: out}, err
}

// CleanupBackupMountPoints finds none.
func (p *proxy) CleanupBackupMountPoints(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// SnapshotList tells the chain, with the head at its end.
func (p *proxy) SnapshotList(_ context.Context, r *imrpc.ProxyEngineRequest) (*imrpc.EngineSnapshotListProxyResponse, error) {
	const head = "volume-head"
	out := map[string]*imrpc.EngineSnapshotDiskInfo{}
	err := p.with(r, func(e *engine) {
		parent := ""
		for i, s := range append(slices.Clone(e.snapshots), snapshot{name: head}) {
			children := map[string]bool{}
			if s.name != head {
				children[head] = true
				if i+1 < len(e.snapshots) {
					children = map[string]bool{e.snapshots[i+1].name: true}
				}
			}
			out[s.name] = &imrpc.EngineSnapshotDiskInfo{
				Name: s.name, Parent: parent, Children: children, Created: s.created, Size: "0", Labels: map[string]string{},
			}
			parent = s.name
		}
	})
	return &imrpc.EngineSnapshotListProxyResponse{Disks: out}, err
}

// VolumeSnapshot makes a snapshot, in name.
func (p *proxy) VolumeSnapshot(_ context.Context, r *imrpc.EngineVolumeSnapshotRequest) (*imrpc.EngineVolumeSnapshotProxyResponse, error) {
	name := r.GetSnapshotVolume().GetName()
	err := p.with(r.GetProxyEngineRequest(), func(e *engine) { e.snap(name) })
	return &imrpc.EngineVolumeSnapshotProxyResponse{Snapshot: &enginerpc.VolumeSnapshotReply{Name: name}}, err
}

// SnapshotRemove forgets snapshots.
func (p *proxy) SnapshotRemove(_ context.Context, r *imrpc.EngineSnapshotRemoveRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.with(r.GetProxyEngineRequest(), func(e *engine) {
		e.snapshots = slices.DeleteFunc(e.snapshots, func(s snapshot) bool { return slices.Contains(r.GetNames(), s.name) })
	})
}

// VolumeFrontendStart gives the volume its device.
func (p *proxy) VolumeFrontendStart(_ context.Context, r *imrpc.EngineVolumeFrontendStartRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.with(r.GetProxyEngineRequest(), func(e *engine) {
		e.frontend, e.frontendUp = r.GetFrontendStart().GetFrontend(), true
	})
}

// VolumeFrontendShutdown takes it away.
func (p *proxy) VolumeFrontendShutdown(_ context.Context, r *imrpc.ProxyEngineRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.with(r, func(e *engine) { e.frontendUp = false })
}

// VolumeUnmapMarkSnapChainRemovedSet takes note.
func (p *proxy) VolumeUnmapMarkSnapChainRemovedSet(_ context.Context, r *imrpc.EngineVolumeUnmapMarkSnapChainRemovedSetRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.with(r.GetProxyEngineRequest(), func(e *engine) { e.unmap = r.GetUnmapMarkSnap().GetEnabled() })
}

// VolumeSnapshotMaxCountSet takes note.
func (p *proxy) VolumeSnapshotMaxCountSet(_ context.Context, r *imrpc.EngineVolumeSnapshotMaxCountSetRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.with(r.GetProxyEngineRequest(), func(e *engine) { e.snapshotMaxCount = r.GetCount().GetCount() })
}

// VolumeSnapshotMaxSizeSet takes note.
func (p *proxy) VolumeSnapshotMaxSizeSet(_ context.Context, r *imrpc.EngineVolumeSnapshotMaxSizeSetRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, p.with(r.GetProxyEngineRequest(), func(e *engine) { e.snapshotMaxSize = r.GetSize().GetSize() })
}

// MetricsGet measures nothing.
func (p *proxy) MetricsGet(context.Context, *imrpc.ProxyEngineRequest) (*imrpc.EngineMetricsGetProxyResponse, error) {
	return &imrpc.EngineMetricsGetProxyResponse{Metrics: &enginerpc.Metrics{}}, nil
}

// SPDKBackingImageList finds none.
func (p *proxy) SPDKBackingImageList(context.Context, *emptypb.Empty) (*imrpc.SPDKBackingImageListResponse, error) {
	return &imrpc.SPDKBackingImageListResponse{}, nil
}

// RemountReadOnlyVolume finds nothing that is read-only.
func (p *proxy) RemountReadOnlyVolume(context.Context, *imrpc.RemountVolumeRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
