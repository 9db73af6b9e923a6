// SPDX-License-Identifier: GPL-2.0
/*
 * A BPF program of a cgroup sets SO_RCVLOWAT of each connection as it comes to stand,
 * which for a child is long before accept(). TCP would count ciphertext by it; NST is
 * to count what a program can read. It is put together here, without libbpf.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "cgroup.h"
#include "kselftest_harness.h"
#include "tcptest.h"

#define CGROUP	CGROUP_ROOT "/sockops"
#define LOWAT	100
#define LOG	65536

#define INSN(op, dst, src, o, i) ((struct bpf_insn)			\
	{ .code = (op), .dst_reg = (dst), .src_reg = (src), .off = (o), .imm = (i) })
#define MOV_REG(dst, src)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOV_IMM(dst, i)		INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, i)
#define ADD_IMM(dst, i)		INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, i)
#define LOAD_W(dst, src, o)	INSN(BPF_LDX | BPF_MEM | BPF_W, dst, src, o, 0)
#define STORE_W(dst, o, i)	INSN(BPF_ST | BPF_MEM | BPF_W, dst, 0, o, i)
#define IF_NOT(r, i, o)		INSN(BPF_JMP | BPF_JNE | BPF_K, r, 0, o, i)
#define CALL(i)			INSN(BPF_JMP | BPF_CALL, 0, 0, 0, i)
#define EXIT()			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* The program, or -errno. */
static int load(void)
{
	const struct bpf_insn insns[] = {
		LOAD_W(2, 1, offsetof(struct bpf_sock_ops, op)),
		IF_NOT(2, BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB, 7),
		STORE_W(10, -8, LOWAT),
		MOV_IMM(2, SOL_SOCKET),
		MOV_IMM(3, SO_RCVLOWAT),
		MOV_REG(4, 10),
		ADD_IMM(4, -8),
		MOV_IMM(5, 4),
		CALL(BPF_FUNC_setsockopt),
		MOV_IMM(0, 1),
		EXIT(),
	};
	static char log[LOG];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCK_OPS,
		.insns = (uintptr_t)insns,
		.insn_cnt = sizeof(insns) / sizeof(insns[0]),
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log, .log_size = LOG, .log_level = 1,
	};
	int fd = sys_bpf(BPF_PROG_LOAD, &attr);
	int err = errno;

	if (fd < 0)
		printf("# %s\n", log);
	return fd < 0 ? -err : fd;
}

/* For all sockets that are made in the cgroup from now on. */
static int attach(const char *path, int prog)
{
	union bpf_attr attr = {
		.target_fd = open(path, O_RDONLY | O_DIRECTORY),
		.attach_bpf_fd = prog,
		.attach_type = BPF_CGROUP_SOCK_OPS,
	};
	int ret = sys_bpf(BPF_PROG_ATTACH, &attr) ? -errno : 0;

	close(attr.target_fd);
	return ret;
}

FIXTURE(sockops) {
	int lis;
	struct sockaddr_storage ss;
	socklen_t len;
};

FIXTURE_VARIANT(sockops) {
	bool late;	/* the listener is attached when the child is there */
};

FIXTURE_VARIANT_ADD(sockops, born_with_nst) {};
FIXTURE_VARIANT_ADD(sockops, older_than_the_attach) { .late = true };

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

FIXTURE_SETUP(sockops)
{
	int prog, ret;

	self->lis = -1;
	ret = cgroup_make(CGROUP);
	prog = ret && ret != -ENODEV ? ret : load();
	if (prog == -EINVAL || prog == -ENODEV) {
		cgroup_end();
		NSTTEST_SKIP_FIXTURE("this kernel has no BPF for sockets");
	}
	ASSERT_LE(0, prog);
	ASSERT_EQ(0, attach(CGROUP, prog));
	close(prog);
	ASSERT_EQ(0, cgroup_enter(CGROUP));
	self->len = sizeof(self->ss);
	self->ss.ss_family = AF_INET;
	self->lis = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, bind(self->lis, (void *)&self->ss, self->len));
	ASSERT_EQ(0, getsockname(self->lis, (void *)&self->ss, &self->len));
}

FIXTURE_TEARDOWN(sockops)
{
	close(self->lis);
	cgroup_end();
	rmdir(CGROUP);
}

/* So many plaintext bytes are worth a wakeup, and no ciphertext is. */
TEST_F(sockops, rcvlowat)
{
	char in[2 * LOWAT] = "";
	int a, b;

	if (!variant->late)
		ASSERT_EQ(0, tcptest_key(self->lis, &conf, 0));
	ASSERT_EQ(0, listen(self->lis, 1));
	a = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, tcptest_key(a, &conf, 0));
	ASSERT_EQ(0, connect(a, (void *)&self->ss, self->len));
	if (variant->late)
		ASSERT_EQ(0, tcptest_key(self->lis, &conf, 0));
	b = accept(self->lis, NULL, NULL);
	ASSERT_LE(0, b);
	/* With header and token they are more than that. */
	ASSERT_EQ(LOWAT - 10, send(a, in, LOWAT - 10, 0));
	EXPECT_EQ(0, tcptest_poll(b, POLLIN, 300));
	ASSERT_EQ(10, send(a, in, 10, 0));
	EXPECT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	EXPECT_EQ(LOWAT, recv(b, in, sizeof(in), 0));
	/* The program's own word is the last. */
	ASSERT_EQ(0, tcptest_set_int(b, SOL_SOCKET, SO_RCVLOWAT, 1));
	ASSERT_EQ(1, send(a, in, 1, 0));
	EXPECT_EQ(POLLIN, tcptest_poll(b, POLLIN, TCPTEST_SOON_MS));
	close(a);
	close(b);
}

/* Nor does a START wait for accept() until so many bytes have come. */
TEST_F(sockops, judged_before_accept)
{
	long was = nsttest_stat("NstRxHdrMagic");
	char junk[LOWAT - 40];
	int a, i;

	if (variant->late)
		return;
	memset(junk, 'x', sizeof(junk));
	ASSERT_EQ(0, tcptest_key(self->lis, &conf, 0));
	ASSERT_EQ(0, listen(self->lis, 1));
	a = socket(AF_INET, SOCK_STREAM, 0);
	ASSERT_EQ(0, connect(a, (void *)&self->ss, self->len));
	ASSERT_EQ(sizeof(junk), send(a, junk, sizeof(junk), 0));
	for (i = 0; i < TCPTEST_SOON_MS / 10 && nsttest_stat("NstRxHdrMagic") == was; i++)
		usleep(10000);
	EXPECT_EQ(was + 1, nsttest_stat("NstRxHdrMagic"));
	close(a);
}

TEST_HARNESS_MAIN
