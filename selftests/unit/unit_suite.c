// SPDX-License-Identifier: GPL-2.0
/* suite.c, lookup.c: the table, and what is known of whether a kernel has each. */
#include <linux/array_size.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/nst.h>
#include <linux/workqueue.h>
#include <shim/test.h>
#include <crypto/algapi.h>
#include "core/cipher.h"
#include "core/kdf.h"
#include "core/lookup.h"
#include "core/suite.h"
#include "limits.h"

/* What other tests have found is no matter. */
static void start(void)
{
	NEED_EQ(nst_suite_init(), 0);
	shim_module_event(MODULE_STATE_LIVE);
}

static void stop(void)
{
	nst_suite_ask_exit();
	nst_suite_exit();
	CHECK_EQ(shim_live_tfms, 0);
}

TEST(nst_suite__table)
{
	static const char *const names[] = {
		NULL, "aes-gcm", "aes-cbc", "sm4-gcm", "sm4-cbc",
		"aes-256-gcm", "aes-256-cbc", "chacha20-poly1305",
	};
	unsigned int id;

	CHECK(!nst_suite(0));
	for (id = 1; id <= 7; id++) {
		NEED(nst_suite(id));
		CHECK(!strcmp(nst_suite(id)->name, names[id]));
		CHECK_EQ(nst_suite(id)->key_len, id >= 5 ? 32 : 16);
		CHECK_EQ(!!nst_suite(id)->ivgen, nst_wire_padded(id));
		CHECK(nst_suite(id)->okm_len <= NST_OKM_MAX);
	}
	for (id = 8; id < 256; id++)
		CHECK(!nst_suite(id));
}

TEST(nst_suite_driver__each_suite)
{
	char aead[64], hmac[64];
	unsigned int id;

	for (id = 1; id <= 7; id++) {
		CHECK_EQ(nst_suite_driver(id, aead, hmac, 64, true), 0);
		CHECK(!strcmp(aead, id == NST_CIPHER_SM4_CBC ?
			      "authenc(shim-hmac,shim-skcipher)" : "shim-aead"));
		CHECK(!strcmp(hmac, "shim-hmac"));
	}
	CHECK_EQ(nst_suite_driver(0, aead, hmac, 32, true), -ENOPKG);
	CHECK_EQ(nst_suite_driver(8, aead, hmac, 32, true), -ENOPKG);
}

TEST(nst_suite_driver__missing_parts)
{
	static const char *const parts[] = { "gcm(sm4)", "cbc(sm4)", "sm3" };
	char aead[64], hmac[64];
	unsigned int i, id;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		shim_crypto_missing = parts[i];
		for (id = 1; id <= 7; id++) {
			bool hit = (id == 3 && i != 1) || (id == 4 && i != 0);

			CHECK_EQ(nst_suite_driver(id, aead, hmac, 32, true),
				 hit ? -ENOPKG : 0);
		}
	}
	shim_crypto_missing = "authenc";
	for (id = 1; id <= 7; id++)
		CHECK_EQ(nst_suite_driver(id, aead, hmac, 32, true),
			 nst_suite(id)->ivgen ? -ENOPKG : 0);
}

/* Softirqs need a driver without SIMD where the best one is not for them. */
TEST(nst_suite_datagrams__each_suite)
{
	unsigned int id;

	start();
	for (id = 1; id <= 7; id++) {
		CHECK_EQ(nst_suite_datagrams(id, true), 0);
		/* What was found so is at hand. */
		shim_crypto_missing = nst_suite(id)->aead;
		CHECK_EQ(nst_suite_at_hand(id),
			 nst_suite(id)->untested ? -ENOPKG : 0);
		shim_crypto_missing = NULL;
	}
	shim_module_event(MODULE_STATE_GOING);
	shim_crypto_missing = "gcm(aes)";
	CHECK_EQ(nst_suite_datagrams(NST_CIPHER_AES_GCM, true), -ENOPKG);
	stop();
}

/* What is there costs nothing to find; what is missing is sought after a while. */
TEST(nst_suite_check__remembers)
{
	char aead[32], hmac[32];
	unsigned int id;

	shim_crypto_missing = "sm3";
	for (id = 3; id <= 4; id++) {
		CHECK_EQ(nst_suite_check(id), -ENOPKG);
		CHECK_EQ(nst_suite_check(id), -ENOPKG);
	}
	shim_crypto_missing = "sm4";
	CHECK_EQ(nst_suite_check(3), -ENOPKG);
	shim_crypto_missing = NULL;
	CHECK_EQ(nst_suite_check(3), -ENOPKG);
	CHECK_EQ(nst_suite_driver(3, aead, hmac, 32, false), -ENOPKG);
	/* Who administers wants to know it now. */
	CHECK_EQ(nst_suite_driver(3, aead, hmac, 32, true), 0);
	CHECK_EQ(nst_suite_check(3), 0);
	CHECK_EQ(nst_suite_check(4), -ENOPKG);
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_check(4), 0);
	for (id = 1; id <= 7; id++) {
		CHECK_EQ(nst_suite_check(id), 0);
		shim_fail_at(1);
		CHECK_EQ(nst_suite_check(id), 0);
		CHECK(!shim_fail_hit());
	}
	CHECK_EQ(nst_suite_check(0), -ENOPKG);
	CHECK_EQ(nst_suite_check(8), -ENOPKG);
	CHECK_EQ(shim_live_tfms, 0);
}

/* What was there is not searched for again until a module comes or goes. */
TEST(nst_suite_check__looks_anew_behind_a_module)
{
	static const unsigned long states[] = {
		MODULE_STATE_LIVE, MODULE_STATE_GOING,
	};
	unsigned int i;

	start();
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
		CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), 0);
		shim_crypto_missing = "sm4";
		CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), 0);
		shim_module_event(states[i]);
		CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), -ENOPKG);
		shim_crypto_missing = NULL;
	}
	stop();
}

/* Who asks learns what a work item has found out, and waits for nothing. */
TEST(nst_suite_ask__is_looked_for_by_others)
{
	char aead[32], hmac[32];

	start();
	shim_crypto_missing = "sm4";
	CHECK_EQ(nst_suite_driver(NST_CIPHER_SM4_GCM, aead, hmac, 32, true), -ENOPKG);
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -EAGAIN);
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -EAGAIN);
	shim_work_run();
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -ENOPKG);
	/* For any suite nothing is looked for twice. */
	shim_crypto_missing = NULL;
	nst_suite_ask_all();
	shim_work_run();
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	nst_suite_ask_all();
	shim_work_run();
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -EAGAIN);
	shim_work_run();
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), 0);
	CHECK_EQ(nst_suite_ask(NST_CIPHER_CHACHA20_POLY1305), 0);
	/* It was there, and is no more. */
	shim_crypto_missing = "sm4";
	CHECK_EQ(nst_suite_driver(NST_CIPHER_SM4_GCM, aead, hmac, 32, true), -ENOPKG);
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -EAGAIN);
	stop();
}

/* Who serves many does not wait for an algorithm, nor look for one all the time. */
TEST(nst_suite_at_hand__looked_for_seldom)
{
	u8 id;

	start();
	shim_crypto_missing = "sm4";
	nst_suite_have(0);
	shim_crypto_missing = "aes";
	for (id = 1; id <= NST_WIRE_SUITE_MAX; id++)
		CHECK_EQ(nst_suite_at_hand(id), id == NST_CIPHER_SM4_GCM ||
			 id == NST_CIPHER_SM4_CBC ? -ENOPKG : 0);
	shim_crypto_missing = NULL;
	shim_boot_ns += (NST_SUITE_LOOK - 1) * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_boot_ns += NSEC_PER_SEC;
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_SM4_GCM), 0);
	/* Keys for that one alone are set: it is looked for at once. */
	nst_suite_have(NST_CIPHER_SM4_CBC);
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_SM4_CBC), 0);
	stop();
}

/* The worker of all datagrams runs no modprobe for a suite that was missing. */
TEST(nst_suite_ask_datagrams__is_looked_for_by_others)
{
	start();
	shim_crypto_missing = "sm4";
	nst_suite_have(0);
	shim_crypto_missing = NULL;
	CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_work_run();
	CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_boot_ns += NST_SUITE_LOOK * NSEC_PER_SEC;
	/* It is there, but to see that takes a search: not by who asks. */
	CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), -ENOPKG);
	CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_work_run();
	CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), 0);
	CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_AES_GCM), 0);
	stop();
}

/* Nor one that was there: whether it still is, a datagram waits to learn. */
TEST(nst_suite_ask_datagrams__looks_again_by_others)
{
	static const unsigned long states[] = {
		MODULE_STATE_LIVE, MODULE_STATE_GOING,
	};
	unsigned int i;

	start();
	nst_suite_have(0);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), 0);
		shim_module_event(states[i]);
		/* Whoever made a transform would fail. */
		shim_fail_at(1);
		CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), -EAGAIN);
		CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), -EAGAIN);
		CHECK(!shim_fail_hit());
		shim_fail_at(0);
		shim_work_run();
		CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), 0);
	}
	/* It is gone. */
	shim_module_event(MODULE_STATE_GOING);
	shim_crypto_missing = "sm4";
	CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), -EAGAIN);
	shim_work_run();
	CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_crypto_missing = NULL;
	shim_work_run();
	CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_SM4_GCM), -ENOPKG);
	stop();
}

/* A look that fails, whoever has looked, is not done again at every datagram. */
TEST(nst_suite_ask_datagrams__pauses_after_a_failure)
{
	int by_keys;

	for (by_keys = 0; by_keys < 2; by_keys++) {
		start();
		shim_fail_at(1);
		if (by_keys) {
			nst_suite_have(NST_CIPHER_AES_GCM);
		} else {
			CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_AES_GCM),
				 -EAGAIN);
			shim_work_run();
		}
		CHECK(shim_fail_hit());
		shim_fail_at(0);
		CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_AES_GCM), -ENOPKG);
		shim_work_run();
		CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_AES_GCM), -ENOPKG);
		shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
		CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_AES_GCM), -ENOPKG);
		shim_work_run();
		CHECK_EQ(nst_suite_ask_datagrams(NST_CIPHER_AES_GCM), 0);
		stop();
	}
}

/* What was known of a suite is known no more when any module has come or gone. */
TEST(nst_suite_ask__forgets_when_modules_come_and_go)
{
	static const unsigned long states[] = {
		MODULE_STATE_LIVE, MODULE_STATE_GOING,
	};
	unsigned int i;

	start();
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), 0);
		nst_suite_have(NST_CIPHER_SM4_GCM);
		CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), 0);
		/* It may fail to load yet. */
		shim_module_event(MODULE_STATE_COMING);
		CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), 0);
		shim_module_event(states[i]);
		shim_crypto_missing = "sm4";
		CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -EAGAIN);
		CHECK_EQ(nst_suite_at_hand(NST_CIPHER_SM4_GCM), -ENOPKG);
		shim_work_run();
		CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), -ENOPKG);
		shim_crypto_missing = NULL;
		shim_boot_ns += NST_SUITE_LOOK * NSEC_PER_SEC;
	}
	stop();
}

static unsigned int comes;

/* It loads a module that is not there yet. */
static void module_comes(void)
{
	if (comes) {
		comes--;
		shim_module_event(MODULE_STATE_LIVE);
	}
}

/* To look for a suite loads modules: it is found all the same, and in the end. */
TEST(nst_suite_check__loads_what_it_looks_for)
{
	start();
	shim_crypto_looked = module_comes;
	comes = 1;
	CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), 0);
	CHECK_EQ(nst_suite_ask(NST_CIPHER_SM4_GCM), 0);
	/* Where they come without an end it is there, but not known to be. */
	comes = 1000;
	CHECK_EQ(nst_suite_check(NST_CIPHER_AES_GCM), 0);
	CHECK_EQ(nst_suite_ask(NST_CIPHER_AES_GCM), -EAGAIN);
	CHECK(comes > 900);
	shim_crypto_looked = NULL;
	stop();
}

/*
 * An algorithm may go without a module: crypto_user deletes one for root. Whoever
 * cannot make what was there forgets it, so that the next who sets keys is told; and
 * it is there again when it is.
 */
TEST(nst_suite_known__until_a_cipher_is_missing)
{
	struct nst_cipher cipher = {};

	start();
	CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), 0);
	shim_crypto_missing = "gcm(sm4)";
	CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), 0);
	CHECK_EQ(nst_cipher_init(&cipher, NST_CIPHER_SM4_GCM), -ENOPKG);
	CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), -ENOPKG);
	shim_crypto_missing = NULL;
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), 0);
	stop();
}

TEST(nst_suite_known__until_a_hash_is_missing)
{
	static const u8 zero[32];
	const struct nst_kdf in = {
		.suite = NST_CIPHER_SM4_GCM, .kid = 1, .secret = zero,
		.salt = zero, .context = zero,
	};
	u8 okm[NST_OKM_MAX];

	start();
	CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), 0);
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_SM4_GCM), 0);
	shim_crypto_missing = "sm3";
	CHECK_EQ(nst_kdf_derive(&in, okm, 28), -ENOPKG);
	CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), -ENOPKG);
	CHECK(!nst_suite_known(NST_SUITE_DATAGRAMS, NST_CIPHER_SM4_GCM));
	/* Others have theirs. */
	CHECK_EQ(nst_suite_check(NST_CIPHER_AES_GCM), 0);
	shim_crypto_missing = NULL;
	shim_boot_ns += NST_SUITE_RETRY * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_check(NST_CIPHER_SM4_GCM), 0);
	stop();
}

/* What softirqs need has gone: streams do without. */
TEST(nst_suite_known__until_datagrams_have_no_cipher)
{
	struct nst_cipher cipher = {};

	start();
	CHECK_EQ(nst_suite_check(NST_CIPHER_AES_GCM), 0);
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_AES_GCM), 0);
	shim_crypto_no_sync = true;
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_AES_GCM), 0);
	CHECK_EQ(nst_cipher_init_atomic(&cipher, NST_CIPHER_AES_GCM), -ENOPKG);
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_AES_GCM), -ENOPKG);
	CHECK_EQ(nst_suite_check(NST_CIPHER_AES_GCM), 0);
	shim_crypto_no_sync = false;
	shim_boot_ns += NST_SUITE_LOOK * NSEC_PER_SEC;
	CHECK_EQ(nst_suite_at_hand(NST_CIPHER_AES_GCM), 0);
	stop();
}
