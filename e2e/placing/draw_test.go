// SPDX-License-Identifier: Apache-2.0

package placing_test

import (
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	lh "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/safe-roll/kubectl-safe-roll/e2e/placing"
)

const (
	gib         = int64(1) << 30
	engineImage = "longhorn-engine:v1.8.1"
	imImage     = "longhorn-instance-manager:v1.8.1"
	healthy     = "2020-01-02T03:04:05Z"
	failed      = "2020-01-02T04:04:05Z"
)

// sum is how Longhorn names what belongs to an image.
func sum(of string) string {
	h := sha512.Sum512([]byte(of))
	return hex.EncodeToString(h[:])[:8]
}

// chance draws one of the values.
func chance[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// one in so many.
func one(r *rand.Rand, in int) bool { return r.IntN(in) == 0 }

// drawn is a random cluster.
type drawn struct {
	*rand.Rand
	t       *testing.T
	nodes   []*lh.Node
	volumes []*lh.Volume
	other   map[string][]any // objects by resource
	kube    []*corev1.Node
	heeds   bool // cordons
	over    int64
	minimal int64
}

// draw is the cluster of a seed: nodes, disks, settings, volumes and replicas
// in many conditions, as objects. Nobody placed the replicas: what is compared
// is what Longhorn does from there.
func draw(t *testing.T, seed uint64) *drawn {
	d := &drawn{Rand: rand.New(rand.NewPCG(seed, 7)), t: t, other: map[string][]any{}}
	d.settings()
	deployed := map[string]bool{}
	for i := range 2 + d.IntN(5) {
		d.node(fmt.Sprintf("w%d", i+1), i == 0)
		deployed[fmt.Sprintf("w%d", i+1)] = !one(d.Rand, 25)
	}
	image := &lh.EngineImage{ObjectMeta: d.meta("ei-" + sum(engineImage)), Spec: lh.EngineImageSpec{Image: engineImage}}
	image.Status.State, image.Status.NodeDeploymentMap, image.Status.CLIAPIVersion = lh.EngineImageStateDeployed, deployed, 10
	d.put("engineimages", image)
	base := &lh.BackingImage{ObjectMeta: d.meta("base")}
	base.Spec.NodeSelector, base.Spec.DiskSelector = chance(d.Rand, nil, nil, []string{"ssd"}), chance(d.Rand, nil, nil, []string{"nvme"})
	base.Status.DiskFileStatusMap = map[string]*lh.BackingImageDiskFileStatus{gone + "-a": {State: lh.BackingImageStateReady}}
	d.put("backingimages", base)
	for i := range 1 + d.IntN(9) {
		d.volume(fmt.Sprintf("v%d", i))
	}
	d.pressure()
	return d
}

func (d *drawn) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: "longhorn-system", UID: types.UID("uid-" + name),
		CreationTimestamp: metav1.NewTime(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)),
	}
}

func (d *drawn) put(resource string, o any) { d.other[resource] = append(d.other[resource], o) }

// settings draws what decides placement; some are left to their defaults.
func (d *drawn) settings() {
	d.heeds, d.over, d.minimal = true, 100, 25
	set := func(name, value string) string {
		d.put("settings", &lh.Setting{ObjectMeta: d.meta(name), Value: value})
		return value
	}
	set("default-instance-manager-image", imImage)
	set("current-longhorn-version", "v1.8.1")
	for _, of := range [][]string{
		{"replica-soft-anti-affinity", "false", "true"},
		{"replica-zone-soft-anti-affinity", "true", "false"},
		{"replica-disk-soft-anti-affinity", "true", "false"},
		{"allow-empty-node-selector-volume", "true", "true", "true", "false"},
		{"allow-empty-disk-selector-volume", "true", "true", "true", "false"},
		{"replica-auto-balance", "disabled", "disabled", "disabled", "disabled", "least-effort", "best-effort"},
	} {
		if !one(d.Rand, 3) {
			set(of[0], chance(d.Rand, of[1:]...))
		}
	}
	if one(d.Rand, 2) {
		d.heeds = set("disable-scheduling-on-cordoned-node", chance(d.Rand, "true", "false")) == "true"
	}
	if one(d.Rand, 2) {
		d.over = chance[int64](d.Rand, 50, 100, 200, 500)
		set("storage-over-provisioning-percentage", fmt.Sprint(d.over))
	}
	if one(d.Rand, 2) {
		d.minimal = chance[int64](d.Rand, 0, 10, 25, 50)
		set("storage-minimal-available-percentage", fmt.Sprint(d.minimal))
	}
	if one(d.Rand, 30) {
		set("concurrent-replica-rebuild-per-node-limit", "0")
	}
}

func condition(kind string, yes bool, reason string) lh.Condition {
	c := lh.Condition{Type: kind, Status: lh.ConditionStatusTrue, Reason: reason, LastTransitionTime: healthy}
	if !yes {
		c.Status = lh.ConditionStatusFalse
	}
	return c
}

// node draws one with its disks, its instance manager and its Kubernetes node.
func (d *drawn) node(name string, leaving bool) {
	trouble := func(in int) bool { return !leaving && one(d.Rand, in) }
	n := &lh.Node{ObjectMeta: d.meta(name), Spec: lh.NodeSpec{Name: name, AllowScheduling: !trouble(15), EvictionRequested: false}}
	n.Spec.Tags = chance(d.Rand, nil, nil, []string{"ssd"}, []string{"ssd", "fast"})
	n.Status.Zone = chance(d.Rand, "", "a", "a", "b", "c")
	cordoned := trouble(15)
	reason := ""
	if cordoned && d.heeds {
		reason = lh.NodeConditionReasonKubernetesNodeCordoned
	}
	n.Status.Conditions = []lh.Condition{
		condition(lh.NodeConditionTypeReady, !trouble(20), ""),
		condition(lh.NodeConditionTypeSchedulable, !(cordoned && d.heeds), reason),
	}
	n.Spec.Disks, n.Status.DiskStatus = map[string]lh.DiskSpec{}, map[string]*lh.DiskStatus{}
	for _, disk := range []string{"a", "b", "c"}[:1+d.IntN(3)] {
		d.disk(n, disk, leaving)
	}
	d.nodes = append(d.nodes, n)
	k := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("kube-" + name)}}
	k.Spec.Unschedulable = cordoned
	d.kube = append(d.kube, k)
	if trouble(25) {
		return // no instance manager
	}
	im := &lh.InstanceManager{ObjectMeta: d.meta("im-" + name)}
	im.Labels = map[string]string{
		"longhorn.io/managed-by": "longhorn-manager", "longhorn.io/component": "instance-manager",
		"longhorn.io/instance-manager-type": "aio", "longhorn.io/node": name, "longhorn.io/data-engine": "v1",
		"longhorn.io/instance-manager-image": "imi-" + sum(strings.NewReplacer(":", "-", "/", "-").Replace(imImage)),
	}
	im.Spec = lh.InstanceManagerSpec{NodeID: name, Image: imImage, Type: lh.InstanceManagerTypeAllInOne, DataEngine: lh.DataEngineTypeV1}
	im.Status.CurrentState = lh.InstanceManagerStateRunning
	if trouble(25) {
		im.Status.CurrentState = chance(d.Rand, lh.InstanceManagerStateError, lh.InstanceManagerStateUnknown, lh.InstanceManagerStateStarting)
	}
	d.put("instancemanagers", im)
}

func (d *drawn) disk(n *lh.Node, name string, leaving bool) {
	trouble := func(in int) bool { return !leaving && one(d.Rand, in) }
	size := int64(10+d.IntN(90)) * gib
	spec := lh.DiskSpec{
		Type: lh.DiskTypeFilesystem, Path: "/" + name, AllowScheduling: !trouble(15), EvictionRequested: trouble(25),
		StorageReserved: chance(d.Rand, 0, size/10, size/3), Tags: chance(d.Rand, nil, nil, []string{"nvme"}),
	}
	if one(d.Rand, 20) {
		spec.Type = lh.DiskTypeBlock
	}
	status := &lh.DiskStatus{
		DiskUUID: n.Name + "-" + name, DiskPath: spec.Path, Type: spec.Type, FSType: chance(d.Rand, "ext4", "ext2/ext3", "xfs"),
		StorageMaximum: size, StorageAvailable: size - d.Int64N(size/2), ScheduledReplica: map[string]int64{},
		Conditions: []lh.Condition{
			condition(lh.DiskConditionTypeReady, !trouble(25), ""), condition(lh.DiskConditionTypeSchedulable, !trouble(20), ""),
		},
	}
	if !trouble(30) {
		n.Spec.Disks[name] = spec
	}
	if !trouble(30) {
		n.Status.DiskStatus[name] = status
	}
}

// question is the cluster as it is asked about; the volumes come in some order.
func (d *drawn) question(leaving string) placing.Question {
	q := placing.Question{Objects: map[string][]json.RawMessage{}, Leaving: leaving}
	put := func(resource string, o any) {
		raw, err := json.Marshal(o)
		if err != nil {
			d.t.Fatal(err)
		}
		if resource == "" {
			q.Kube = append(q.Kube, raw)
			return
		}
		q.Objects[resource] = append(q.Objects[resource], raw)
	}
	for _, n := range d.nodes {
		put("nodes", n)
	}
	for _, v := range d.volumes {
		put("volumes", v)
		q.Order = append(q.Order, v.Name)
	}
	for resource, objects := range d.other {
		for _, o := range objects {
			put(resource, o)
		}
	}
	for _, k := range d.kube {
		put("", k)
	}
	d.Shuffle(len(q.Order), func(i, k int) { q.Order[i], q.Order[k] = q.Order[k], q.Order[i] })
	return q
}
