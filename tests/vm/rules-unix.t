# SPDX-License-Identifier: Apache-2.0
# Rules about UNIX sockets on a real kernel: by the path of the socket, wherever it is met, and by abstract names.
# files: tests/vm/node.sh:/test/node.sh
# timeout: 600
# shellcheck disable=SC2154 # set by lib.sh
. "$TESTLIB"
. /test/node.sh

N=/tmp/n
mkdir -p $N/tree $N/nobind $N/out
chmod 1777 /tmp
chmod 0777 $N $N/tree $N/nobind $N/out

# says WANT NAME ARGS...: what `sockets ARGS` comes to
says() {
        _want=$1 _name=$2
        shift 2
        is "$(sockets "$@" 2>&1)" "$_want" "$_name"
}
# serving KIND ADDRESS
serving() {
        sockets --name permitted serve "$@" >"$T/served" &
        served="$served $!"
        for _ in 1 2 3 4 5 6 7 8 9 10; do
                grep -q ready "$T/served" && return
                sleep 1
        done
        diag "nobody serves $*: $(cat "$T/served")"
}

served=
for k in stream:denied.sock stream:other.sock stream:tree/one.sock stream:tree/open.sock dgram:tree/dgram.sock dgram:nosend.sock \
        dgram:open.dgram; do
        serving "${k%%:*}" "$N/${k#*:}"
done
serving stream @denied
serving stream @denied2
serving seqpacket @prefix/seq
serving stream @nosend
serving dgram @prefix/dgram
serving stream @goodname
chmod 0777 $N/*.sock $N/tree/*.sock $N/open.dgram
says ok "before: a UNIX socket" connect stream $N/denied.sock
says ok "before: an abstract one" connect stream @denied
says ok "before: an abstract name" bind stream @nobind
says ok "before: a folder" bind stream $N/nobind/before
says ok "before: sending" send stream @nosend

config 'confirm: {deadline: 200s, health: 1s}'
apply rules-unix
is "$status" 0 "a bundle of rules is installed"
diag "$err"

says EPERM "a UNIX socket" connect stream $N/denied.sock
says ok "another one" connect stream $N/other.sock
says EPERM "a tree" connect stream $N/tree/one.sock
says EPERM "a tree: datagrams" connect dgram $N/tree/dgram.sock
says EPERM "a tree: datagrams without connect()" sendto dgram $N/tree/dgram.sock
says ok "another one: datagrams" sendto dgram $N/open.dgram
says ok "in the tree, but allowed" connect stream $N/tree/open.sock
says ok "unless: that name" --name permitted connect stream $N/denied.sock
says EPERM "an abstract name" connect stream @denied
says ok "a longer one" connect stream @denied2
says EPERM "a beginning" connect seqpacket @prefix/seq
says EPERM "a beginning: datagrams" sendto dgram @prefix/dgram
says EPERM "sending" send stream @nosend
says EPERM "sending: datagrams" sendto dgram $N/nosend.sock
says EPERM "sending: to connect datagrams is to send them" connect dgram $N/nosend.sock
says "before: connect: EPERM" "sending: datagrams, connected" send dgram $N/nosend.sock
says ok "sending elsewhere" send stream $N/other.sock
ln -s $N/denied.sock $N/out/symlink
says EPERM "a symbolic link" connect stream $N/out/symlink
fails "a hard link is not made" ln $N/denied.sock $N/out/hard
fails "nor is it moved away" mv $N/denied.sock $N/out/moved
fails "nor the folder" mv $N/tree $N/out/tree
mkdir -p $N/mnt
mount --bind $N/tree $N/mnt
says EPERM "a bind mount elsewhere" connect stream $N/mnt/one.sock
umount $N/mnt
says EPERM "all but some" --uid 1005 connect stream @denied2
says ok "those" --uid 1005 connect stream @goodname
says ok "and those in a folder" --uid 1005 connect stream $N/other.sock

says EPERM "none at all, abstract" --uid 1006 connect stream @denied2
says EPERM "none at all" --uid 1006 connect stream $N/other.sock
says ok "but one" --uid 1006 connect stream @goodname

lsmpull remove rules-unix --yes >/dev/null 2>&1
says ok "without the bundle" connect stream $N/denied.sock

# ---- being there -------------------------------------------------------------------------------------------------------------

apply rules-unix-bind
is "$status" 0 "a bundle of rules about names is installed"
diag "$err"
says EPERM "a name in a folder is not taken" bind stream $N/nobind/one
says ok "elsewhere it is" bind stream $N/out/one
mkdir -p $N/mnt2
mount --bind $N/nobind $N/mnt2
fails "nor while the folder is elsewhere: that stays" mv $N/nobind $N/out/nobind
says EPERM "nor by a bind mount" bind dgram $N/mnt2/two
umount $N/mnt2
says EPERM "an abstract name is not taken" bind stream @nobind
says EPERM "listen: abstract" listen stream @nolisten
says EPERM "listen: in the file system" listen stream $N/nolisten.sock
says EPERM "no name at all" --uid 1006 bind stream $N/out/six
says EPERM "no abstract name at all" --uid 1006 bind stream @six
lsmpull remove rules-unix-bind --yes >/dev/null 2>&1
says ok "without the bundle, it is" bind stream @nobind
# shellcheck disable=SC2086 # a list
kill $served 2>/dev/null
done_testing
