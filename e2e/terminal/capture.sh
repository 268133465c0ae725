#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Captures what an operator sees of a whole roll: three times the same three
# workers, on terminals of 80 and 200 columns and through a pipe. `make terminal`
# runs it as the shell of a bench, so that kubectl, the plugin and machine are on
# the PATH. It needs tmux.
#
# Written into the folder that $CAPTURES names:
#   run-80.txt, run-200.txt    all that the terminal holds at the end
#   moving-80.txt, ...         its last line, the one that moves, as it changed
#   run-piped.txt              what a roll writes where there is no terminal
#   status-80.txt              the same roll, told by status -w in another terminal
set -euo pipefail
# The bench starts this as $SHELL, which tmux would start again in each window.
export SHELL=/bin/bash
: "${CAPTURES:?the folder to write to}"
mkdir -p "$CAPTURES"
export SHELL=/bin/sh # tmux starts what it runs by it, and it was this script
server=safe-roll-$$
trap 'tmux -L "$server" kill-server 2>/dev/null || true' EXIT

roll=(kubectl safe-roll run worker-1 worker-2 worker-3 --look-interval=5s)
typed="${roll[*]} --replace-command='machine replace'"

# open NAME WIDTH: a shell with nothing of the user's in a terminal of its own.
open() {
  tmux -L "$server" -f /dev/null set -g history-limit 5000 \; set -g status off \; \
    new-session -d -s "$1" -x "$2" -y 24 env PS1='$ ' bash --noprofile --norc
  until screen "$1" | grep -q '^\$'; do sleep 0.2; done
}

type() { tmux -L "$server" send-keys -t "$1" -l "$2" \; send-keys -t "$1" Enter; }
screen() { tmux -L "$server" capture-pane -p -t "$1"; }
all() { tmux -L "$server" capture-pane -p -S - -t "$1" | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'; }
last() { screen "$1" | grep -v '^$' | tail -n 1; }

# waits NAME PATTERN: until the last line is like that; at most ten minutes.
waits() {
  for _ in $(seq 1200); do
    if last "$1" | grep -q "$2"; then return; fi
    sleep 0.5
  done
  echo "the terminal never showed $2:" >&2
  screen "$1" >&2
  return 1
}

# moving NAME FILE: the last line a moment after it began to tell another phase,
# until the prompt is there again.
moving() {
  : >"$2"
  local line told= where
  while line=$(last "$1"); [ "$line" != '$' ]; do
    where=$(sed -n 's/^[-\\|/] \(.* · [a-z ]*[a-z]\)  .*/\1/p' <<<"$line")
    if [ -n "$where" ] && [ "$where" != "$told" ]; then
      sleep 1
      line=$(last "$1")
      case $line in [-\\\|/]" $where  "*) told=$where; echo "$line" >>"$2" ;; esac
    fi
    sleep 0.2
  done
}

for width in 80 200; do
  open "w$width" "$width"
  type "w$width" "$typed"
  waits "w$width" 'Begin?'
  type "w$width" yes
  if [ "$width" = 80 ]; then
    open watch 80
    waits w80 evacuate
    type watch 'kubectl safe-roll status -w'
  fi
  moving "w$width" "$CAPTURES/moving-$width.txt"
  all "w$width" >"$CAPTURES/run-$width.txt"
  if [ "$width" = 80 ]; then
    waits watch '^\$$'
    all watch >"$CAPTURES/status-80.txt"
  fi
done

{
  echo "\$ $typed --yes 2>&1 | cat"
  "${roll[@]}" --replace-command='machine replace' --yes 2>&1 | cat
} >"$CAPTURES/run-piped.txt"
