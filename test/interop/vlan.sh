#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A VLAN: tagged packets are taken and answered with the tag; untagged ones are for somebody else.
# Between the kernel (untagged) and runnel stands a switch in miniature that tags and untags.
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
# net_up's link ends at the switch; a second one goes from there to runnel.
plain=$IF_B
trunk=rnl$$c
IF_B=rnl$$d
ip -n "$NS_B" link add "$trunk" type veth peer name "$IF_B" || give_up trunk "no second veth"
for link in "$trunk" "$IF_B"; do
	offloads_off "$NS_B" "$link"
	ip -n "$NS_B" link set "$link" up
done
spawn ip netns exec "$NS_B" /usr/bin/python3 "$here/peer.py" tagger "$plain" "$trunk" 100 \
	>"$STATE/tmp/tagger.out" 2>&1
switch=$child
within 10 grep -q ready "$STATE/tmp/tagger.out" || give_up switch "it does not start"

endpoint --vlan 100 --listen echo:7 --listen http:80
check ping in_a ping -q -c 3 -i 0.1 -W 1 $RUNNEL_IP
check curl in_a curl -sS -m 5 -o /dev/null http://$RUNNEL_IP/
check echo peer echo $RUNNEL_IP 7 5000000
# The switch passes tagged frames only, so the answers had their tag; it counts the others.
if grep -q "without the tag" "$STATE/tmp/tagger.out"; then
	fail replies-are-tagged "$(tail -n 1 "$STATE/tmp/tagger.out")"
else
	pass replies-are-tagged
fi
stop $switch TERM 5
spawn ip netns exec "$NS_B" /usr/bin/python3 "$here/peer.py" tagger "$plain" "$trunk" 101 \
	>"$STATE/tmp/tagger.out" 2>&1
within 10 grep -q ready "$STATE/tmp/tagger.out" || give_up switch "it does not start"
in_a ip neigh flush dev "$IF_A"
refute another-vlan-is-not-answered answers
endpoint_stop

# Without --vlan the port is untagged: what has a tag is not for it.
endpoint_untagged() {
	on_veth untagged "$RUNNEL" --ip "$RUNNEL_IP/$PREFIX_LEN" --listen echo:7
	endpoint=$child
	! within 3 answers
}
check tagged-is-not-answered-by-an-untagged-port endpoint_untagged
endpoint_stop stops-twice
finish
