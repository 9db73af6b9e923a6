// SPDX-License-Identifier: GPL-2.0
/*
 * A program of BPF chooses the socket of a datagram as that comes in (bpf_sk_assign).
 * It has chosen for one that waits for its session, too: that goes to this socket, and
 * nobody else sees anything of it. The program is put together here, without libbpf.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <net/ethernet.h>
#include <sys/syscall.h>

#include "udp_hostile.h"

#define CHOSEN_PORT	7777
#define ORIGINAL_PORT	9999
#define DPORT_OFF	(ETH_HLEN + 20 + 2)
#define LOOPBACK	1	/* its index */

static const struct udpend_conf conf4 = {
	.family = AF_INET, .cipher_id = NST_CIPHER_AES_GCM,
};

static void loopback(struct sockaddr_storage *ss, uint16_t port)
{
	struct sockaddr_in *in = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

#define INSN(op, dst, src, o, i) ((struct bpf_insn)			\
	{ .code = (op), .dst_reg = (dst), .src_reg = (src), .off = (o), .imm = (i) })
#define MOV_REG(dst, src)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOV(dst, i)		INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, i)
#define ADD(dst, i)		INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, i)
#define STORE(size, o, i)	INSN(BPF_ST | BPF_MEM | (size), 10, 0, o, i)
#define CALL(nr)		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, nr)
#define JUMP(op, i, o)		INSN(BPF_JMP | (op) | BPF_K, 0, 0, o, i)

/* What comes to ORIGINAL_PORT is for who is at CHOSEN_PORT. fd or -errno */
static int load_program(void)
{
	const struct bpf_insn insns[] = {
		MOV_REG(6, 1),
		INSN(BPF_LD | BPF_ABS | BPF_H, 0, 0, 0, DPORT_OFF),
		JUMP(BPF_JNE, ORIGINAL_PORT, 19),
		/* struct bpf_sock_tuple: from anybody, to there */
		STORE(BPF_W, -12, 0),
		STORE(BPF_W, -8, (int)htonl(INADDR_LOOPBACK)),
		STORE(BPF_H, -4, 0),
		STORE(BPF_H, -2, htons(CHOSEN_PORT)),
		MOV_REG(1, 6),
		MOV_REG(2, 10),
		ADD(2, -12),
		MOV(3, 12),
		MOV(4, -1),
		MOV(5, 0),
		CALL(BPF_FUNC_sk_lookup_udp),
		JUMP(BPF_JEQ, 0, 7),
		MOV_REG(7, 0),
		MOV_REG(1, 6),
		MOV_REG(2, 7),
		MOV(3, 0),
		CALL(BPF_FUNC_sk_assign),
		MOV_REG(1, 7),
		CALL(BPF_FUNC_sk_release),
		MOV(0, TC_ACT_OK),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	static char log[8192];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(insns[0]),
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log, .log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));

	if (fd >= 0)
		return fd;
	fprintf(stderr, "# BPF: %s\n%s\n", strerror(errno), log);
	return -errno;
}

/* A request of rtnetlink in the making. */
struct request {
	struct nlmsghdr nlh;
	struct tcmsg tc;
	char attrs[256];
};

static struct rtattr *put(struct request *r, int type, const void *data,
			  size_t len)
{
	struct rtattr *attr = (void *)((char *)r + NLMSG_ALIGN(r->nlh.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(attr), data, len);
	r->nlh.nlmsg_len = NLMSG_ALIGN(r->nlh.nlmsg_len) + RTA_ALIGN(attr->rta_len);
	return attr;
}

/* The program @prog judges what comes to loopback. 0 or -errno */
static int attach_program(int prog)
{
	struct request r = {
		.nlh = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(r.tc)),
			.nlmsg_type = RTM_NEWTFILTER,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
				       NLM_F_CREATE | NLM_F_EXCL,
		},
		.tc = {
			.tcm_family = AF_UNSPEC, .tcm_ifindex = LOOPBACK,
			.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
			.tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_IP)),
		},
	};
	uint32_t direct = TCA_BPF_FLAG_ACT_DIRECT, fd = prog;
	struct {
		struct nlmsghdr nlh;
		struct nlmsgerr err;
		char rest[512];
	} answer;
	struct rtattr *options;
	int nl = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	put(&r, TCA_KIND, "bpf", 4);
	options = put(&r, TCA_OPTIONS, NULL, 0);
	put(&r, TCA_BPF_FD, &fd, sizeof(fd));
	put(&r, TCA_BPF_NAME, "chosen", 7);
	put(&r, TCA_BPF_FLAGS, &direct, sizeof(direct));
	options->rta_len = (char *)&r + r.nlh.nlmsg_len - (char *)options;
	if (send(nl, &r, r.nlh.nlmsg_len, 0) < 0 ||
	    recv(nl, &answer, sizeof(answer), 0) < 0)
		return -errno;
	close(nl);
	return answer.err.error;
}

FIXTURE(assign)
{
	struct udpend *e;
	struct sockaddr_storage original;
	int chosen;
	int prog;
};

FIXTURE_SETUP(assign)
{
	struct sockaddr_storage at;

	self->e = end_open(_metadata, &conf4);
	loopback(&self->original, ORIGINAL_PORT);
	loopback(&at, CHOSEN_PORT);
	self->chosen = udpend_socket_at(&conf4, &at);
	ASSERT_LE(0, self->chosen);
	if (access("/proc/sys/kernel/unprivileged_bpf_disabled", F_OK))
		NSTTEST_SKIP_FIXTURE("this kernel has no BPF");
	self->prog = load_program();
	ASSERT_LE(0, self->prog);
	ASSERT_EQ(0, system("tc qdisc add dev lo clsact"));
	ASSERT_EQ(0, attach_program(self->prog));
}

FIXTURE_TEARDOWN(assign)
{
	close(self->prog);
	close(self->chosen);
	end_close(self->e);
}

/* New sessions, whose first datagram waits, and more of each. */
static void all_go_there(struct __test_metadata *_metadata,
			 FIXTURE_DATA(assign) *self)
{
	struct udpend *e = self->e;
	struct dgram d;
	int i;

	for (i = 0; i < 12; i++) {
		if (i % 3 == 0)
			udppeer_epoch(&e->p);
		make(&e->p, &d);
		ASSERT_EQ(0, udpend_send(e->raw, &self->original, d.b, d.len));
		expect_got(_metadata, self->chosen, &d);
	}
}

TEST_F(assign, nobody_at_the_original_port)
{
	all_go_there(_metadata, self);
}

TEST_F(assign, nst_at_the_original_port)
{
	int fd = udpend_socket_at(&conf4, &self->original);

	ASSERT_LE(0, fd);
	all_go_there(_metadata, self);
	expect_nothing(_metadata, fd);
	close(fd);
}

TEST_F(assign, plain_at_the_original_port)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ASSERT_EQ(0, bind(fd, (void *)&self->original,
			  sizeof(struct sockaddr_in)));
	all_go_there(_metadata, self);
	expect_nothing(_metadata, fd);
	close(fd);
}

TEST_HARNESS_MAIN
