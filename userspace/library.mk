# SPDX-License-Identifier: GPL-2.0
# What the Makefiles of the libraries beside libnst share. They set
#	name	libnst-NAME
#	srcs	its sources
#	header	the one header it installs, include/nst/NAME.h
#	needs	its libraries, as pkg-config calls them; the first must be there
# and include this. See their first lines for what can be made.
O ?= .
PREFIX ?= /usr
LIBDIR ?= $(PREFIX)/lib
CC ?= gcc
AR ?= ar
PKG_CONFIG ?= pkg-config
INSTALL ?= install

top := ../..
libnst := ../libnst
need := $(firstword $(needs))
version := $(shell sed -n 's/^MODULE_VERSION("\(.*\)");/\1/p' $(top)/nst_ulp/main.c)
cflags := -O2 -g -Wall -Wextra $(WERROR) -std=gnu11 -fPIC $(CFLAGS)
cflags += -D_GNU_SOURCE -Iinclude -I$(libnst)/include -I$(top)/include/uapi
cflags += $(shell $(PKG_CONFIG) --cflags $(need) 2>/dev/null)
libs := $(shell $(PKG_CONFIG) --libs $(needs) 2>/dev/null)

objs := $(srcs:%.c=$(O)/$(name)-%.o)
headers := $(wildcard *.h ../wipe.h include/nst/*.h $(libnst)/include/nst/*.h) \
	$(top)/include/uapi/linux/nst.h

all: $(O)/$(name).a $(O)/$(name).so

needed:
	@$(PKG_CONFIG) --exists $(need) 2>/dev/null || { \
		echo "$(name) needs $(need): apt-get install libssl-dev pkg-config" >&2; \
		exit 1; }

$(O):
	@mkdir -p $@

$(O)/libnst.so: | $(O)
	$(MAKE) -C $(libnst) O=$(abspath $(O)) $(abspath $(O))/libnst.so

$(O)/$(name)-%.o: %.c $(headers) Makefile ../library.mk | $(O) needed
	$(CC) $(cflags) -c -o $@ $<

$(O)/$(name).a: $(objs)
	rm -f $@
	$(AR) rcs $@ $^

$(O)/$(name).so.0: $(objs) $(name).map $(O)/libnst.so
	$(CC) $(cflags) -shared -Wl,-soname,$(name).so.0 \
		-Wl,--version-script=$(name).map -Wl,-z,defs -Wl,-z,relro,-z,now \
		-o $@ $(objs) $(LDFLAGS) -L$(O) -lnst $(libs)

$(O)/$(name).so: $(O)/$(name).so.0
	ln -sf $(name).so.0 $@

# Made anew, as PREFIX may be another one than last time.
$(O)/$(name).pc: FORCE | $(O)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@VERSION@|$(version)|' $(name).pc.in >$@
FORCE:

install: all $(O)/$(name).pc
	$(INSTALL) -D -m 755 $(O)/$(name).so.0 $(DESTDIR)$(LIBDIR)/$(name).so.0
	ln -sf $(name).so.0 $(DESTDIR)$(LIBDIR)/$(name).so
	$(INSTALL) -D -m 644 $(O)/$(name).a $(DESTDIR)$(LIBDIR)/$(name).a
	$(INSTALL) -D -m 644 include/nst/$(header) \
		$(DESTDIR)$(PREFIX)/include/nst/$(header)
	$(INSTALL) -D -m 644 $(O)/$(name).pc \
		$(DESTDIR)$(LIBDIR)/pkgconfig/$(name).pc

clean:
	rm -f $(objs) $(O)/$(name).a $(O)/$(name).so $(O)/$(name).so.0 $(O)/$(name).pc

.PHONY: needed all install clean FORCE
