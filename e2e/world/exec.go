// SPDX-License-Identifier: Apache-2.0

package world

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	utilexec "k8s.io/utils/exec"

	"github.com/safe-roll/kubectl-safe-roll/e2e/hollow"
	"github.com/safe-roll/kubectl-safe-roll/plugins/longhorn"
)

// looks answers the tool's look into the directories of replicas: the very
// script that it sends is run, on the disk of the machine. It implements
// hollow.Commands, and runs nothing else, whoever asks.
type looks struct{ dir string }

var errNoCommand = errors.New("nothing runs in this pod that could run this command")

// Exec implements hollow.Commands.
func (l looks) Exec(ctx context.Context, c hollow.Command) error {
	if c.Pod.Labels["longhorn.io/component"] != "instance-manager" ||
		len(c.Args) < 6 || c.Args[0] != "/bin/sh" || c.Args[1] != "-c" || c.Args[2] != longhorn.ProbeScript() {
		return errNoCommand
	}
	// The machine has a boot of its own, and one disk, which is at every path.
	boot := filepath.Join(l.dir, "boot-"+c.Machine.BootID)
	if err := os.WriteFile(boot, []byte(c.Machine.BootID+"\n"), 0o600); err != nil {
		return fmt.Errorf("boot ID of %s: %w", c.Machine.Name, err)
	}
	args := append([]string{"-c", c.Args[2], c.Args[3], boot, c.Machine.DiskDir}, c.Args[6:]...)
	if !strings.HasPrefix(c.Args[5], "/host/") {
		return fmt.Errorf("%s is no path of the machine", c.Args[5])
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", args...)
	cmd.Stdout, cmd.Stderr = c.Out, c.Err
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return utilexec.CodeExitError{Err: err, Code: exit.ExitCode()}
	}
	return err
}
