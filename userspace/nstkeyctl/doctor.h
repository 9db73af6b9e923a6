/* SPDX-License-Identifier: GPL-2.0 */
/* What the checks of doctor share. */
#ifndef NSTKEYCTL_DOCTOR_H
#define NSTKEYCTL_DOCTOR_H

#include <stdint.h>
#include "mode.h"
#include "nl.h"

enum verdict { GOOD, WARN, FAIL };

/**
 * struct patient - what is found out on the way
 * @json: for a machine
 * @failed: a check has
 * @elsewhere: of another network namespace than the host's journal
 * @set_back: a key remembers what is still to come
 * @mode: what restrains the kernel
 * @nl: the conversation with the module, if it is loaded
 */
struct patient {
	int json;
	int failed;
	int elsewhere;
	int set_back;
	struct mode mode;
	struct nl nl;
};

__attribute__((format(printf, 4, 5)))
void report(struct patient *patient, const char *check, enum verdict verdict,
	    const char *fmt, ...);
long doctor_sysctl(const char *name, long missing);

/* doctor_host.c: this machine. */
int check_module(struct patient *patient);
void check_kernel(struct patient *patient);
void check_tcp(struct patient *patient);
void check_udp(struct patient *patient);
void check_suites(struct patient *patient);
void check_clock(struct patient *patient);
void check_rights(struct patient *patient);

/* doctor_net.c: this network namespace and its peers. */
void check_box(struct patient *patient);
void check_floors(struct patient *patient);
void check_guard(struct patient *patient);
void check_counters(struct patient *patient);

struct guard_rules;

/* doctor_outside.c: what the journal and nft know. */
void check_skew(struct patient *patient, uint64_t refused);
void check_firewall(struct patient *patient, const struct guard_rules *rules);

/* doctor_listen.c: programs on guarded ports. */
void check_listeners(struct patient *patient, const struct guard_rules *rules);

#endif /* NSTKEYCTL_DOCTOR_H */
