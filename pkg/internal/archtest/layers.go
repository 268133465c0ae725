// SPDX-License-Identifier: Apache-2.0

package archtest

// Module is the path of the module whose house this is.
const Module = "github.com/safe-roll/kubectl-safe-roll"

// room is what one package may import, and why no more.
type room struct {
	// dir is the package's folder below the module. A trailing "/..." covers
	// the packages below it too.
	dir string
	// own are the folders of this module that it may import.
	own []string
	// others are import path prefixes from outside this module and the
	// standard library.
	others []string
	// pure rooms read no clock, file, environment or network and start no
	// goroutine.
	pure bool
	// why is printed when the rule is broken.
	why string
}

// layers is the table of rooms, from the words to the wiring. A package that
// is not in it fails the tests: whoever adds one decides here where it belongs.
func layers() []room {
	return append(append(pureRooms(), workingRooms()...), outerRooms()...)
}

func pureRooms() []room {
	return []room{
		{dir: "pkg/cluster", pure: true,
			why: "the words say what is; a word that needs a library is an opinion"},
		{dir: "pkg/api/v1alpha1", pure: true,
			why: "others import the public types; they must get nothing else with them"},
		{dir: "pkg/policy", pure: true, own: []string{"pkg/cluster"},
			why: "policy is data; flags and files are read in cli"},
		{dir: "pkg/assess", pure: true, own: []string{"pkg/cluster", "pkg/policy"},
			why: "a rule that can reach a cluster cannot be tested against every cluster"},
		{dir: "pkg/forecast", pure: true, own: []string{"pkg/cluster", "pkg/policy"},
			why: "how one storage system places replicas belongs to its plugin"},
		{dir: "pkg/decide", pure: true, own: []string{"pkg/cluster", "pkg/policy", "pkg/assess", "pkg/forecast"},
			why: "what to do now follows from facts alone, so that a killed run goes on by asking again"},
		{dir: "pkg/plugin", own: []string{"pkg/cluster", "pkg/forecast"},
			others: []string{"k8s.io/client-go/rest", "k8s.io/apimachinery/pkg/types"},
			why:    "the contract knows no implementation"},
		{dir: "pkg/plugin/narrow", pure: true, own: []string{"pkg/cluster"},
			others: []string{"github.com/go-json-experiment/json"},
			why:    "how an object is decoded depends on no kind"},
		{dir: "pkg/record", own: []string{"pkg/cluster", "pkg/assess", "pkg/decide"},
			why: "what happened is plain data; where it is kept is behind Book"},
		{dir: "pkg/oracle", own: []string{"pkg/cluster", "pkg/record"},
			why: "an oracle that asks the defendant is none: no assess, no decide"},
	}
}

func workingRooms() []room {
	words := []string{"pkg/cluster", "pkg/policy"}
	kube := []string{"k8s.io/api/", "k8s.io/apimachinery/", "k8s.io/client-go/", "k8s.io/cli-runtime/", "k8s.io/utils/", "sigs.k8s.io/yaml"}
	return []room{
		{dir: "pkg/observe", own: append([]string{"pkg/plugin", "pkg/plugin/narrow"}, words...), others: append([]string{"github.com/go-json-experiment/json", "k8s.io/streaming/"}, kube...),
			why: "reading is not judging: no assess, no decide"},
		{dir: "pkg/act", own: append([]string{"pkg/plugin", "pkg/decide"}, words...),
			others: kube,
			why:    "a deed is done as it was decided: no rules, no loops, no observing"},
		{dir: "pkg/act/fakeapi", others: kube,
			why: "an API server for tests knows nothing of what is tested"},
		{dir: "pkg/book", own: append([]string{"pkg/record", "pkg/decide"}, words...), others: kube,
			why: "the book keeps what it is given and judges none of it"},
		{dir: "pkg/book/booktest", own: []string{"pkg/record", "pkg/decide", "pkg/cluster"},
			why: "what every book must hold knows no book"},
		{dir: "plugins/longhorn/...", own: []string{"pkg/plugin", "pkg/plugin/narrow", "pkg/cluster", "pkg/forecast", "plugins/longhorn/..."},
			others: []string{"github.com/go-json-experiment/json", "github.com/longhorn/longhorn-manager/k8s/pkg/", "k8s.io/api/", "k8s.io/apimachinery/", "k8s.io/client-go/"},
			why:    "one storage system knows neither the engine nor its neighbours"},
		{dir: "pkg/scenario", own: words,
			why: "scenarios are told once for every test world, so they know none"},
		{dir: "pkg/live", own: []string{"pkg/cluster", "pkg/policy", "pkg/decide", "pkg/plugin", "pkg/record", "pkg/observe", "pkg/act", "pkg/book", "pkg/roll"},
			others: []string{"k8s.io/apimachinery/", "k8s.io/client-go/"},
			why:    "it joins rooms and holds no logic: nothing here may judge"},
		{dir: "pkg/trail", own: []string{"pkg/cluster", "pkg/assess", "pkg/decide", "pkg/roll"}, others: kube,
			why: "what is left for others to find is told by reports, and nothing here is read back"},
		{dir: "pkg/roll", own: []string{"pkg/cluster", "pkg/policy", "pkg/assess", "pkg/forecast", "pkg/decide", "pkg/record"},
			why: "the loop sees the cluster through World alone, or the simulator would test something else"},
		{dir: "pkg/sim",
			own: []string{"pkg/cluster", "pkg/policy", "pkg/assess", "pkg/forecast", "pkg/decide", "pkg/plugin", "pkg/record", "pkg/book", "pkg/act",
				"pkg/roll", "pkg/oracle", "pkg/scenario", "plugins/longhorn/..."},
			others: []string{"github.com/longhorn/longhorn-manager/k8s/pkg/apis/", "k8s.io/apimachinery/", "k8s.io/client-go/rest"},
			why:    "a world in memory joins what it tests, and opens no connection"},
	}
}

func outerRooms() []room {
	return []room{
		{dir: "pkg/view",
			own:    []string{"pkg/cluster", "pkg/policy", "pkg/assess", "pkg/forecast", "pkg/decide", "pkg/record", "pkg/roll", "pkg/plugin", "pkg/api/v1alpha1"},
			others: []string{"github.com/briandowns/spinner"},
			why:    "it turns conclusions into words and reaches no cluster"},
		{dir: "pkg/cli",
			own: []string{"pkg/cluster", "pkg/policy", "pkg/assess", "pkg/forecast", "pkg/decide", "pkg/plugin", "pkg/record",
				"pkg/observe", "pkg/act", "pkg/book", "pkg/live", "pkg/roll", "pkg/trail", "pkg/oracle", "pkg/view", "pkg/api/v1alpha1"},
			others: []string{"github.com/spf13/", "k8s.io/api/", "k8s.io/apimachinery/", "k8s.io/client-go/", "k8s.io/cli-runtime/", "k8s.io/klog/v2", "golang.org/x/term"},
			why:    "flags in, text out; which storage systems exist is told by main"},
		{dir: "plugins", own: []string{"pkg/plugin", "plugins/longhorn"},
			why: "the list of storage systems is a list"},
		{dir: "cmd/kubectl-safe_roll", own: []string{"pkg/cli", "plugins"},
			others: []string{"k8s.io/cli-runtime/pkg/genericiooptions"},
			why:    "main wires streams, signals, plugins and the exit code"},
		{dir: "pkg/internal/archtest",
			why: "the house rules depend on nothing that they judge"},
	}
}
