#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# runnel-gen against servers of the Linux kernel: nginx, and plain sockets that echo, send, take, reset.
# shellcheck disable=SC2317
. "$(dirname "$0")/lib.sh"
begin

net_up || give_up namespaces "could not be made"
www=$STATE/tmp/www
mkdir -p "$www"
head -c 64 /dev/zero | tr '\0' x >"$www/64.txt"
head -c 1000000 /dev/urandom >"$www/1MB.bin"
cat >"$STATE/tmp/nginx.conf" <<CONF
daemon off;
master_process off;
pid $STATE/tmp/nginx.pid;
error_log $STATE/tmp/nginx.err;
events { worker_connections 4096; }
http {
	access_log off;
	keepalive_requests 1000000;
	client_body_temp_path $STATE/tmp/body;
	proxy_temp_path $STATE/tmp/proxy;
	fastcgi_temp_path $STATE/tmp/fastcgi;
	uwsgi_temp_path $STATE/tmp/uwsgi;
	scgi_temp_path $STATE/tmp/scgi;
	server { listen 8080 backlog=4096; root $www; }
}
CONF
spawn ip netns exec "$NS_A" nginx -c "$STATE/tmp/nginx.conf" -p "$STATE/tmp" >"$STATE/tmp/nginx.out" 2>&1
within 10 listening 8080 || give_up nginx "$(tail -n 1 "$STATE/tmp/nginx.out")"
kernel_serves 8001 echo
kernel_serves 8002 sink
kernel_serves 8003 source
kernel_serves 8004 rst

nginx_small() {
	generate nginx-small --server "$KERNEL_IP:8080" --mode http --path /64.txt -c 32 --duration 3 --max-errors 0 ||
		return
	from_json nginx-small 'str(j["measured"]["http_status"]["2xx"]) + " answers"'
}
nginx_large() {
	generate nginx-large --server "$KERNEL_IP:8080" --mode http --path /1MB.bin -c 4 --duration 3 --max-errors 0 ||
		return
	from_json nginx-large 'str(j["measured"]["http_status"]["2xx"]) + " answers"'
}
nginx_new_connections() {
	generate nginx-cps --server "$KERNEL_IP:8080" --mode http --path /64.txt -c 8 --requests-per-conn 10 \
		--close "$1" --duration 2 --max-errors 0
}
plain() {
	local name=$1
	shift
	generate "$name" --server "$@" --duration 2 --max-errors 0
}
check nginx-small nginx_small
check nginx-large nginx_large
check nginx-client-closes nginx_new_connections client
check nginx-client-resets nginx_new_connections rst
check echo plain echo $KERNEL_IP:8001 --mode rr --size 1000 -c 8 --verify
check bulk-to-the-kernel plain tx $KERNEL_IP:8002 --mode tx -c 2
check bulk-from-the-kernel plain rx $KERNEL_IP:8003 --mode rx -c 2 --verify

# A server that resets, and nobody at all: named, and not a pass.
reset_is_seen() {
	generate reset --server "$KERNEL_IP:8004" --mode rr -c 2 --duration 1 --max-errors 0
	[ $? = 2 ] && from_json reset 'str(j["errors"]["total"]) + " errors"'
}
refusal_is_seen() {
	generate refused --server "$KERNEL_IP:8999" --mode rr -c 2 --duration 1 --max-errors 0
	[ $? = 2 ] && from_json refused 'str(j["errors"]["total"]) + " errors"'
}
check reset-by-the-kernel reset_is_seen
check refused-by-the-kernel refusal_is_seen
check still-serves in_a curl -sS -m 5 -o /dev/null http://127.0.0.1:8080/64.txt

# The kernel reports what came of its connections: an orderly end for each of the bulk ones.
in_order() {
	grep -c "ended in order" "$STATE/tmp/serve-8001.out"
}
check ends-in-order in_order
finish
