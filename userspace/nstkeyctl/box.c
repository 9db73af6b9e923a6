// SPDX-License-Identifier: GPL-2.0
/* The box of the namespace: load, add, activate, retire, del, flush, show. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "keyfile.h"
#include "nl.h"
#include "nstkeyctl.h"
#include "secure.h"

/* A dump that a change of the box interrupts is asked for again. */
#define DUMP_TRIES	10

static void put_key(struct nlmsghdr *nlh, const struct keyline_key *key)
{
	mnl_attr_put_u16(nlh, NST_A_KEY_KID, key->kid);
	mnl_attr_put_u32(nlh, NST_A_KEY_STATE, key->state);
	mnl_attr_put(nlh, NST_A_KEY_SECRET, sizeof(key->secret), key->secret);
}

static void put_box(struct nlmsghdr *nlh, const struct keyfile *file)
{
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; i < file->nr; i++) {
		nest = mnl_attr_nest_start(nlh, NST_A_BOX_KEY);
		put_key(nlh, &file->key[i]);
		mnl_attr_nest_end(nlh, nest);
	}
}

/* Sends keys as one request, from memory that is wiped. */
static int send_keys(const struct keyfile *file, enum keyfile_kind kind,
		     const char *what)
{
	void *buf = secure_alloc(NL_REQUEST_MAX);
	struct nlmsghdr *nlh;
	struct nl nl;
	int err;

	if (!buf) {
		perror("nstkeyctl");
		return EXIT_FAILED;
	}
	err = nl_open(&nl);
	if (!err) {
		nlh = nl_request(&nl, buf, kind == KEYFILE_BOX ?
				 NST_CMD_BOX_LOAD : NST_CMD_KEY_ADD, NLM_F_ACK);
		if (kind == KEYFILE_BOX)
			put_box(nlh, file);
		else
			put_key(nlh, &file->key[0]);
		err = nl_talk(&nl, nlh, NULL, NULL);
	}
	secure_free(buf, NL_REQUEST_MAX);
	if (err)
		nl_explain(&nl, what, err);
	nl_close(&nl);
	return err ? EXIT_FAILED : EXIT_OK;
}

static int read_and_send(const char *path, enum keyfile_kind kind,
			 const char *what)
{
	struct keyfile *file = keyfile_alloc();
	int status = EXIT_FAILED;

	if (!keyfile_read(file, path, kind))
		status = send_keys(file, kind, what);
	keyfile_free(file);
	return status;
}

/* load FILE */
int cmd_load(const struct options *opt, char **args)
{
	(void)opt;
	return read_and_send(args[0], KEYFILE_BOX, "load");
}

/* add FILE */
int cmd_add(const struct options *opt, char **args)
{
	(void)opt;
	return read_and_send(args[0], KEYFILE_KEY, "add");
}

/* A command that names one key. */
static int change(const char *arg, uint8_t cmd, const char *verb)
{
	char buf[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh;
	char what[32];
	uint16_t kid;
	struct nl nl;
	int err;

	if (keyline_kid(arg, strlen(arg), &kid)) {
		fprintf(stderr, "nstkeyctl: kid '%s': it must be a number from 1 to 65535\n",
			arg);
		return EXIT_USAGE;
	}
	snprintf(what, sizeof(what), "%s %u", verb, kid);
	err = nl_open(&nl);
	if (!err) {
		nlh = nl_request(&nl, buf, cmd, NLM_F_ACK);
		mnl_attr_put_u16(nlh, NST_A_KEY_KID, kid);
		err = nl_talk(&nl, nlh, NULL, NULL);
	}
	if (err)
		nl_explain(&nl, what, err);
	nl_close(&nl);
	return err ? EXIT_FAILED : EXIT_OK;
}

/* activate KID */
int cmd_activate(const struct options *opt, char **args)
{
	(void)opt;
	return change(args[0], NST_CMD_KEY_ACTIVATE, "activate");
}

/* del KID */
int cmd_del(const struct options *opt, char **args)
{
	(void)opt;
	return change(args[0], NST_CMD_KEY_DEL, "del");
}

/* flush */
int cmd_flush(const struct options *opt, char **args)
{
	struct nl nl;
	int err = nl_open(&nl);

	(void)opt;
	(void)args;
	if (!err)
		err = nl_simple(&nl, NST_CMD_BOX_FLUSH, NLM_F_ACK, NULL, NULL);
	if (err)
		nl_explain(&nl, "flush", err);
	nl_close(&nl);
	return err ? EXIT_FAILED : EXIT_OK;
}

static void take_fingerprint(char *text, const struct nlattr *attr)
{
	const uint8_t *bytes = attr ? mnl_attr_get_payload(attr) : NULL;
	unsigned int i;

	text[0] = 0;
	if (!attr || mnl_attr_get_payload_len(attr) != NST_FINGERPRINT_LEN)
		return;
	for (i = 0; i < NST_FINGERPRINT_LEN; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

static void take_key(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_KEY_MAX + 1];
	struct listing *listing = data;
	struct listed_key *key;

	if (listing->nr == NST_BOX_MAX)
		return;
	key = &listing->key[listing->nr++];
	nl_parse(nlh, tb, NST_A_KEY_MAX);
	key->kid = nl_u16(tb[NST_A_KEY_KID]);
	key->state = nl_u32(tb[NST_A_KEY_STATE]);
	key->tx_streams = nl_u32(tb[NST_A_KEY_TX_STREAMS]);
	key->rx_streams = nl_u32(tb[NST_A_KEY_RX_STREAMS]);
	key->sessions = nl_u32(tb[NST_A_KEY_SESSIONS]);
	key->floor = nl_u64(tb[NST_A_KEY_FLOOR]);
	key->session_floor = nl_u64(tb[NST_A_KEY_SESSION_FLOOR]);
	take_fingerprint(key->fingerprint, tb[NST_A_KEY_FINGERPRINT]);
}

/**
 * listing_get() - the keys of the namespace's box
 * @nl: a conversation
 * @listing: receives them as they were together at one time
 *
 * Return: 0 or a negative errno.
 */
int listing_get(struct nl *nl, struct listing *listing)
{
	int err = -EINTR, try;

	for (try = 0; err == -EINTR && try < DUMP_TRIES; try++) {
		listing->nr = 0;
		err = nl_simple(nl, NST_CMD_KEY_GET, NLM_F_DUMP, take_key,
				listing);
	}
	return err;
}

static void show_json(const struct listing *listing)
{
	unsigned int i;

	json_object(NULL);
	json_array("keys");
	for (i = 0; i < listing->nr; i++) {
		const struct listed_key *key = &listing->key[i];

		json_object(NULL);
		json_uint("kid", key->kid);
		json_string("state", keyline_state_name(key->state));
		json_string("fingerprint", key->fingerprint);
		json_uint("tx_streams", key->tx_streams);
		json_uint("rx_streams", key->rx_streams);
		json_uint("sessions", key->sessions);
		json_object_end();
	}
	json_array_end();
	json_object_end();
	json_flush();
}

static void show_text(const struct listing *listing)
{
	unsigned int i;

	if (!listing->nr) {
		puts("The box is empty: 'nstkeyctl load FILE' fills it.");
		return;
	}
	printf("%5s  %-7s  %-16s  %10s  %10s  %12s\n", "KID", "STATE",
	       "FINGERPRINT", "TX-STREAMS", "RX-STREAMS", "UDP-SESSIONS");
	for (i = 0; i < listing->nr; i++) {
		const struct listed_key *key = &listing->key[i];

		printf("%5u  %-7s  %-16s  %10u  %10u  %12u\n", key->kid,
		       keyline_state_name(key->state), key->fingerprint,
		       key->tx_streams, key->rx_streams, key->sessions);
	}
}

/* show KID */
static int show_one(struct nl *nl, struct listing *listing, uint16_t kid)
{
	char buf[64] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh = nl_request(nl, buf, NST_CMD_KEY_GET, NLM_F_ACK);

	mnl_attr_put_u16(nlh, NST_A_KEY_KID, kid);
	return nl_talk(nl, nlh, take_key, listing);
}

/* Who uses a key; false if nobody does, or nobody knows. */
static int used_by(uint16_t kid, struct listed_key *key)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	struct nl nl;

	memset(key, 0, sizeof(*key));
	if (!listing)
		return 0;
	if (!nl_open(&nl) && !show_one(&nl, listing, kid) && listing->nr)
		*key = listing->key[0];
	nl_close(&nl);
	free(listing);
	/* What is retired already breaks nothing more. */
	return key->state != NST_STATE_RETIRED &&
	       (key->tx_streams || key->rx_streams || key->sessions);
}

/* retire [--force] KID: what it would break is told first */
int cmd_retire(const struct options *opt, char **args)
{
	struct listed_key key;
	uint16_t kid;

	if (opt->force || keyline_kid(args[0], strlen(args[0]), &kid) ||
	    !used_by(kid, &key))
		return change(args[0], NST_CMD_KEY_RETIRE, "retire");
	fprintf(stderr,
		"nstkeyctl: retire %u: %u live streams and %u UDP sessions last used it; wait, or if they are idle: --force\n",
		kid, key.tx_streams + key.rx_streams, key.sessions);
	return EXIT_FAILED;
}

/* show [KID] */
int cmd_show(const struct options *opt, char **args)
{
	struct listing *listing = calloc(1, sizeof(*listing));
	uint16_t kid = 0;
	struct nl nl;
	int err;

	if (!listing) {
		perror("nstkeyctl");
		return EXIT_FAILED;
	}
	if (args[0] && keyline_kid(args[0], strlen(args[0]), &kid)) {
		fprintf(stderr, "nstkeyctl: kid '%s': it must be a number from 1 to 65535\n",
			args[0]);
		free(listing);
		return EXIT_USAGE;
	}
	err = nl_open(&nl);
	if (!err)
		err = kid ? show_one(&nl, listing, kid) :
			    listing_get(&nl, listing);
	if (err)
		nl_explain(&nl, "show", err);
	else if (opt->json)
		show_json(listing);
	else
		show_text(listing);
	nl_close(&nl);
	free(listing);
	return err ? EXIT_FAILED : EXIT_OK;
}
