// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/safe-roll/kubectl-safe-roll/pkg/cluster"
)

// subject is whom --bind names.
type subject struct{ kind, namespace, name string }

func newRBAC(app App, conn *connection, display string) *cobra.Command {
	var bind string
	cmd := &cobra.Command{
		Use:   "rbac [" + strings.Join(roleNames(), " | ") + "]",
		Short: "The least rights that safe-roll needs, as manifests to apply",
		Long: `Prints the rights that each kind of use needs, read off what the program asks
for: viewer (verify, plan, status, report), roller (everything that changes the
cluster; contains viewer), prober (looking into the directories of replicas,
besides either). Changes nothing.

The journal's ConfigMaps have names that nobody knows before, so the roller may
change every ConfigMap of the book's namespace. Where kube-system is too much
for that, make a namespace for it and give --book-namespace to every command.`,
		Example: examples(display,
			"% rbac | kubectl apply -f -",
			"% rbac viewer --bind=serviceaccount:ci/gate | kubectl apply -f -",
			"% rbac roller --bind=user:ada --book-namespace=safe-roll | kubectl apply -f -"),
		Args:      oneRole,
		ValidArgs: roleNames(),
		RunE: func(_ *cobra.Command, args []string) error {
			who, err := parseSubject(bind)
			if err != nil {
				return err
			}
			all, err := conn.roles()
			if err != nil {
				return failed(err)
			}
			for _, r := range all {
				if len(args) > 0 && r.name != args[0] {
					continue
				}
				if err := r.print(app.Streams.Out, who); err != nil {
					return failed(err)
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&bind, "bind", "", "bind the roles too: user:NAME, group:NAME or serviceaccount:NAMESPACE/NAME")
	return cmd
}

// oneRole checks the argument, with the roles that there are.
func oneRole(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if err := exactly("one role")(cmd, args); err != nil {
		return err
	}
	if !slices.Contains(roleNames(), args[0]) {
		return usagef("there is no role %q; there are %s", args[0], strings.Join(roleNames(), ", "))
	}
	return nil
}

func parseSubject(bind string) (*subject, error) {
	if bind == "" {
		return nil, nil
	}
	kind, name, ok := strings.Cut(bind, ":")
	kinds := map[string]string{"user": "User", "group": "Group", "serviceaccount": "ServiceAccount"}
	s := subject{kind: kinds[strings.ToLower(kind)], name: name}
	if s.kind == "ServiceAccount" {
		s.namespace, s.name, ok = strings.Cut(name, "/")
	}
	if !ok || s.kind == "" || s.name == "" || strings.ContainsAny(bind, " \t\n\"'") {
		return nil, usagef("--bind=%s: give user:NAME, group:NAME or serviceaccount:NAMESPACE/NAME", bind)
	}
	return &s, nil
}

// places are the namespaces of a role's rights, the cluster first.
func (r role) places() []string {
	var out []string
	for _, x := range r.rights {
		if !slices.Contains(out, x.Namespace) {
			out = append(out, x.Namespace)
		}
	}
	slices.Sort(out)
	return out
}

// print writes the role as manifests: a ClusterRole for what is needed
// everywhere, a Role for each namespace, and their bindings.
func (r role) print(to io.Writer, who *subject) error {
	var b strings.Builder
	for _, place := range r.places() {
		kind := "Role"
		if place == "" {
			kind = "ClusterRole"
		}
		fmt.Fprintf(&b, "---\n# %s\n%s", r.means, head(kind, r.object(), place))
		b.WriteString("rules:\n")
		for _, rule := range rules(r.rights, place) {
			b.WriteString(rule)
		}
		if who != nil {
			b.WriteString("---\n" + head(kind+"Binding", r.object(), place))
			fmt.Fprintf(&b, "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: %s\n  name: %s\nsubjects:\n", kind, r.object())
			b.WriteString(who.yaml())
		}
	}
	if _, err := io.WriteString(to, b.String()); err != nil {
		return fmt.Errorf("the roles could not be written: %w", err)
	}
	return nil
}

func head(kind, name, namespace string) string {
	s := "apiVersion: rbac.authorization.k8s.io/v1\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n"
	if namespace != "" {
		s += "  namespace: " + namespace + "\n"
	}
	return s + "  labels:\n    app.kubernetes.io/name: kubectl-safe-roll\n"
}

func (s subject) yaml() string {
	out := "- kind: " + s.kind + "\n"
	if s.kind == "ServiceAccount" {
		return out + "  namespace: " + s.namespace + "\n  name: " + s.name + "\n"
	}
	return out + "  apiGroup: rbac.authorization.k8s.io\n  name: " + s.name + "\n"
}

// rules are the rules for one place; rights that differ in the resource alone
// are one rule.
func rules(rights []cluster.Right, place string) []string {
	type key struct{ group, verbs, name, why string }
	var order []key
	resources := map[key][]string{}
	for _, r := range rights {
		if r.Namespace != place {
			continue
		}
		k := key{r.Group, strings.Join(r.Verbs, ", "), r.Name, r.For}
		if resources[k] == nil {
			order = append(order, k)
		}
		resources[k] = append(resources[k], r.Resource)
	}
	var out []string
	for _, k := range order {
		rule := fmt.Sprintf("# %s\n- apiGroups: [%q]\n  resources: [%s]\n  verbs: [%s]\n", k.why, k.group, strings.Join(resources[k], ", "), k.verbs)
		if k.name != "" {
			rule += "  resourceNames: [" + k.name + "]\n"
		}
		out = append(out, rule)
	}
	return out
}
