// SPDX-License-Identifier: GPL-2.0
/*
 * viewpair SECONDS: a connection under kid 7 that has moved records both ways,
 * says "ready", stays for a while and ends: one end with a FIN that no close
 * record announced, which the other one must refuse. For views.sh.
 *
 * viewpair time-wait: a connection that ends well and leaves its initiator in
 * TIME_WAIT. For autoload.sh.
 */
#include "tcptest.h"

static int leave_time_wait(const struct tcptest_conf *conf)
{
	char byte;
	int a, b;

	if (tcptest_pair(conf, &a, &b) || tcptest_bind(a, b))
		return 2;
	/* A close() here would answer the other end's close record by a reset. */
	if (shutdown(a, SHUT_WR) || recv(b, &byte, 1, 0))
		return 3;
	close(b);
	if (recv(a, &byte, 1, 0))
		return 4;
	close(a);
	return 0;
}

int main(int argc, char **argv)
{
	struct tcptest_conf conf = {
		.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
	};
	struct linger now = { .l_onoff = 1 };
	struct tcptest_proxy p;
	char byte;

	if (argc == 2 && !strcmp(argv[1], "time-wait"))
		return leave_time_wait(&conf);
	if (argc != 2 || tcptest_proxy_open(&p, &conf) ||
	    tcptest_key(p.a, &conf, NST_F_INITIATOR) ||
	    tcptest_key(p.b, &conf, NST_F_RESPONDER))
		return 2;
	/* There and back twice: after that both directions are bound. */
	for (int i = 0; i < 2; i++) {
		if (tcptest_send(p.a, 1000 * i, 1000, 1000) ||
		    tcptest_proxy_pump(&p, 100) ||
		    tcptest_recv(p.b, 1000 * i, 1000, 1000) ||
		    tcptest_send(p.b, 1000 * i, 1000, 1000) ||
		    tcptest_proxy_pump(&p, 100) ||
		    tcptest_recv(p.a, 1000 * i, 1000, 1000))
			return 3;
	}
	puts("ready");
	fflush(stdout);
	sleep(atoi(argv[1]));
	shutdown(p.b_raw, SHUT_WR);
	if (recv(p.b, &byte, 1, 0) != -1 || errno != ECONNABORTED)
		return 4;
	setsockopt(p.a, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	tcptest_proxy_close(&p);
	return 0;
}
