#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # set by lsmbundle.sh
# Seeds: YAML becomes the bytes that a map's BTF types ask for, or an error at the very value that does not fit.
. "$(dirname "$0")/lsmbundle.sh"
need clang tar zstd

mkdir b
cat >b/p.bpf.c <<'END'
#include <lsm_policy.h>

enum colour { RED = 1, GREEN = 5 };
struct limits {
        __u32 soft;
        __s16 low;
        char label[8];
        bool on;
        enum colour colour;
        __u8 bytes[4];
};
struct net {
        __u32 prefixlen;
        __u8 address[4];
};
union either { __u32 number; char text[4]; };
struct bits { __u32 one : 1, rest : 31; };

SEED_SET(names, char[8], 4);
SEED_SET(u8s, __u8, 300);
SEED_SET(s8s, __s8, 8);
SEED_SET(u16s, __u16, 8);
SEED_SET(s64s, __s64, 8);
SEED_SET(u64s, __u64, 8);
SEED_SET(pairs, __u32[2], 4);
SEED_SET(unions, union either, 4);
SEED_MAP(limits, __u32, struct limits, 4);
SEED_MAP(flags, char[8], bool, 4);
SEED_MAP(bitfields, __u32, struct bits, 4);
SEED_ARRAY(table, __u16, 4);
SEED_ARRAY(labels, char[8], 2);
struct {
        __uint(type, BPF_MAP_TYPE_LPM_TRIE);
        __uint(max_entries, 4);
        __uint(map_flags, 1);
        __type(key, struct net);
        __type(value, __u8);
} nets SEC(".maps");
struct {
        __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
        __uint(max_entries, 4);
        __type(key, __u32);
        __type(value, __u64);
} percpu SEC(".maps");
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 4);
        __uint(key_size, 4);
        __uint(value_size, 4);
} untyped SEC(".maps");

LSM_POLICY(file_open, struct file *file) { return ALLOW; }
char LICENSE[] SEC("license") = "GPL";
END

# seeds LINE...: builds with these lines under `seeds:`, each from column 7; the first is line 10 of bundle.yaml
seeds() {
        bundle b 'seeds:'
        printf '      %s\n' "$@" >>b/bundle.yaml
        rm -f s.tar.zst
        run build b -o s.tar.zst
}
# packs NAME MAP HEX: the last build's seed of that map
packs() {
        local hex
        hex=$(zstd -dcq s.tar.zst 2>/dev/null | tar -xO -f - "seeds/p.$2.bin" 2>/dev/null | od -An -v -tx1 | tr -d ' \n')
        [ "$status" = 0 ] && [ "$hex" = "${3//[ .]/}" ]
        result $? "$1${hex:+ ($hex)}"
}
# refuses NAME PLACE MESSAGE LINE...
refuses() {
        local name=$1 place=$2 message=$3
        shift 3
        seeds "$@"
        [ "$status" = 1 ] && grep -F "b/bundle.yaml:$place: error: " <<<"$err" | grep -qF -- "$message" && [ ! -e s.tar.zst ]
        result $? "$name"
}

# ---- what fits ----
seeds 'names: [b, a, "1234567", 1]'
packs "strings, padded with zeros, value 1, sorted by key" names '3100000000000000.01 3132333435363700.01 6100000000000000.01 6200000000000000.01'
seeds 'u8s: [255, 0, 0x10, 0o17]'
packs "unsigned bytes, hexadecimal and octal" u8s '00.01 0f.01 10.01 ff.01'
seeds 's8s: [-128, 127, -1]'
packs "signed bytes" s8s '7f.01 80.01 ff.01'
seeds 'u16s: [1, 256, 65535]'
packs "little-endian words, sorted by their bytes" u16s '0001.01 0100.01 ffff.01'
seeds 's64s: [-9223372036854775808, 9223372036854775807]'
packs "the ends of 64 bits, signed" s64s '0000000000000080.01 ffffffffffffff7f.01'
seeds 'u64s: [18446744073709551615]'
packs "and unsigned" u64s 'ffffffffffffffff.01'
seeds 'pairs: [[1, 2]]'
packs "an array as key" pairs '0100000002000000.01'
seeds 'limits: {3: {soft: 7, low: -2, label: x, on: true, colour: GREEN, bytes: [1, 2, 3, 4]}, 1: {}}'
packs "structs by field; what is not named is zero, padding too" limits \
        '01000000 00000000.0000.0000000000000000.00.00.00000000.00000000 03000000 07000000.feff.7800000000000000.01.00.05000000.01020304'
seeds 'flags: {a: true, b: false}'
packs "truth values" flags '6100000000000000.01 6200000000000000.00'
seeds 'table: [1, 2, 3]'
packs "an array's list, by index" table '00000000.0100 01000000.0200 02000000.0300'
seeds 'table: {3: 9, 0: 1}'
packs "an array's mapping" table '00000000.0100 03000000.0900'
seeds 'labels: [read, "write"]'
packs "an array of strings" labels '00000000.7265616400000000 01000000.7772697465000000'
seeds 'nets: [{prefixlen: 8, address: [10, 0, 0, 0]}]'
packs "a trie's prefixes" nets '08000000.0a000000.01'
seeds 'names: []'
[ "$status" = 0 ] && ! zstd -dcq s.tar.zst | tar -t | grep -q seeds/
result $? "an empty list is no seed"
seeds 'names: [a]' 'table: [1]' 'u8s: [1]'
[ "$(zstd -dcq s.tar.zst | tar -t | grep seeds/ | paste -sd,)" = seeds/p.names.bin,seeds/p.table.bin,seeds/p.u8s.bin ]
result $? "several maps"
seeds "u8s: [$(seq -s, 0 255)]"
[ "$status" = 0 ] && [ "$(zstd -dcq s.tar.zst | tar -xO -f - seeds/p.u8s.bin | wc -c)" = 512 ]
result $? "many entries"

# ---- what does not ----
refuses "a string that is too long" 10:15 "'12345678' has 8 bytes; the map's type has room for 7" 'names: [12345678]'
refuses "a zero byte in a string" 10:15 'zero byte' 'names: ["a\0b"]'
refuses "a list as string" 10:15 'a string is expected here, not a list' 'names: [[a]]'
refuses "nothing as string" 10:15 'a string is expected here, not nothing' 'names: [~]'
refuses "256 in a byte" 10:13 '256 does not fit into an unsigned whole number of 8 bits' 'u8s: [256]'
refuses "-1 in an unsigned byte" 10:13 '-1 does not fit' 'u8s: [-1]'
refuses "128 in a signed byte" 10:13 '128 does not fit into a signed whole number of 8 bits' 's8s: [128]'
refuses "-129" 10:13 '-129 does not fit' 's8s: [-129]'
refuses "2^16 in 16 bits" 10:14 '65536 does not fit' 'u16s: [65536]'
refuses "2^63, signed" 10:14 'does not fit' 's64s: [9223372036854775808]'
refuses "2^64" 10:14 'does not fit' 'u64s: [18446744073709551616]'
refuses "a word as number" 10:13 'a whole number is expected here, not a string' 'u8s: [one]'
refuses "a number in quotes" 10:13 'a whole number is expected here, not a string' 'u8s: ["1"]'
refuses "a fraction" 10:13 'not a fraction' 'u8s: [1.5]'
refuses "leading zeros" 10:13 "'010' is ambiguous" 'u8s: [010]'
refuses "an array of another length" 10:15 'a list of 2 values is expected here, not of 3' 'pairs: [[1, 2, 3]]'
refuses "a number as array" 10:15 'a list of 2 values' 'pairs: [1]'
refuses "a field that is not there" 10:20 "struct limits has no field 'hard'" 'limits: {1: {hard: 1}}'
refuses "a field that does not fit" 10:25 '70000 does not fit' 'limits: {1: {low: 70000}}'
refuses "a number as struct" 10:19 'struct limits is expected here' 'limits: {1: 5}'
refuses "an enumerator that is not there" 10:28 "'BLUE' is not a value of enum colour" 'limits: {1: {colour: BLUE}}'
refuses "yes is no truth value" 10:18 'true or false is expected here, not a string' 'flags: {a: yes}'
refuses "a list for a map that is no set" 10:15 'is no set' 'limits: [1, 2]'
refuses "a union" 10:16 'cannot be written in YAML' 'unions: [1]'
refuses "a bit-field" 10:23 'cannot be seeded' 'bitfields: {1: {one: 1}}'
refuses "a scalar as seed" 10:14 'a list or a mapping, not a whole number' 'table: 5'
refuses "more entries than the map has" 10:14 'has room for 4 entries, not for 5' 'names: [a, b, c, d, e]'
refuses "an index beyond the array" 10:15 'has entries 0 to 3' 'table: {4: 1}'
refuses "one key twice" 10:18 'this key is there twice' 'names: [a, a]'
refuses "one key in two spellings" 10:16 'this key is there twice' 'u8s: [1, 0x1]'
refuses "a map per CPU" 10:15 'of type percpu_array, which cannot be seeded' 'percpu: [1]'
refuses "a map without types" 10:16 'does not say the types' 'untyped: [1]'
refuses "a map that is not there" 10:7 "policy 'p' has no map 'nothing' (maps: " 'nothing: [1]'
refuses "a map of the chain" 10:7 "has no map 'lsm_counters'" 'lsm_counters: [1]'
seeds 'u8s: [256, 1, x]' 'names: [123456789]' 'nothing: []'
for place in 10:13 10:21 11:15 12:7; do
        complains "b/bundle.yaml:$place: error: " "of several errors, the one at $place"
done

done_testing
