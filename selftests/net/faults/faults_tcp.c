// SPDX-License-Identifier: GPL-2.0
/*
 * Every call that can fail fails once, in the life of a TCP connection: nothing is
 * lost, or the connection ends and its end is told; see lib/fault.h.
 */
#include <unistd.h>

#include "fault.h"
#include "faulttcp.h"
#include "tcptest.h"

static int attach(int fd)
{
	if (FAULT_TRY(setsockopt(fd, SOL_TCP, TCP_ULP, "nst", 3)))
		return fault_failed("attach", errno);
	return 0;
}

static int live(const struct fault_keys *with)
{
	struct fault_keys keys = *with;
	int a, b, ret;

	fault_secret(keys.secret);
	ret = nsttest_pair(AF_INET, 0, &b, &a);
	if (ret)
		return fault_failed("pair", -ret);
	if (tcptest_timeout(a, SO_RCVTIMEO, nsttest_patience(4) * 1000) ||
	    tcptest_timeout(b, SO_RCVTIMEO, nsttest_patience(4) * 1000))
		return -1;
	ret = attach(a) ?: attach(b);
	if (!ret)
		ret = fault_install(a, &keys, NST_F_INITIATOR);
	if (!ret)
		ret = fault_install(b, &keys, NST_F_RESPONDER);
	if (!ret)
		ret = faulttcp_carry(a, b);
	close(a);
	close(b);
	return ret;
}

static int live_gcm(void)
{
	static const struct fault_keys keys = { .cipher_id = NST_CIPHER_AES_GCM };

	return live(&keys);
}

static int live_cbc_strict(void)
{
	static const struct fault_keys keys = {
		.cipher_id = NST_CIPHER_AES_CBC, .flags = NST_F_STRICT,
	};

	return live(&keys);
}

static int live_chacha(void)
{
	static const struct fault_keys keys = {
		.cipher_id = NST_CIPHER_CHACHA20_POLY1305,
	};

	return live(&keys);
}

int main(void)
{
	static const struct fault_life lives[] = {
		{ "tcp_gcm", live_gcm, .may_end = true },
		{ "tcp_cbc_strict", live_cbc_strict, .may_end = true },
		{ "tcp_chacha", live_chacha, .may_end = true },
	};

	return fault_main(lives, sizeof(lives) / sizeof(lives[0]));
}
