// SPDX-License-Identifier: GPL-2.0
/*
 * The table of a receiver's states and events in Documentation/nst.rst, each
 * cell of it on a connection of its own. check-doc.sh compares the two tables.
 */
#include <stdbool.h>
#include <stdio.h>

#include "hostile.h"

enum state { WAITING, UNBOUND, BOUND, CLOSED, NR_STATES };

enum event {
	START_UNBOUND, START_BOUND, START_RECORD, DATA_UNBOUND, DATA_BOUND,
	CLOSE_UNBOUND, CLOSE_BOUND, OTHER_NONCE, MALFORMED, FIN, FIN_INSIDE, RST,
	NR_EVENTS
};

/* In which way the receiver is used. */
enum use {
	SILENT,		/* has sent nothing yet */
	SPEAKING,	/* has sent its START */
	STRICT,
};

static const char *const state_name[NR_STATES] = {
	"waiting", "unbound", "bound", "closed",
};

/*
 * In the page's own words. A name of a state: the event is taken, and this is
 * the next one. delivered, nothing: it is taken, the state stays. [1]: if it is
 * fresh, [2]: if the own START is sent, else EarlyBound. Others are refusals.
 */
static const struct row {
	const char *event;
	const char *cell[NR_STATES];
} rows[NR_EVENTS] = {
	[START_UNBOUND] = { "START, unbound",
		{ "unbound [1]_", "StartRepeated", "StartRepeated",
		  "StartRepeated" } },
	[START_BOUND] = { "START, bound",
		{ "bound [2]_", "StartRepeated", "StartRepeated",
		  "StartRepeated" } },
	[START_RECORD] = { "start record",
		{ "bound", "StartRepeated", "StartRepeated",
		  "StartRepeated" } },
	[DATA_UNBOUND] = { "no START, unbound",
		{ "StartMissing", "delivered", "Unbound", "AfterClose" } },
	[DATA_BOUND] = { "no START, bound",
		{ "StartMissing", "bound [2]_", "delivered", "AfterClose" } },
	[CLOSE_UNBOUND] = { "close, unbound",
		{ "StartMissing", "closed", "Unbound", "AfterClose" } },
	[CLOSE_BOUND] = { "close, bound",
		{ "StartMissing", "closed [2]_", "closed", "AfterClose" } },
	[OTHER_NONCE] = { "not the next nonce",
		{ "StartMissing", "Nonce", "Nonce", "Nonce" } },
	[MALFORMED] = { "malformed", { "Hdr...", "Hdr...", "Hdr...", "Hdr..." } },
	[FIN] = { "FIN [3]_",
		{ "Truncated", "Truncated", "Truncated", "nothing" } },
	[FIN_INSIDE] = { "FIN in a record [3]_",
		{ "Truncated", "Truncated", "Truncated", "AfterClose" } },
	[RST] = { "RST",
		{ "ECONNRESET", "ECONNRESET", "ECONNRESET", "nothing" } },
};

/* What the cell says for this use. */
static void expected(enum use use, enum state state, enum event ev,
		     char *text, size_t size)
{
	const char *cell = rows[ev].cell[state];

	if (use == STRICT && ev == START_UNBOUND && state == WAITING)
		cell = "Unbound";
	else if (use == SILENT && strstr(cell, "[2]"))
		cell = "EarlyBound";
	else if (!strcmp(cell, "delivered") || !strcmp(cell, "nothing"))
		cell = state_name[state];
	snprintf(text, size, "%.*s", (int)strcspn(cell, " ."), cell);
}

/* One record as the event wants it, sealed so that its tag is right. */
static void add_event(struct conn *c, enum event ev)
{
	uint8_t type = PEER_DATA;
	struct peer_hdr h;

	if (ev == CLOSE_UNBOUND || ev == CLOSE_BOUND)
		type = PEER_CLOSE;
	else if (ev == START_RECORD)
		type = PEER_STARTREC;
	peer_prepare(&c->p, &h, type, type == PEER_DATA ? EVIL_LEN : 0);
	if (ev == START_UNBOUND || ev == START_BOUND ||
	    ev == START_RECORD)
		h.flags |= PEER_F_START;
	else if (ev <= OTHER_NONCE)
		h.flags &= ~PEER_F_START;
	if (ev == START_BOUND || ev == DATA_BOUND || ev == CLOSE_BOUND)
		h.flags |= PEER_F_BOUND;
	else if (ev <= CLOSE_UNBOUND)
		h.flags &= ~PEER_F_BOUND;
	if (ev == OTHER_NONCE)
		h.nonce++;
	else if (ev == MALFORMED)
		h.magic++;
	conn_add_hdr(c, &h, EVIL, h.len, 0);
}

static void let_happen(struct __test_metadata *_metadata, struct conn *c,
		       enum event ev)
{
	static const struct linger now = { .l_onoff = 1 };

	if (ev == RST) {
		ASSERT_EQ(0, setsockopt(c->raw, SOL_SOCKET, SO_LINGER, &now,
					sizeof(now)));
		ASSERT_EQ(0, close(c->raw));
		c->raw = -1;
		return;
	}
	if (ev != FIN) {
		add_event(c, ev);
		if (ev == FIN_INSIDE)
			c->len = PEER_HDR_SIZE + 3;
		conn_flush(_metadata, c, c->len);
	}
	/* Behind a close record the part alone may have been refused already. */
	if ((ev == FIN || ev == FIN_INSIDE) && shutdown(c->raw, SHUT_WR))
		EXPECT_EQ(ENOTCONN, errno);
}

static struct conn *bring_to(struct __test_metadata *_metadata, enum use use,
			     enum state state)
{
	const struct nsttest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM,
		.nr_keys = NSTTEST_KEYS,
		.flags = NST_F_RESPONDER | (use == STRICT ? NST_F_STRICT : 0),
	};
	struct conn *c = conn_open(_metadata, AF_INET, 0, &conf);
	uint8_t plain[PEER_HDR_SIZE];
	struct peer_hdr h;
	char byte;

	if (use == SPEAKING && state != UNBOUND)
		conn_bind(_metadata, c);
	if (use == STRICT) {
		ASSERT_EQ(0, peer_recv(&c->p, &h, plain));
		if (state != WAITING)
			add_event(c, START_RECORD);
	}
	if (state != WAITING) {
		conn_add(c, PEER_DATA, GOOD, GOOD_LEN);
		conn_flush(_metadata, c, c->len);
		expect_data(_metadata, c, GOOD);
	}
	if (use == SPEAKING && state == UNBOUND)
		conn_bind(_metadata, c);
	if (state == CLOSED) {
		conn_add(c, PEER_CLOSE, NULL, 0);
		conn_flush(_metadata, c, c->len);
		EXPECT_EQ(0, recv(c->k, &byte, 1, 0));
	}
	return c;
}

static uint64_t records_of(struct conn *c, struct nst_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (getsockopt(c->k, SOL_NST, NST_INFO, info, &len))
		return 0;
	return info->rx.records;
}

/* What became of it, in the words of the table. */
static void outcome(struct conn *c, enum event ev, uint64_t records,
		    char *text, size_t size)
{
	const char *grown, *name = "waiting";
	struct nst_info info;
	int i, ret, err = 0;
	char buf[64];

	for (i = 0; i < 30; i++) {
		ret = recv(c->k, buf, sizeof(buf), MSG_DONTWAIT);
		err = ret < 0 ? errno : 0;
		if ((err && err != EAGAIN) || ret > 0 ||
		    records_of(c, &info) != records)
			break;
		usleep(10000);
	}
	records_of(c, &info);
	grown = nsttest_grown(&c->before);
	if (*grown) {
		grown += strlen("NstRx");
		snprintf(text, size, "%.*s", (int)strcspn(grown, "+"), grown);
		return;
	}
	if (err == ECONNRESET)
		name = "ECONNRESET";
	else if (info.rx.closed)
		name = "closed";
	else if (info.rx.bound || (info.rx.started && ev == START_RECORD))
		name = "bound";
	else if (info.rx.started)
		name = "unbound";
	snprintf(text, size, "%s", name);
}

static void try_cell(struct __test_metadata *_metadata, enum use use,
		     enum state state, enum event ev)
{
	struct nst_info info;
	char want[32], got[32];
	struct conn *c = bring_to(_metadata, use, state);
	uint64_t records = records_of(c, &info);

	expected(use, state, ev, want, sizeof(want));
	let_happen(_metadata, c, ev);
	outcome(c, ev, records, got, sizeof(got));
	EXPECT_EQ(0, strncmp(want, got, strcmp(want, "Hdr") ? 32 : 3)) {
		TH_LOG("use %d, %s, %s: want %s, got %s", use,
		       state_name[state], rows[ev].event, want, got);
	}
	conn_close(c);
}

FIXTURE(column)
{
	int unused;
};

FIXTURE_VARIANT(column)
{
	enum use use;
	enum state state;
};

/* To be bound, this end must have sent; if strict, it never is unbound. */
FIXTURE_VARIANT_ADD(column, silent_waiting) { SILENT, WAITING };
FIXTURE_VARIANT_ADD(column, silent_unbound) { SILENT, UNBOUND };
FIXTURE_VARIANT_ADD(column, silent_closed) { SILENT, CLOSED };
FIXTURE_VARIANT_ADD(column, speaking_waiting) { SPEAKING, WAITING };
FIXTURE_VARIANT_ADD(column, speaking_unbound) { SPEAKING, UNBOUND };
FIXTURE_VARIANT_ADD(column, speaking_bound) { SPEAKING, BOUND };
FIXTURE_VARIANT_ADD(column, speaking_closed) { SPEAKING, CLOSED };
FIXTURE_VARIANT_ADD(column, strict_waiting) { STRICT, WAITING };
FIXTURE_VARIANT_ADD(column, strict_bound) { STRICT, BOUND };
FIXTURE_VARIANT_ADD(column, strict_closed) { STRICT, CLOSED };

FIXTURE_SETUP(column)
{
	ASSERT_EQ(0, nsttest_netns());
}

FIXTURE_TEARDOWN(column)
{
}

TEST_F(column, every_event)
{
	int event;

	for (event = 0; event < NR_EVENTS; event++)
		try_cell(_metadata, variant->use, variant->state, event);
}

TEST_HARNESS_MAIN
