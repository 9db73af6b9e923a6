/* SPDX-License-Identifier: GPL-2.0 */
/* The commands. */
#ifndef NSTKEYCTL_NSTKEYCTL_H
#define NSTKEYCTL_NSTKEYCTL_H

#include <stdint.h>
#include <stdio.h>
#include "nl.h"

/* Exit statuses. */
#define EXIT_OK		0
#define EXIT_FAILED	1	/* refused, or doctor found something */
#define EXIT_USAGE	2

/**
 * struct options - what stands before or behind a command's arguments
 * @json: for a machine
 * @prometheus: stats or guard in Prometheus's text format
 * @journal: monitor writes into systemd's journal
 * @force: genbox and genkey may replace a file, retire break streams
 * @help: say what the command is for, and do nothing
 * @keys: genbox: how many
 * @netns: the network namespace to act on, or NULL
 */
struct options {
	int json;
	int prometheus;
	int journal;
	int force;
	int help;
	unsigned int keys;
	const char *netns;
};

/* A key as the kernel lists it. */
struct listed_key {
	uint16_t kid;
	uint32_t state;
	uint32_t tx_streams;
	uint32_t rx_streams;
	uint32_t sessions;	/* of UDP, heard of within the window */
	uint64_t floor;		/* refuses STARTs up to then, ns; or 0 */
	uint64_t session_floor;	/* the same of datagrams without a session */
	char fingerprint[2 * NST_FINGERPRINT_LEN + 1];
};

/**
 * struct listing - the keys of the namespace's box
 * @nr: how many
 * @key: them, by kid
 */
struct listing {
	unsigned int nr;
	struct listed_key key[NST_BOX_MAX];
};

int listing_get(struct nl *nl, struct listing *listing);

/*
 * A command: its arguments behind its name, ending with NULL. Returns the exit
 * status.
 */
typedef int (*command_fn)(const struct options *opt, char **args);

int cmd_genkey(const struct options *opt, char **args);
int cmd_genbox(const struct options *opt, char **args);
int cmd_load(const struct options *opt, char **args);
int cmd_add(const struct options *opt, char **args);
int cmd_activate(const struct options *opt, char **args);
int cmd_retire(const struct options *opt, char **args);
int cmd_del(const struct options *opt, char **args);
int cmd_flush(const struct options *opt, char **args);
int cmd_show(const struct options *opt, char **args);
int cmd_guard(const struct options *opt, char **args);
int cmd_sockets(const struct options *opt, char **args);
int cmd_owners(const struct options *opt, char **args);
int cmd_caps(const struct options *opt, char **args);
int cmd_stats(const struct options *opt, char **args);
int cmd_monitor(const struct options *opt, char **args);
int cmd_doctor(const struct options *opt, char **args);

#endif /* NSTKEYCTL_NSTKEYCTL_H */
