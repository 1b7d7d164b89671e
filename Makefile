# SPDX-License-Identifier: Apache-2.0
# One makefile for everything. `make help` lists the targets; V=1 shows the commands.
#
# Objects stand under build/VARIANT (release, asan, ...), so that sanitizer builds never mix with others;
# the programs of the release variant are also at build/lsmbundle and build/lsmpull.

VARIANT ?= release
B := build/$(VARIANT)

CC      ?= gcc
CLANG   ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
say      = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

prefix     ?= /usr/local
libexecdir ?= $(prefix)/libexec
sysconfdir ?= /etc
unitdir    ?= /usr/lib/systemd/system
DESTDIR    ?=

VERSION := $(shell cat VERSION 2>/dev/null)

# ---- flags ----------------------------------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings -Wno-unused-parameter \
        -Wno-missing-field-initializers -Wno-format-truncation $(if $(CI),-Werror)
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
LDFLAGS_asan := -fsanitize=address,undefined
# Fault injection: the crash points of the journal and the known-bad variants that the tests must be able to find.
CFLAGS_faults := $(CFLAGS_release) -DLSM_FAULTS
LDFLAGS_faults := $(LDFLAGS_release)
# Known-bad variants: a check of the tests, which must fail for each of them (make check-mutants). Never installed, never optimised.
CFLAGS_bad-signature := -O0 -DLSM_BAD_ACCEPT_SIGNATURES
CFLAGS_bad-digest := -O0 -DLSM_BAD_DIGESTS
CFLAGS_bad-deadline := -O0 -DLSM_BAD_NO_DEADLINE
CFLAGS_bad-confirm := -O0 -DLSM_BAD_CONFIRM_STORE
CFLAGS_bad-expiry := -O0 -DLSM_BAD_EXPIRY
CFLAGS_bad-rollback := -O0 -DLSM_BAD_ROLLBACK

CFLAGS  += -std=gnu17 $(WARN) $(CFLAGS_$(VARIANT)) -D_GNU_SOURCE -DLSM_VERSION='"$(VERSION)"' -Ilib -Ibpf/include -Ibpf/engine -I$(B)/gen
LDFLAGS += $(LDFLAGS_$(VARIANT)) -Wl,--as-needed

# pkg-config with a message that says what to install.
need = $(shell pkg-config --exists '$(1)' || echo missing)
pc_deps := libarchive libcrypto jansson libzstd libcurl
pc_builder := libbpf libelf libfyaml
pc_puller := libbpf libgit2 libssh2 libseccomp libsystemd libfyaml libcap zlib
ifneq ($(filter-out help clean deps demo check check-vm check-swap bench,$(or $(MAKECMDGOALS),all)),)
$(foreach p,$(pc_deps) $(pc_builder) $(pc_puller),$(if $(call need,$(p)),$(error pkg-config finds no '$(p)': run ci/deps build, or install it by hand)))
endif
LIBS_lib     := $(shell pkg-config --libs $(pc_deps) 2>/dev/null)
LIBS_builder := $(shell pkg-config --libs $(pc_builder) 2>/dev/null)
LIBS_puller  := $(shell pkg-config --libs $(pc_puller) 2>/dev/null)

BPF_CFLAGS := -std=gnu11 -O2 -g -target bpf -mcpu=v3 -Wall -Wno-unknown-attributes -Ibpf/include \
              $(filter -DLSM_BAD_%,$(CFLAGS_$(VARIANT)))

# ---- what there is --------------------------------------------------------------------------------------------------

lib_src     := $(wildcard lib/*.c)
builder_src := $(wildcard builder/*.c)
puller_src  := $(wildcard puller/*.c)
guest_src   := $(wildcard builder/guest/*.c)
unit_src    := $(wildcard tests/unit/*/test_*.c)
fuzz_src    := $(wildcard tests/fuzz/fuzz_*.c)
agent_bpf   := $(wildcard bpf/agent/*.bpf.c)
helper_src  := $(wildcard tests/vm/progs/*.c)
helper_bpf  := $(wildcard tests/vm/progs/*.bpf.c)

obj = $(patsubst %.c,$(B)/%.o,$(1))
lib_obj     := $(call obj,$(lib_src))
builder_obj := $(call obj,$(builder_src))
puller_obj  := $(call obj,$(puller_src))
guest_obj   := $(call obj,$(guest_src))
unit_bin    := $(patsubst %.c,$(B)/%,$(unit_src))
skeletons   := $(patsubst bpf/agent/%.bpf.c,$(B)/gen/%.skel.h,$(agent_bpf))
test_bpf    := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(helper_bpf))
test_progs  := $(patsubst %.c,$(B)/%,$(filter-out $(helper_bpf),$(helper_src)))

.PHONY: all help
all: $(B)/lsmbundle $(B)/lsmbundle-guest $(B)/lsmpull $(B)/tuf-client $(if $(filter release,$(VARIANT)),build/lsmbundle build/lsmpull build/tuf-client)

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST)) Makefile.tests 2>/dev/null | sort -u

#: all          build/lsmbundle, build/lsmpull and build/tuf-client (default)
build/lsmbundle build/lsmpull build/tuf-client: build/%: $(B)/%
	$(Q)ln -sf $(VARIANT)/$* $@

$(B)/lsmbundle: $(B)/builder/main.o $(B)/builder.a $(B)/lib.a
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_builder) $(LIBS_lib)

# What `lsmbundle test` runs in a guest.
$(B)/lsmbundle-guest: $(guest_obj)
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_builder)

$(B)/lsmpull: $(B)/puller/main.o $(B)/puller.a $(B)/lib.a
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_puller) $(LIBS_lib)

# For TUF's conformance suite and our own tests of lib/tuf_*; never installed.
$(B)/tuf-client: $(B)/tests/tuf/tuf-client.o $(B)/lib.a
	$(call say,LINK,$@)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_lib)

# Everything but main.o, so that unit tests link with the very objects of the programs.
$(B)/lib.a: $(lib_obj)
$(B)/builder.a: $(filter-out %/main.o,$(builder_obj))
$(B)/puller.a: $(filter-out %/main.o,$(puller_obj))
%.a:
	$(call say,AR,$@)rm -f $@ && ar rcs $@ $^

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

# The compiler's flags are part of what an object depends on.
$(lib_obj) $(builder_obj) $(puller_obj) $(guest_obj): $(B)/flags
.PHONY: force
$(B)/flags: force
	@mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(CC) $(CFLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(CC) $(CFLAGS))' >$@

# The headers a policy and the engine of rules include are compiled into lsmbundle, so that a build needs nothing but the one program
# and clang. gen/headers.inc names them all.
bpf_headers := $(wildcard bpf/include/*.h)
embedded := $(sort $(bpf_headers) $(wildcard bpf/engine/*.h))
$(B)/builder/headers.o: builder/headers.c $(B)/gen/headers.inc $(embedded)
$(B)/gen/headers.inc: force
	@mkdir -p $(@D); printf 'HEADER(%s, "%s")\n' $(foreach h,$(embedded),$(basename $(notdir $h)) $h) >$@.tmp; \
	cmp -s $@.tmp $@ && rm $@.tmp || mv $@.tmp $@

# The agent's own programs, as skeletons.
$(puller_obj): | $(skeletons)
$(B)/gen/%.bpf.o: bpf/agent/%.bpf.c $(bpf_headers) $(wildcard bpf/agent/*.h)
	@mkdir -p $(@D)
	$(call say,BPF,$<)$(CLANG) $(BPF_CFLAGS) -c $< -o $@ && llvm-strip -g $@
$(B)/gen/%.skel.h: $(B)/gen/%.bpf.o
	$(call say,SKEL,$@)$(BPFTOOL) gen skeleton $< name $* >$@.tmp && mv $@.tmp $@

#: install      into $(DESTDIR)$(prefix): programs, man pages, completion, systemd units
.PHONY: install clean
install: all
	@case '$(VARIANT)' in bad-*) echo '$(VARIANT) is made to fail: it is not installed'; exit 1;; esac
	install -D -m 0755 $(B)/lsmbundle $(DESTDIR)$(prefix)/bin/lsmbundle
	install -D -m 0755 $(B)/lsmpull $(DESTDIR)$(prefix)/sbin/lsmpull
	@# lsmbundle finds these at ../libexec/lsmbundle or ../lib/lsmbundle as seen from itself, or by $$LSMBUNDLE_LIBEXEC.
	install -D -m 0755 -t $(DESTDIR)$(libexecdir)/lsmbundle $(B)/lsmbundle-guest ci/vm ci/initramfs ci/kernels ci/guest-init ci/templates/policy-flow
	@ci/install-data '$(DESTDIR)' '$(prefix)' '$(sysconfdir)' '$(unitdir)'

#: clean        remove build/
clean:
	rm -rf build

#: deps         install what building and testing need (Debian 12)
.PHONY: deps
deps:
	ci/deps

include Makefile.tests

-include $(lib_obj:.o=.d) $(builder_obj:.o=.d) $(puller_obj:.o=.d) $(guest_obj:.o=.d) $(B)/tests/tuf/tuf-client.d $(unit_bin:=.d)
