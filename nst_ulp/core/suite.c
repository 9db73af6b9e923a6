// SPDX-License-Identifier: GPL-2.0
/*
 * The suites: what each is made of, and what is known of whether this kernel has
 * it. Who looks for them is in core/lookup.c.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/nst.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>
#include "core/suite.h"
#include "core/wire.h"
#include "limits.h"

static const struct nst_suite suites[] = {
	[NST_CIPHER_AES_GCM] = {
		.name = "aes-gcm", .aead = "gcm(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 16, .okm_len = 28,
	},
	[NST_CIPHER_AES_CBC] = {
		.name = "aes-cbc", .aead = "authenc(hmac(sha256),cbc(aes))",
		.ivgen = "cbc(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 16, .okm_len = 64,
	},
	[NST_CIPHER_SM4_GCM] = {
		.name = "sm4-gcm", .aead = "gcm(sm4)",
		.hmac = "hmac(sm3)", .hash = "sm3",
		.key_len = 16, .okm_len = 28,
	},
	[NST_CIPHER_SM4_CBC] = {
		.name = "sm4-cbc", .aead = "authenc(hmac(sm3),cbc(sm4))",
		.ivgen = "cbc(sm4)", .untested = true,
		.hmac = "hmac(sm3)", .hash = "sm3",
		.key_len = 16, .okm_len = 64,
	},
	[NST_CIPHER_AES_256_GCM] = {
		.name = "aes-256-gcm", .aead = "gcm(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 32, .okm_len = 44,
	},
	[NST_CIPHER_AES_256_CBC] = {
		.name = "aes-256-cbc", .aead = "authenc(hmac(sha256),cbc(aes))",
		.ivgen = "cbc(aes)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 32, .okm_len = 96,
	},
	[NST_CIPHER_CHACHA20_POLY1305] = {
		.name = "chacha20-poly1305", .aead = "rfc7539(chacha20,poly1305)",
		.hmac = "hmac(sha256)", .hash = "sha256",
		.key_len = 32, .okm_len = 44,
	},
};

static_assert(ARRAY_SIZE(suites) == NST_WIRE_SUITE_MAX + 1);

/* Until when (ns since boot) a suite is taken to be missing; 0: it is not. */
static u64 missing_until[NST_WIRE_SUITE_MAX + 1];

/*
 * The suites of which all parts were there when somebody looked, since a module
 * came or went for the last time, a set for each enum nst_suite_use. A module that
 * goes takes its algorithms along; one that comes may bring a better cipher, and the
 * crypto API then takes apart what was made of the old one. Both are counted in
 * @changes, and what was seen before is not noted behind. @known_lock is held to
 * change them; who only asks reads without it, and may be told what was true a
 * moment ago: the kernel tells of a module when its algorithms are gone.
 */
static DEFINE_SPINLOCK(known_lock);
static unsigned long known[NST_SUITE_USES];
static unsigned int changes;

/**
 * nst_suite() - look a suite up
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * Return: its line of the table; NULL if there is none.
 */
const struct nst_suite *nst_suite(u8 id)
{
	if (!id || id >= ARRAY_SIZE(suites))
		return NULL;
	return &suites[id];
}

/**
 * nst_suite_known() - has somebody seen that a suite is there?
 * @use: what for
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * Context: any.
 * Return: true if so, and no module has come or gone since.
 */
bool nst_suite_known(enum nst_suite_use use, u8 id)
{
	return test_bit(id, &known[use]);
}

/**
 * nst_suite_changes() - how often modules have come or gone
 *
 * Context: any.
 * Return: their number, to be told to nst_suite_note() by who looks now.
 */
unsigned int nst_suite_changes(void)
{
	return READ_ONCE(changes);
}

/**
 * nst_suite_note() - note that a suite is there
 * @use: what for
 * @id: 1..NST_WIRE_SUITE_MAX
 * @seen: of nst_suite_changes(), from before somebody looked
 *
 * Context: process.
 * Return: true; false if there was another change, and it is to be looked at again.
 */
bool nst_suite_note(enum nst_suite_use use, u8 id, unsigned int seen)
{
	bool same;

	spin_lock(&known_lock);
	same = seen == changes;
	if (same)
		set_bit(id, &known[use]);
	spin_unlock(&known_lock);
	return same;
}

static void forget(unsigned long suites)
{
	int use;

	lockdep_assert_held(&known_lock);
	for (use = 0; use < NST_SUITE_USES; use++)
		WRITE_ONCE(known[use], known[use] & ~suites);
}

static int module_event(struct notifier_block *nb, unsigned long state,
			void *module)
{
	if (state != MODULE_STATE_LIVE && state != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	spin_lock(&known_lock);
	WRITE_ONCE(changes, changes + 1);
	forget(~0UL);
	spin_unlock(&known_lock);
	return NOTIFY_OK;
}

static struct notifier_block module_nb = { .notifier_call = module_event };

/**
 * nst_suite_init() - learn of modules that come and go
 *
 * Return: 0 or an errno.
 */
int nst_suite_init(void)
{
	return register_module_notifier(&module_nb);
}

/**
 * nst_suite_exit() - learn of them no more
 *
 * Context: process, at module exit.
 */
void nst_suite_exit(void)
{
	unregister_module_notifier(&module_nb);
}

/**
 * nst_suite_forget() - a suite that was there is not any more
 * @use: what for
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * An algorithm may go without a module: whoever finds that out says so.
 *
 * Context: process.
 */
void nst_suite_forget(enum nst_suite_use use, u8 id)
{
	spin_lock(&known_lock);
	clear_bit(id, &known[use]);
	spin_unlock(&known_lock);
}

/**
 * nst_suite_missing() - what the crypto API says, said of a suite
 * @err: its errno
 *
 * Return: -ENOPKG if that means that this kernel has no such algorithm, else @err.
 */
int nst_suite_missing(int err)
{
	return err == -ENOENT || err == -ELIBBAD ? -ENOPKG : err;
}

/**
 * nst_suite_known_missing() - was a suite missing a moment ago?
 * @id: 1..NST_WIRE_SUITE_MAX
 *
 * To search for what is missing runs modprobe: not for each who asks.
 *
 * Context: any.
 * Return: true, for NST_SUITE_RETRY seconds.
 */
bool nst_suite_known_missing(u8 id)
{
	u64 until = READ_ONCE(missing_until[id]);

	return until && ktime_get_boottime_ns() < until;
}

/**
 * nst_suite_remember() - remember how the search for a suite has ended
 * @id: 1..NST_WIRE_SUITE_MAX
 * @err: 0; -ENOPKG if it is missing; another errno, which tells nothing
 *
 * Return: @err.
 */
int nst_suite_remember(u8 id, int err)
{
	u64 until = 0;

	if (err == -ENOPKG) {
		until = ktime_get_boottime_ns() + NST_SUITE_RETRY * NSEC_PER_SEC;
		spin_lock(&known_lock);
		forget(BIT(id));
		spin_unlock(&known_lock);
	}
	if (!err || until)
		WRITE_ONCE(missing_until[id], until);
	return err;
}
