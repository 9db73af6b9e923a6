// SPDX-License-Identifier: GPL-2.0
/*
 * BPF programs that walk all TCP sockets of the namespace, each under its lock,
 * and set its options or destroy it, while NST comes to it, sends, and leaves it.
 * They are put together here, without libbpf.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <sys/syscall.h>

#include "closetest.h"
#include "kselftest_harness.h"

#define BTF	"/sys/kernel/btf/vmlinux"
#define LOG	65536
#define ROUNDS	200
#define TOTAL	3000000
#define NONE	"no such program on this kernel"
#define SNDBUF	30000	/* the kernel doubles it */

static const struct tcptest_conf conf = {
	.cipher_id = NST_CIPHER_AES_GCM, .family = AF_INET,
};

/* --- the kernel's types ------------------------------------------------------ */

struct btf_head {
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t hdr_len;
	uint32_t type_off;
	uint32_t type_len;
	uint32_t str_off;
	uint32_t str_len;
};

struct btf_entry {
	uint32_t name;
	uint32_t info;
	uint32_t size_or_type;
};

#define BTF_KIND_FUNC	12

/* Bytes behind an entry: by kind, for all of it or for each of its members. */
static size_t tail_of(uint32_t info)
{
	static const uint8_t once[32] = { [1] = 4, [3] = 12, [14] = 4, [17] = 4 };
	static const uint8_t each[32] = {
		[4] = 12, [5] = 12, [6] = 8, [13] = 8, [15] = 12, [19] = 12,
	};
	unsigned int kind = info >> 24 & 31;

	return once[kind] + each[kind] * (info & 0xffff);
}

static int find_func(const uint8_t *btf, const char *name)
{
	const struct btf_head *head = (const void *)btf;
	const uint8_t *at = btf + head->hdr_len + head->type_off;
	const uint8_t *end = at + head->type_len;
	const char *str = (const char *)btf + head->hdr_len + head->str_off;
	int id;

	for (id = 1; at < end; id++) {
		const struct btf_entry *e = (const void *)at;

		if ((e->info >> 24 & 31) == BTF_KIND_FUNC &&
		    !strcmp(str + e->name, name))
			return id;
		at += sizeof(*e) + tail_of(e->info);
	}
	return -ENOENT;
}

/* The number of a function of the kernel, or -errno. */
static int func_id(const char *name)
{
	int fd = open(BTF, O_RDONLY | O_CLOEXEC), id = -ENOENT;
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	uint8_t *btf = malloc(size + 1);
	off_t n = 0;
	ssize_t got;

	while (btf && n < size &&
	       (got = pread(fd, btf + n, size - n, n)) > 0)
		n += got;
	if (btf && size && n == size)
		id = find_func(btf, name);
	free(btf);
	close(fd);
	return id;
}

/* --- programs ---------------------------------------------------------------- */

#define INSN(op, dst, src, o, i) ((struct bpf_insn)			\
	{ .code = (op), .dst_reg = (dst), .src_reg = (src), .off = (o), .imm = (i) })
#define MOV_REG(dst, src)	INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOV_IMM(dst, i)		INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, i)
#define ADD_IMM(dst, i)		INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, i)
#define LOAD(dst, src, o)	INSN(BPF_LDX | BPF_MEM | BPF_DW, dst, src, o, 0)
#define STORE_W(dst, o, i)	INSN(BPF_ST | BPF_MEM | BPF_W, dst, 0, o, i)
#define IF_ZERO(r, o)		INSN(BPF_JMP | BPF_JEQ | BPF_K, r, 0, o, 0)
#define CALL(src, i)		INSN(BPF_JMP | BPF_CALL, 0, src, 0, i)
#define EXIT()			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* struct bpf_iter__tcp: meta, sk_common */
#define CTX_SK	8

static int sys_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* An iterator over TCP sockets: a link to it, or -errno. */
static int make_iter(const struct bpf_insn *insns, unsigned int nr)
{
	static char log[LOG];
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_TRACING,
		.expected_attach_type = BPF_TRACE_ITER,
		.insns = (uintptr_t)insns, .insn_cnt = nr,
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log, .log_size = LOG, .log_level = 1,
	};
	union bpf_attr link = {};
	int id = func_id("bpf_iter_tcp"), prog, ret;

	if (id < 0)
		return id;
	load.attach_btf_id = id;
	prog = sys_bpf(BPF_PROG_LOAD, &load);
	if (prog < 0) {
		ret = -errno;
		printf("# %s\n", log);
		return ret;
	}
	link.link_create.prog_fd = prog;
	link.link_create.attach_type = BPF_TRACE_ITER;
	ret = sys_bpf(BPF_LINK_CREATE, &link);
	ret = ret < 0 ? -errno : ret;
	close(prog);
	return ret;
}

/* Sets SO_SNDBUF. */
static int make_setter(void)
{
	const struct bpf_insn insns[] = {
		LOAD(6, 1, CTX_SK),
		IF_ZERO(6, 8),
		STORE_W(10, -8, SNDBUF),
		MOV_REG(1, 6),
		MOV_IMM(2, SOL_SOCKET),
		MOV_IMM(3, SO_SNDBUF),
		MOV_REG(4, 10),
		ADD_IMM(4, -8),
		MOV_IMM(5, 4),
		CALL(0, BPF_FUNC_setsockopt),
		MOV_IMM(0, 0),
		EXIT(),
	};

	return make_iter(insns, sizeof(insns) / sizeof(insns[0]));
}

/* Destroys; newer than 6.1. */
static int make_killer(void)
{
	int id = func_id("bpf_sock_destroy");
	const struct bpf_insn insns[] = {
		LOAD(6, 1, CTX_SK),
		IF_ZERO(6, 2),
		MOV_REG(1, 6),
		CALL(BPF_PSEUDO_KFUNC_CALL, id),
		MOV_IMM(0, 0),
		EXIT(),
	};

	return id < 0 ? id : make_iter(insns, sizeof(insns) / sizeof(insns[0]));
}

/* Once over all sockets. */
static int walk(int link)
{
	union bpf_attr iter = { .iter_create = { .link_fd = link } };
	int fd = sys_bpf(BPF_ITER_CREATE, &iter);
	char buf[256];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		;
	n = n < 0 ? -errno : 0;
	close(fd);
	return n;
}

/* Again and again, in a child. */
static pid_t walk_on(int link)
{
	pid_t pid = fork();

	if (!pid) {
		while (!walk(link))
			;
		_exit(1);
	}
	return pid;
}

static void stop(struct __test_metadata *_metadata, pid_t pid)
{
	int status;

	EXPECT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	/* It had not ended by itself. */
	EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* --- tests ------------------------------------------------------------------- */

FIXTURE(bpf) {
	int link;
};

FIXTURE_VARIANT(bpf) {
	int (*make)(void);
};

FIXTURE_VARIANT_ADD(bpf, setter) { .make = make_setter };
FIXTURE_VARIANT_ADD(bpf, killer) { .make = make_killer };

FIXTURE_SETUP(bpf)
{
	ASSERT_EQ(0, nsttest_netns());
	self->link = variant->make();
	/* The tests say so. */
	if (self->link == -ENOENT)
		return;
	ASSERT_LE(0, self->link);
}

FIXTURE_TEARDOWN(bpf)
{
	close(self->link);
}

/* What it does, it does. */
TEST_F(bpf, works)
{
	bool kills = variant->make == make_killer;
	int a, b, value = 0;
	socklen_t len = sizeof(value);
	char in[2];

	if (self->link < 0)
		SKIP(return, NONE);
	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_bind(a, b));
	ASSERT_EQ(1, send(a, "x", 1, 0));
	ASSERT_EQ(0, walk(self->link));
	if (kills) {
		/* What was there whole is told first. */
		EXPECT_EQ(1, recv(b, in, sizeof(in), 0));
		EXPECT_EQ(-1, recv(b, in, sizeof(in), 0));
		/* By itself, or by the reset of the other end, which was first. */
		EXPECT_TRUE(errno == ECONNABORTED || errno == ECONNRESET);
		EXPECT_EQ(-1, send(a, "y", 1, MSG_NOSIGNAL));
	} else {
		ASSERT_EQ(0, getsockopt(a, SOL_SOCKET, SO_SNDBUF, &value,
					&len));
		EXPECT_EQ(2 * SNDBUF, value);
		EXPECT_EQ(1, recv(b, in, sizeof(in), 0));
		EXPECT_EQ(1, send(a, "y", 1, 0));
		EXPECT_EQ(1, recv(b, in, sizeof(in), 0));
	}
	close(a);
	close(b);
}

/* A connection that has lost its program, and a listener. */
TEST_F(bpf, closed_and_listening)
{
	bool kills = variant->make == make_killer;
	int a, b, lis = socket(AF_INET, SOCK_STREAM, 0);

	if (self->link < 0)
		SKIP(return, NONE);
	ASSERT_EQ(0, tcptest_key(lis, &conf, 0));
	ASSERT_EQ(0, listen(lis, 1));
	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	ASSERT_EQ(0, tcptest_bind(a, b));
	ASSERT_EQ(0, close(a));
	EXPECT_EQ(1, nsttest_stat("NstLingering"));
	ASSERT_EQ(0, walk(self->link));
	EXPECT_LE(0, close_wait_lingering(!kills));
	if (kills) {
		EXPECT_EQ(0, tcptest_state(lis, TCP_CLOSE));
		EXPECT_EQ(0, tcptest_state(b, TCP_CLOSE));
	}
	/* The close record was there before. */
	EXPECT_EQ(0, close_one_recv(b));
	close(lis);
	close(b);
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, nsttest_stat("NstSockets"));
}

/* Connections come and go, and are walked over at any moment of it. */
TEST_F_TIMEOUT(bpf, any_time, 60)
{
	pid_t pid;

	if (self->link < 0)
		SKIP(return, NONE);
	pid = walk_on(self->link);
	ASSERT_LT(0, pid);
	close_rounds(&conf, ROUNDS);
	stop(_metadata, pid);
	EXPECT_LE(0, close_wait_lingering(0));
	EXPECT_EQ(0, nsttest_stat("NstSockets"));
}

/* The send buffer is another one in the middle of a record, and nothing is lost. */
TEST_F_TIMEOUT(bpf, transfer, 60)
{
	pid_t pid, sender;
	int a, b;

	if (variant->make == make_killer)
		SKIP(return, "nothing would be left of it");
	if (self->link < 0)
		SKIP(return, NONE);
	ASSERT_EQ(0, tcptest_pair(&conf, &a, &b));
	pid = walk_on(self->link);
	ASSERT_LT(0, pid);
	sender = tcptest_sender(a, 0, TOTAL, 100000);
	EXPECT_EQ(0, tcptest_recv(b, 0, TOTAL, 100000));
	EXPECT_EQ(0, tcptest_reap(sender));
	stop(_metadata, pid);
	close(a);
	close(b);
}

TEST_HARNESS_MAIN
