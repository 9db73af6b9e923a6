// SPDX-License-Identifier: GPL-2.0
/* monitor: what happens in the namespace, as it happens. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include "journal.h"
#include "json.h"
#include "nl.h"
#include "nstkeyctl.h"

static const struct {
	const char *name;	/* for a machine */
	const char *text;
	const char *id;		/* in the journal's catalogue, nst.catalog */
	int priority;
} types[] = {
	[NST_EVENT_BOX_LOADED] = {
		"box-loaded", "a box was loaded",
		"8a23a580555148b3902ddf76a2bae5cd", LOG_NOTICE
	},
	[NST_EVENT_BOX_FLUSHED] = {
		"box-flushed", "the box was emptied",
		"dc68dfc9c6de43bfa805f89c1257cba8", LOG_NOTICE
	},
	[NST_EVENT_KEY_ADDED] = {
		"key-added", "key added",
		"e58d6cc841324218952ec9d998ef26ac", LOG_NOTICE
	},
	[NST_EVENT_KEY_ACTIVATED] = {
		"key-activated", "key activated",
		"7206d6bcb23c406e87d2679e13f0bd5f", LOG_NOTICE
	},
	[NST_EVENT_KEY_RETIRED] = {
		"key-retired", "key retired",
		"a624870993734ddab53d74fdb8a0ba61", LOG_NOTICE
	},
	[NST_EVENT_KEY_DELETED] = {
		"key-deleted", "key deleted",
		"ae5989ef4ac44b69aa29f9381f6a7d12", LOG_NOTICE
	},
	[NST_EVENT_LIMIT] = {
		"limit", "an epoch used up its records or bytes",
		"398c34dfd0a746878abc29a8437abf5a", LOG_INFO
	},
	[NST_EVENT_AUTH] = {
		"auth", "a record failed authentication",
		"870ea98bdb81435e896154c66866257d", LOG_WARNING
	},
	[NST_EVENT_REPLAY] = {
		"replay", "a connection's start was replayed",
		"d0a0c8f61bb84ea281254de568a131aa", LOG_WARNING
	},
	[NST_EVENT_CLOCK] = {
		"clock", "a connection's start was not fresh",
		"1dd1da0c175e4fdca995438017ba9d93", LOG_WARNING
	},
	[NST_EVENT_GUARD] = {
		"guard", "the guard stopped a packet",
		"92c1d0de0eee4818b68be9f20fc0e7b0", LOG_WARNING
	},
};

#define NR_TYPES (sizeof(types) / sizeof(types[0]))

static const char *direction(const struct nlattr **tb)
{
	return nl_u32(tb[NST_A_EVENT_DIRECTION]) == NST_DIRECTION_OUT ?
		"out" : "in";
}

static const char *protocol(const struct nlattr **tb)
{
	return nl_u32(tb[NST_A_EVENT_PROTOCOL]) == IPPROTO_TCP ? "tcp" : "udp";
}

static void timestamp(char *text, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
}

/* What only events of the guard have. */
static void guard_json(const struct nlattr **tb)
{
	if (tb[NST_A_EVENT_DIRECTION])
		json_string("direction", direction(tb));
	if (tb[NST_A_EVENT_PROTOCOL])
		json_string("protocol", protocol(tb));
	if (tb[NST_A_EVENT_PORT])
		json_uint("port", nl_u16(tb[NST_A_EVENT_PORT]));
	if (tb[NST_A_EVENT_DIRECTION])
		json_bool("dry_run", !!tb[NST_A_EVENT_DRY_RUN]);
}

static void guard_text(FILE *to, const struct nlattr **tb)
{
	if (tb[NST_A_EVENT_DIRECTION])
		fprintf(to, " going %s", direction(tb));
	if (tb[NST_A_EVENT_PROTOCOL])
		fprintf(to, ", %s", protocol(tb));
	if (tb[NST_A_EVENT_PORT])
		fprintf(to, " %u", nl_u16(tb[NST_A_EVENT_PORT]));
	if (tb[NST_A_EVENT_DRY_RUN])
		fprintf(to, ", or would have");
}

static void event_json(const struct nlattr **tb, const char *when)
{
	unsigned int type = nl_u32(tb[NST_A_EVENT_TYPE]);

	json_object(NULL);
	json_string("time", when);
	json_string("event", type < NR_TYPES ? types[type].name : "unknown");
	if (tb[NST_A_EVENT_KID])
		json_uint("kid", nl_u16(tb[NST_A_EVENT_KID]));
	guard_json(tb);
	if (tb[NST_A_EVENT_CAUSE])
		json_string("cause", nl_string(tb[NST_A_EVENT_CAUSE]));
	if (tb[NST_A_EVENT_SKEW])
		json_int("skew_ns", (int64_t)nl_u64(tb[NST_A_EVENT_SKEW]));
	if (tb[NST_A_EVENT_MISSED])
		json_uint("missed", nl_u32(tb[NST_A_EVENT_MISSED]));
	json_object_end();
	json_flush();
}

static void event_text(FILE *to, const struct nlattr **tb)
{
	unsigned int type = nl_u32(tb[NST_A_EVENT_TYPE]);

	fputs(type < NR_TYPES ? types[type].text : "unknown event", to);
	guard_text(to, tb);
	if (tb[NST_A_EVENT_KID])
		fprintf(to, ", kid %u", nl_u16(tb[NST_A_EVENT_KID]));
	if (tb[NST_A_EVENT_CAUSE])
		fprintf(to, ", %s", nl_string(tb[NST_A_EVENT_CAUSE]));
	if (tb[NST_A_EVENT_SKEW])
		fprintf(to, ", the peer's clock is %+.3f s from this one",
			(double)(int64_t)nl_u64(tb[NST_A_EVENT_SKEW]) / 1e9);
	if (tb[NST_A_EVENT_MISSED])
		fprintf(to, " (%u like it left out before)",
			nl_u32(tb[NST_A_EVENT_MISSED]));
}

/* The fields of an entry, beside its text. */
static void event_fields(struct journal *journal, const struct nlattr **tb)
{
	if (tb[NST_A_EVENT_KID])
		journal_number(journal, "NST_KID", nl_u16(tb[NST_A_EVENT_KID]));
	if (tb[NST_A_EVENT_DIRECTION])
		journal_string(journal, "NST_DIRECTION", direction(tb));
	if (tb[NST_A_EVENT_PROTOCOL])
		journal_string(journal, "NST_PROTOCOL", protocol(tb));
	if (tb[NST_A_EVENT_PORT])
		journal_number(journal, "NST_PORT", nl_u16(tb[NST_A_EVENT_PORT]));
	if (tb[NST_A_EVENT_CAUSE])
		journal_string(journal, "NST_CAUSE",
			       nl_string(tb[NST_A_EVENT_CAUSE]));
	if (tb[NST_A_EVENT_SKEW])
		journal_number(journal, "NST_SKEW_NS",
			       (int64_t)nl_u64(tb[NST_A_EVENT_SKEW]));
	if (tb[NST_A_EVENT_MISSED])
		journal_number(journal, "NST_MISSED",
			       nl_u32(tb[NST_A_EVENT_MISSED]));
}

static void event_journal(struct journal *journal, const struct nlattr **tb)
{
	unsigned int type = nl_u32(tb[NST_A_EVENT_TYPE]);
	char text[512] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");
	int err;

	/* A type of a newer kernel has no entry in the catalogue. */
	if (!to || type >= NR_TYPES || !types[type].id) {
		if (to)
			fclose(to);
		return;
	}
	event_text(to, tb);
	fclose(to);
	journal_begin(journal, types[type].id, types[type].priority);
	journal_string(journal, "MESSAGE", text);
	journal_string(journal, "NST_EVENT", types[type].name);
	event_fields(journal, tb);
	err = journal_send(journal);
	if (err)
		fprintf(stderr, "nstkeyctl: monitor: the journal: %s\n",
			strerror(-err));
}

/* Where events go. */
struct sink {
	const struct options *opt;
	struct journal journal;
};

static void take_event(const struct nlmsghdr *nlh, void *data)
{
	const struct nlattr *tb[NST_A_EVENT_MAX + 1];
	struct sink *sink = data;
	char when[32];

	nl_parse(nlh, tb, NST_A_EVENT_MAX);
	timestamp(when, sizeof(when));
	if (sink->opt->journal) {
		event_journal(&sink->journal, tb);
	} else if (sink->opt->json) {
		event_json(tb, when);
	} else {
		printf("%s ", when);
		event_text(stdout, tb);
		putchar('\n');
		fflush(stdout);
	}
}

/* Until nobody takes what is written. */
static int listen_on(struct nl *nl, struct sink *sink)
{
	int err = 0;

	while (!err && !ferror(stdout)) {
		err = nl_listen(nl, take_event, sink);
		if (err == -ENOBUFS) {
			fputs("nstkeyctl: monitor: some events were lost\n",
			      stderr);
			err = 0;
		} else if (err == -ENODEV || err == 1) {
			fprintf(stderr, "nstkeyctl: monitor: the module was %s\n",
				err == 1 ? "loaded again" :
				"unloaded: there are no events until it is loaded again");
			err = 0;
		} else if (err == -EINTR) {
			err = 0;
		}
	}
	return err;
}

/* monitor: until a signal, or until nobody reads what it writes. */
int cmd_monitor(const struct options *opt, char **args)
{
	struct sink sink = { .opt = opt };
	struct nl nl;
	int err;

	(void)args;
	if (opt->journal) {
		err = journal_open(&sink.journal);
		if (err) {
			fprintf(stderr, "nstkeyctl: monitor --journal: there is no journal (%s)\n",
				strerror(-err));
			return EXIT_FAILED;
		}
	}
	err = nl_open(&nl);
	if (!err)
		err = nl_subscribe(&nl);
	if (!err)
		err = listen_on(&nl, &sink);
	if (err)
		nl_explain(&nl, "monitor", err);
	nl_close(&nl);
	return EXIT_FAILED;
}
