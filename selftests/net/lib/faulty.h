/* SPDX-License-Identifier: GPL-2.0 */
/* A cipher that fails when it is told to: nst_faulty.ko. */
#ifndef FAULTY_H
#define FAULTY_H

#define FAULTY_PARAM	"/sys/module/nst_faulty/parameters/"
#define FAULTY_EVER	1000000000

struct tcptest_conf;

/* What gets keys from now on uses it. 0 or -errno */
int faulty_load(void);

/* It fails no more, and goes once the last transforms are given back. 0 or -errno */
int faulty_unload(void);

/* Connections whose two ends use it, without and with strict mode. */
extern const struct tcptest_conf faulty_conf, faulty_strict;

/*
 * It is loaded, and two ends of such a connection have heard of each other. And
 * behind a test: it works again, they are closed, and it is gone. 0 or -errno
 */
int faulty_pair(int *a, int *b);
int faulty_pair_end(int a, int b);

/* Fail with @err to open a record, or to seal one, so many times. 0 or -errno */
int faulty_open(int err, int times);
int faulty_seal(int err, int times);

/* Whoever derives keys takes so long. 0 or -errno */
int faulty_key_lasts(int ms);

#endif /* FAULTY_H */
