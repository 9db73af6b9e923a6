// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "faulty.h"
#include "tcptest.h"

const struct tcptest_conf faulty_conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

const struct tcptest_conf faulty_strict = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET, .strict = true,
};

static int set(const char *param, int value)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), FAULTY_PARAM "%s", param);
	snprintf(text, sizeof(text), "%d", value);
	return nsttest_write_file(path, text);
}

int faulty_open(int err, int times)
{
	return set("err", err) ?: set("times", times);
}

int faulty_seal(int err, int times)
{
	return set("seal_err", err) ?: set("seal_times", times);
}

int faulty_key_lasts(int ms)
{
	return set("key_ms", ms);
}

int faulty_load(void)
{
	if (system("modprobe nst_faulty"))
		return -ENOENT;
	/* An earlier test may have ended in the middle. */
	return faulty_open(0, 0) ?: faulty_seal(0, 0);
}

int faulty_unload(void)
{
	int ret = faulty_open(0, 0) ?: faulty_seal(0, 0), i;

	for (i = 0; i < 100 && system("rmmod nst_faulty 2>/dev/null"); i++)
		usleep(100000);
	return ret ?: i < 100 ? 0 : -EBUSY;
}

int faulty_pair(int *a, int *b)
{
	int ret = faulty_load();

	if (!ret)
		ret = tcptest_pair(&faulty_conf, a, b);
	if (!ret)
		ret = tcptest_bind(*a, *b);
	return ret ?: tcptest_record_max(*a, NST_RECORD_MAX_MAX);
}

int faulty_pair_end(int a, int b)
{
	int ret = faulty_open(0, 0) ?: faulty_seal(0, 0);

	close(a);
	close(b);
	return faulty_unload() ?: ret;
}
