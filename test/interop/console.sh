#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# runnel's console, driven by a pipe, with the kernel as the client that sees what it does.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
mkfifo "$STATE/tmp/keys"
exec 3<>"$STATE/tmp/keys"
printf 'set stats-period 0\nshow config\n' >"$STATE/tmp/commands"
# shellcheck disable=SC2046
spawn ip netns exec "$NS_B" "$RUNNEL" $(eal runnel "$CPU_1") --vdev "net_af_packet0,iface=$IF_B" \
	-- --ip $RUNNEL_IP/$PREFIX_LEN --listen echo:7 --listen http:80 -i \
	--cmdline-file "$STATE/tmp/commands" >"$STATE/tmp/runnel.out" 2>&1 3>&- <"$STATE/tmp/keys"
endpoint=$child
within 20 answers || give_up start "runnel does not answer"

# type LINE PATTERN: what the console prints after the line has the pattern.
type_line() {
	local seen
	seen=$(wc -c <"$STATE/tmp/runnel.out")
	printf '%s\n' "$1" >&3
	within 5 appeared "$seen" "$2"
}
appeared() {
	tail -c "+$(($1 + 1))" "$STATE/tmp/runnel.out" | grep -qE "$2"
}
echoes() {
	peer echo $RUNNEL_IP 7 1000
}

check commands-of-the-file within 5 grep -q "echo:7" "$STATE/tmp/runnel.out"
check silent-before-start peer refused $RUNNEL_IP 7
check help type_line help "show port"
type_line start .
check listens-after-start within 5 echoes
check show-port-info type_line "show port info all" "af_packet"
check show-port-stats type_line "show port stats 0" "[1-9]"
check show-port-xstats type_line "show port xstats 0" "rx_good_packets"
check show-stats type_line "show stats" "[1-9]"
spawn ip netns exec "$NS_A" /usr/bin/python3 -c "import socket, time
s = socket.create_connection(('$RUNNEL_IP', 7)); s.send(b'x'); s.recv(1); print('open', flush=True); time.sleep(600)" \
	>"$STATE/tmp/held.out"
held=$child
within 5 grep -q open "$STATE/tmp/held.out"
check show-conn type_line "show conn" "$KERNEL_IP.*ESTABLISHED|ESTABLISHED.*$KERNEL_IP"
id=$(tail -n 3 "$STATE/tmp/runnel.out" | sed -n "s/^ *\([0-9a-f]\{8,16\}\) ESTABLISHED.*/\1/p" | tail -n 1)
check show-conn-id type_line "show conn $id" "tcpi_rtt .* us"
check show-conn-no-id type_line "show conn nonsense" "is no connection"
check set-cc type_line "set cc newreno" .
check set-cc-shown type_line "show config" "echo:7 .newreno."
check set-cc-unknown type_line "set cc nonsense" "give cubic, newreno"
type_line stop .
check refuses-after-stop within 5 peer refused $RUNNEL_IP 7
check connections-outlive-stop type_line "show conn" "$KERNEL_IP"
stop "$held" TERM 5
printf 'start\n' >"$STATE/tmp/commands"
type_line "load $STATE/tmp/commands" .
check load within 5 echoes
check unknown-command type_line "frobnicate" "frobnicate|[Bb]ad|[Uu]nknown"
check clear type_line "clear stats" .
printf 'quit\n' >&3
ended() {
	[ -z "$(proc_start "$endpoint")" ]
}
check quit within 10 ended
check quit-status wait "$endpoint"
finish
