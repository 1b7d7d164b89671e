# SPDX-License-Identifier: Apache-2.0
# Rules about addresses of IP on a real kernel: IPv4, IPv6, what of IPv4 is written as IPv6, ports, all but some, and the ways to an
# address beside connect().
# files: tests/vm/node.sh:/test/node.sh
# timeout: 300
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

ip link set lo up
ip -6 addr add fd00::1/64 dev lo nodad 2>/dev/null || ip -6 addr add fd00::1/64 dev lo
echo 1 >/proc/sys/net/ipv4/tcp_fastopen 2>/dev/null
echo 0 1000 >/proc/sys/net/ipv4/ping_group_range

# says WANT NAME ARGS...: what `sockets ARGS` comes to
says() {
        _want=$1 _name=$2
        shift 2
        is "$(sockets "$@" 2>&1)" "$_want" "$_name"
}
# What would come of it without rules: what is refused below is refused by rules alone.
says ECONNREFUSED "before: connect" connect tcp4 127.1.0.1:80
says ok "before: UDP" sendto udp4 127.1.0.1:80
says ok "before: bind" bind tcp4 0.0.0.0:8080
says ok "before: listen" listen tcp4 127.5.0.1:90
says EAGAIN "before: accept" accept tcp4 127.6.0.1:90
says ECONNREFUSED "before: io_uring" uring tcp4 127.1.0.1:80
says ECONNREFUSED "before: the first data of TCP" fastopen tcp4 127.1.0.1:80

config 'confirm: {deadline: 200s, health: 1s}'
apply rules-net
is "$status" 0 "a bundle of rules is installed"
diag "$err"

# ---- IPv4 ---------------------------------------------------------------------------------------------------------------

says EPERM "a network" connect tcp4 127.1.0.1:80
says EPERM "its last address" connect tcp4 127.1.255.255:65535
says ECONNREFUSED "the next network" connect tcp4 127.2.0.0:80
says ECONNREFUSED "one port of one address in it, that is allowed" connect tcp4 127.1.2.3:80
says EPERM "another port of it" connect tcp4 127.1.2.3:81
says ECONNREFUSED "ports: below the range" connect tcp4 127.2.0.1:99
says EACCES "ports: the first, with the errno of the rule" connect tcp4 127.2.0.1:100
says EACCES "ports: the last" connect tcp4 127.2.0.1:2000
says ECONNREFUSED "ports: above the range" connect tcp4 127.2.0.1:2001
says EPERM "a protocol: of datagrams" connect udp4 127.3.0.1:80
says ECONNREFUSED "another protocol" connect tcp4 127.3.0.1:80

# ---- IPv6 ---------------------------------------------------------------------------------------------------------------

says EPERM "IPv6: a port of a network" connect tcp6 [fd00::1]:53
says ECONNREFUSED "IPv6: another port" connect tcp6 [fd00::1]:54
says EPERM "IPv6: the last of a prefix that ends within a digit" connect tcp6 [fd00:0:0:f:ffff::]:53
says ENETUNREACH "IPv6: behind it" connect tcp6 [fd00:0:0:10::]:53
says EPERM "IPv6: one address" connect udp6 [fd01::1]:1
says EPERM "IPv4 in IPv6 is IPv4" connect tcp6 [::ffff:127.1.0.1]:80
says ECONNREFUSED "IPv4 in IPv6, that is allowed" connect tcp6 [::ffff:127.1.2.3]:80
says EPERM "IPv4 in IPv6: datagrams" connect udp6 [::ffff:127.3.0.1]:80
says EPERM "an address of IPv4 for a socket of IPv6" v4on6 udp6 127.3.0.1:80

# ---- beside connect() --------------------------------------------------------------------------------------------------

says EPERM "sendto() connects" sendto udp4 127.1.0.1:80
says ok "sendto() elsewhere" sendto udp4 127.0.0.1:80
says EPERM "sendto() to an address of no family, which IPv4 takes for its own" unspec udp4 127.1.0.1:80
says EPERM "sendto(): IPv4 in IPv6" sendto udp6 [::ffff:127.1.0.1]:80
says EPERM "sendto(): an address of IPv4 for a socket of IPv6" sendto udp6 127.1.0.1:80
says EPERM "TCP with the first data" fastopen tcp4 127.1.0.1:80
says ECONNREFUSED "TCP with the first data, elsewhere" fastopen tcp4 127.0.0.1:80
says EPERM "raw sockets" sendto raw4 127.1.0.1:80
says EPERM "ping" sendto ping4 127.1.2.3:80
says 1 "the second of two messages" sendmmsg udp4 127.0.0.1:80 127.1.0.1:80
says EPERM "io_uring" uring tcp4 127.1.0.1:80
says ECONNREFUSED "io_uring, elsewhere" uring tcp4 127.0.0.1:80
case $(sockets connect mptcp4 127.0.0.1:80) in
before:*) ok "MPTCP is TCP # SKIP no MPTCP here" true ;;
*) says EPERM "MPTCP is TCP" connect mptcp4 127.1.0.1:80 ;;
esac
says EPERM "no address at all is the loopback" --uid 1002 connect tcp4 0.0.0.0:80
says EPERM "nor one of IPv6" --uid 1002 connect tcp6 "[::]:80"
says EPERM "nor one of IPv4 in IPv6" --uid 1002 connect tcp6 [::ffff:0.0.0.0]:80
says ok "to dissolve a connection is not to connect" disconnect udp4 127.1.0.1:80

# ---- whom ---------------------------------------------------------------------------------------------------------------

says ENETUNREACH "all but the loopback: another user" connect tcp4 10.1.2.3:80
says EPERM "all but the loopback" --uid 1001 connect tcp4 10.1.2.3:80
says EPERM "all but the loopback: IPv6" --uid 1001 connect tcp6 [2001:db8::1]:80
says EPERM "all but the loopback: IPv4 in IPv6" --uid 1001 connect tcp6 [::ffff:10.1.2.3]:80
says ECONNREFUSED "the loopback" --uid 1001 connect tcp4 127.0.0.1:80
says ECONNREFUSED "the loopback: IPv6" --uid 1001 connect tcp6 [::1]:80
says EPERM "unless: another name" --uid 1002 connect tcp4 127.0.0.1:80
says ECONNREFUSED "unless: that name" --uid 1002 --name permitted connect tcp4 127.0.0.1:80
says EPERM "nowhere" --uid 1003 connect tcp4 127.12.0.2:80
says ECONNREFUSED "but there" --uid 1003 connect tcp4 127.12.0.1:80
says ECONNREFUSED "audit lets through" connect tcp4 127.10.0.1:80
says ECONNREFUSED "a policy in audit lets through" connect tcp4 127.9.0.1:80
sockets connect tcp4 127.11.0.1:80 >/dev/null 2>&1
is "$?" 137 "kill"

# ---- sending -------------------------------------------------------------------------------------------------------------

says EACCES "sending: sendto()" sendto udp4 127.4.0.1:80
says ok "sending: to connect is allowed" connect udp4 127.4.0.1:80
says EACCES "sending: to what it is connected to" send udp4 127.4.0.1:80
says EACCES "sending: IPv4 in IPv6" send udp6 [::ffff:127.4.0.1]:80
says ok "sending: elsewhere" send udp4 127.0.0.1:80
says EPERM "netlink has no address" --uid 1004 netlink
says ok "netlink: another user" netlink

# ---- being there -----------------------------------------------------------------------------------------------------------

says EPERM "bind: all addresses" bind tcp4 0.0.0.0:8080
says EPERM "bind: all addresses of IPv6" bind tcp6 "[::]:8080"
says EPERM "bind: all addresses, IPv4 in IPv6" bind tcp6 [::ffff:0.0.0.0]:8080
says ok "bind: one" bind tcp4 127.0.0.1:8080
says EPERM "bind: low ports" bind tcp4 127.0.0.1:99
says EPERM "bind: low ports of IPv6" bind udp6 [::1]:1
says ok "bind: any port" bind tcp4 0.0.0.0:0
says EPERM "listen" listen tcp4 127.5.0.1:9000
says ok "listen elsewhere" listen tcp4 127.5.0.2:9000
says EPERM "accept" accept tcp4 127.6.0.1:9000
says EAGAIN "accept elsewhere" accept tcp4 127.6.0.2:9000

# ---- what comes of it -----------------------------------------------------------------------------------------------------------

run lsmpull events --json
like "$out" '"rule":"network"' "a denial tells its rule"
like "$out" '"rule":"watched"' "what would have been denied is told, too"
like "$out" '"rule":"audited"' "as what is only reported is"

lsmpull remove rules-net --yes >/dev/null 2>&1
says ECONNREFUSED "without the bundle: connect" connect tcp4 127.1.0.1:80
done_testing
