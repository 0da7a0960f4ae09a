# shellcheck shell=bash
# SPDX-License-Identifier: MPL-2.0
# routers: the table of the routers that are compared, and how each is started and stopped. Sourced by tests/bench/run.
# All run on free ports of 127.0.0.1 with nothing but what is written here, and are set up so that none of them drops,
# throttles, logs, or keeps anything on a disk.

# A name, what the generator speaks with it, its title, how it is set up.
routers_table() {
    cat <<'END'
one | line | FerryMQ, one process | as it is installed, but no admin endpoint, no port for ZeroMQ programs, and `log/level = warning`
two | line | FerryMQ, two processes | a gateway and a broker, the link over TCP; otherwise the same
one_long | line | FerryMQ, one process, no shortcuts | `gateway/shortcuts = 0`; otherwise the same
two_long | line | FerryMQ, two processes, no shortcuts | `gateway/shortcuts = 0`; otherwise the same
floor | line | the floor | `tests/bench/floor.c`: one thread, no ledger, no windows, nothing settled
nats | nats | NATS | `max_pending: 1GB`, `write_deadline: 60s`, `max_connections: 100000`
redis | redis | Redis | publish and subscribe; `client-output-buffer-limit pubsub 0 0 0`, `save ""`, `appendonly no`, `maxclients 15000`
mosquitto | mqtt | Mosquitto | QoS 0; `max_queued_messages`, `max_queued_bytes`, `max_inflight_messages` and `sys_interval` 0, `set_tcp_nodelay true`, `persistence false`, `log_type none`
ngircd | irc | ngIRCd | `MaxPenaltyTime`, `MaxConnections`, `MaxConnectionsIP` and `MaxJoins` 0; no DNS, Ident or PAM
two_gateways | line | FerryMQ, two gateways, one broker | as two processes without shortcuts
two_brokers | line | FerryMQ, two gateways, two brokers | the same; the brokers divide the names
four_gateways | line | FerryMQ, four gateways, one broker | as two processes
END
}

# router_field ROUTER NUMBER: of its line in the table.
router_field() {
    routers_table | sed -n "s/^$1 | /&/p" | awk -F ' [|] ' -v field="$2" '{ print $field }'
}

# router_version ROUTER: what it says of itself.
router_version() {
    case "$1" in
    nats) nats-server --version ;;
    redis) redis-server --version ;;
    mosquitto) mosquitto -h ;;
    ngircd) ngircd --version ;;
    *) build/release/bin/ferryd --version ;;
    esac | grep -o -m 1 '[0-9]\+\.[0-9.]*[0-9]' | head -n 1
}

files=$(mktemp -d) # configurations, logs and Unix sockets
port=              # where the router that runs listens, or is about to
gateways=          # the addresses that clients connect to, separated by commas
pids=()            # of its processes, in the order of their start
watch=()           # the generator's options for these
must_drain=0       # its processes must end with 0
options=()         # of its gateways, on top of what all have
long_way=(-s gateway/shortcuts=0)

# free_port: one below those that the kernel gives to clients, on which nobody listens.
free_port() {
    local free
    while free=$((10000 + RANDOM % 20000)) && (: <>"/dev/tcp/127.0.0.1/$free") 2>/dev/null; do :; done
    echo "$free"
}

# serve NAME PLACE COMMAND...: starts a process and waits until it listens at PLACE, a port or the path of a Unix socket.
# Fails if it ends before, as it does when somebody has taken the port meanwhile.
serve() {
    local name="$1" place="$2" attempt
    shift 2
    "$@" >"$files/$name.log" 2>&1 &
    pids+=("$!")
    watch+=(--watch "$name=$!")
    for ((attempt = 0; attempt < 500; attempt++)); do
        kill -0 "${pids[-1]}" 2>/dev/null || return 1
        if [ -S "$place" ] || (: <>"/dev/tcp/127.0.0.1/$place") 2>/dev/null; then
            return 0
        fi
        sleep 0.02
    done
    return 1
}

# ferryd NAME PLACE ARGUMENT...
ferryd() {
    must_drain=1
    serve "$1" "$2" build/release/bin/ferryd "${@:3}" -s admin/listen= -s log/level=warning
}

# broker NAME PLACE ENDPOINT
broker() {
    ferryd "$1" "$2" broker -s "broker/name=$1" -s "broker/listen=$3" -s broker/peer_listen=
}

# gateway NAME PORT BROKER...
gateway() {
    local name="$1" listen="$2" broker brokers=()
    shift 2
    for broker; do
        brokers+=(-s "gateway/broker=$broker")
    done
    ferryd "$name" "$listen" gateway -s "gateway/listen=tcp://127.0.0.1:$listen" "${brokers[@]}" "${options[@]}"
}

# several_gateways COUNT BROKER...
several_gateways() {
    local count="$1" number address
    shift
    gateways=
    for ((number = 1; number <= count; number++)); do
        address=$(free_port)
        gateway "gateway$number" "$address" "$@" || return
        gateways="$gateways${gateways:+,}127.0.0.1:$address"
    done
}

start_one() {
    ferryd ferryd "$port" all -s "gateway/listen=tcp://127.0.0.1:$port" -s "broker/listen=ipc://$files/nodes" \
        -s broker/peer_listen= "${options[@]}"
}

start_two() {
    local nodes
    nodes=$(free_port)
    broker broker "$nodes" "tcp://127.0.0.1:$nodes" && gateway gateway "$port" "broker=tcp://127.0.0.1:$nodes"
}

start_one_long() {
    options=("${long_way[@]}")
    start_one
}

start_two_long() {
    options=("${long_way[@]}")
    start_two
}

start_two_gateways() {
    options=("${long_way[@]}")
    broker broker "$port" "tcp://127.0.0.1:$port" && several_gateways 2 "broker=tcp://127.0.0.1:$port"
}

start_two_brokers() {
    local west
    west=$(free_port)
    options=("${long_way[@]}")
    broker east "$port" "tcp://127.0.0.1:$port" && broker west "$west" "tcp://127.0.0.1:$west" &&
        several_gateways 2 "east=tcp://127.0.0.1:$port" "west=tcp://127.0.0.1:$west"
}

start_four_gateways() {
    broker broker "$port" "tcp://127.0.0.1:$port" && several_gateways 4 "broker=tcp://127.0.0.1:$port"
}

start_floor() {
    serve floor "$port" build/release/tests/bench_floor "$port"
}

start_nats() {
    cat >"$files/nats.conf" <<END
listen: "127.0.0.1:$port"
max_pending: 1GB
write_deadline: "60s"
max_connections: 100000
END
    serve nats "$port" nats-server -c "$files/nats.conf"
}

start_redis() {
    cat >"$files/redis.conf" <<END
bind 127.0.0.1
port $port
save ""
appendonly no
maxclients 15000
client-output-buffer-limit pubsub 0 0 0
END
    serve redis "$port" redis-server "$files/redis.conf"
}

start_mosquitto() {
    cat >"$files/mosquitto.conf" <<END
listener $port 127.0.0.1
allow_anonymous true
user $(id -un)
persistence false
log_type none
sys_interval 0
set_tcp_nodelay true
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
END
    serve mosquitto "$port" mosquitto -c "$files/mosquitto.conf"
}

start_ngircd() {
    cat >"$files/ngircd.conf" <<END
[Global]
Name = bench.example.net
Info = bench
Listen = 127.0.0.1
Ports = $port
ServerUID = $(id -un)
ServerGID = $(id -gn)
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxJoins = 0
MaxPenaltyTime = 0
PingTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
END
    serve ngircd "$port" ngircd -n -f "$files/ngircd.conf"
}

# router_start ROUTER: on other ports if the first ones are taken.
router_start() {
    local attempt
    for attempt in 1 2 3; do
        port=$(free_port)
        gateways=127.0.0.1:$port
        if "start_$1"; then
            return 0
        fi
        echo "$1 does not start, attempt $attempt: $(tail -n 1 "$files"/*.log | tr '\n' ' ')" >&2
        router_stop || true
    done
    return 1
}

# router_stop: ends all processes of the router that runs, the last one first, so that a gateway goes before its broker.
# Fails if one that must drain did not.
router_stop() {
    local number rc=0
    for ((number = ${#pids[@]} - 1; number >= 0; number--)); do
        kill -TERM "${pids[number]}" 2>/dev/null || true
        timeout 60 tail -f /dev/null --pid="${pids[number]}" || kill -KILL "${pids[number]}" 2>/dev/null || true
        wait "${pids[number]}" || rc=$?
    done
    [ "$must_drain" -eq 1 ] || rc=0
    pids=() watch=() must_drain=0 options=()
    return "$rc"
}
