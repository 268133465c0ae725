// SPDX-License-Identifier: Apache-2.0

package model

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	longhorn "github.com/longhorn/longhorn-manager/k8s/pkg/apis/longhorn/v1beta2"
	"k8s.io/apimachinery/pkg/types"
)

// Options is how a model is made. Zero values take the defaults named here.
type Options struct {
	Namespace string    // of Longhorn; longhorn-system
	Behaviour Behaviour // V181()
	Timing    Timing    // SeenTiming()
	Seed      uint64    // of names and UIDs
	DataPath  string    // of the default disk; /var/lib/longhorn/
}

// Model is a Longhorn installation. It is not safe for concurrent use.
type Model struct {
	options Options
	disks   Disks
	random  *rand.Rand

	installed bool

	now      time.Time
	next     time.Time // earliest thing that waits for time to pass
	waiting  map[wait]time.Time
	revision uint64
	stamps   map[Ref]uint64 // the revision at which each object last changed
	changes  []change       // the same in its order

	latest  [topics]uint64    // the revision of each topic's last change
	places  map[string]uint64 // and of that of what is on a node, on a disk, or in an instance manager
	resting [controllers]rest
	rests   [controllers]map[Object]*rest // of the controllers of one object each
	tours   [topics]tour                  // of those of volumes, replicas and engines
	called  []string                      // volumes about which something differs
	stirs   map[string]uint64             // how often that was so, by volume
	turn    time.Time                     // of the controller that looks: see turnAt
	stirred bool                          // and stir
	roomy   bool                          // it asked where there is room

	kube       map[string]NodeFacts
	boots      map[string]string   // last boot of each machine name
	pods       map[string]PodFacts // instance-manager pods by name
	claims     map[string]longhorn.KubernetesStatus
	hashes     map[string]string // names of instance managers by node
	lost       map[string]bool   // Longhorn nodes whose Kubernetes node was deleted
	registered map[string]bool   // manager processes that have made their node object

	volumes     *table[*longhorn.Volume]
	engines     *table[*longhorn.Engine]
	replicas    *table[*longhorn.Replica]
	lying       lying
	nodes       *table[*longhorn.Node]
	attachments *table[*longhorn.VolumeAttachment]
	managers    *table[*longhorn.InstanceManager]
	images      *table[*longhorn.EngineImage]
	settings    *table[*longhorn.Setting]

	budgets   map[string]bool       // disruption budgets that exist, by instance manager
	processes hosts[*process]       // of replicas, by replica
	running   hosts[*engineProcess] // of engines, by engine
	ports     map[types.UID]int     // next free port of an instance-manager pod
	rebuilds  map[string]Rebuild    // by volume, "" for all others
	retries   map[string]retry      // refused requests for a volume, by attachment
}

// New returns a Longhorn that has just been installed: its settings and its
// engine image exist, nodes appear as Kubernetes facts arrive.
func New(o Options, d Disks) *Model {
	if o.Namespace == "" {
		o.Namespace = "longhorn-system"
	}
	if o.Behaviour.Version == "" {
		o.Behaviour = V181()
	}
	if o.Timing == (Timing{}) {
		o.Timing = SeenTiming()
	}
	if o.DataPath == "" {
		o.DataPath = "/var/lib/longhorn/"
	}
	return &Model{
		options: o, disks: d, random: rand.New(rand.NewPCG(o.Seed, 0x6c6f6e67686f726e)),
		waiting: map[wait]time.Time{}, stamps: map[Ref]uint64{}, places: map[string]uint64{}, stirs: map[string]uint64{}, lying: newLying(),
		kube: map[string]NodeFacts{}, boots: map[string]string{}, pods: map[string]PodFacts{}, claims: map[string]longhorn.KubernetesStatus{},
		lost: map[string]bool{}, registered: map[string]bool{}, hashes: map[string]string{},
		volumes:     newTable[*longhorn.Volume](nil),
		engines:     newTable(func(e *longhorn.Engine) string { return e.Spec.VolumeName }),
		replicas:    newTable(func(r *longhorn.Replica) string { return r.Spec.VolumeName }),
		nodes:       newTable[*longhorn.Node](nil),
		attachments: newTable(func(a *longhorn.VolumeAttachment) string { return a.Spec.Volume }),
		managers:    newTable[*longhorn.InstanceManager](nil),
		images:      newTable[*longhorn.EngineImage](nil),
		settings:    newTable[*longhorn.Setting](nil),
		budgets:     map[string]bool{}, processes: newHosts[*process](), running: newHosts[*engineProcess](),
		ports: map[types.UID]int{}, rebuilds: map[string]Rebuild{}, retries: map[string]retry{},
	}
}

// Progress is what a step did.
type Progress struct {
	Changed bool      // something differs: step again at once
	Next    time.Time // when a step may do something if nothing else happens; zero = not before an input
}

// Step lets every controller look once at the time now, which never goes
// back, but for those that would find nothing to do (due.go). One step is one pass: states in between can be observed, and a world
// steps again until nothing changes.
func (m *Model) Step(now time.Time) Progress {
	if now.Before(m.now) {
		now = m.now
	}
	m.now, m.next = now, time.Time{}
	m.hear()
	before := m.revision

	m.install()
	m.look(&m.resting[reaper], m.last(ofFacts, ofProcesses), m.reap)
	m.syncNodes()
	m.look(&m.resting[imageController], m.last(ofFacts, ofNodes, ofImages, ofCounts), m.syncEngineImages)
	m.look(&m.resting[managerController], m.last(ofFacts, ofNodes, ofManagers), m.syncInstanceManagers)
	if m.anyManagerUp() {
		m.syncEvictionRequests()
		m.syncVolumes()
		m.look(&m.resting[budgetController], m.last(ofFacts, ofSettings, ofManagers, ofLists, ofReplicas, ofBudgets), m.syncBudgets)
	}
	m.syncProcessLists()
	m.retryLater()

	p := Progress{Changed: m.revision != before, Next: m.next}
	if p.Changed {
		p.Next = m.now
	}
	return p
}

// syncVolumes has the volumes, then the replicas, then the engines looked after.
func (m *Model) syncVolumes() {
	visit(m, &m.tours[ofVolumes], m.volumes, m.syncVolume)
	visit(m, &m.tours[ofReplicas], m.replicas, m.syncReplica)
	visit(m, &m.tours[ofEngines], m.engines, m.syncEngine)
}

// held reports whether cond has been true, at every step, for d. It is how
// the model waits: a key (waitKey) names one wait and is used in one place only.
func (m *Model) held(key wait, cond bool, d time.Duration) bool {
	if !cond {
		delete(m.waiting, key)
		return false
	}
	since, ok := m.waiting[key]
	if !ok {
		since = m.now
		m.waiting[key] = since
	}
	due := since.Add(d)
	if m.now.Before(due) {
		m.wakeAt(due)
		return false
	}
	return true
}

func (m *Model) wakeAt(t time.Time) { m.next = earlier(m.next, t) }

// stamp is the present as Longhorn writes it.
func (m *Model) stamp() string { return m.now.UTC().Format(time.RFC3339) }

func parseStamp(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// hex returns n random hexadecimal digits.
func (m *Model) hex(n int) string {
	const digits = "0123456789abcdef"
	b := make([]byte, n)
	for i := range b {
		b[i] = digits[m.random.IntN(len(digits))]
	}
	return string(b)
}

func (m *Model) newUID() types.UID {
	return types.UID(fmt.Sprintf("%s-%s-4%s-a%s-%s", m.hex(8), m.hex(4), m.hex(3), m.hex(3), m.hex(12)))
}

// upManagers returns the nodes whose Longhorn manager works, by name.
func (m *Model) upManagers() []string {
	var up []string
	for _, n := range m.nodes.all() {
		if m.managerUp(n.Name) {
			up = append(up, n.Name)
		}
	}
	return up
}

// anyManagerUp tells whether the Longhorn manager of any node works.
func (m *Model) anyManagerUp() bool {
	return slices.ContainsFunc(m.nodes.all(), func(n *longhorn.Node) bool { return m.managerUp(n.Name) })
}

// managerUp tells whether the Longhorn manager of a node works.
func (m *Model) managerUp(node string) bool {
	k, ok := m.kube[node]
	n := m.nodes.get(node)
	return ok && k.Ready && !k.PoweredOff && k.Manager != "" && n != nil && n.DeletionTimestamp == nil
}

// owner chooses the manager that looks after an object: the preferred node's,
// else the present owner, else another that works (v1.8.1
// controller/controller_manager.go isControllerResponsibleFor).
func (m *Model) owner(name, preferred, present string) string {
	if m.managerUp(preferred) {
		return preferred
	}
	if m.managerUp(present) {
		return present
	}
	up := m.upManagers()
	if len(up) == 0 {
		return present
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return up[int(h.Sum32()%uint32(len(up)))]
}
