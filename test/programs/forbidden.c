/* Calls what its seccomp(2) rules forbid: forbidden strict | kill | kill-thread | trap. */
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All but getppid is allowed. */
static void forbid_getppid(unsigned action)
{
  struct sock_filter rules[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, action),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { sizeof rules / sizeof *rules, rules };

  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
  const char *how = argc > 1 ? argv[1] : "";

  if (!strcmp(how, "strict"))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
  else if (!strcmp(how, "kill"))
    forbid_getppid(SECCOMP_RET_KILL_PROCESS);
  else if (!strcmp(how, "kill-thread"))
    forbid_getppid(SECCOMP_RET_KILL_THREAD);
  else if (!strcmp(how, "trap"))
    forbid_getppid(SECCOMP_RET_TRAP);
  else
    return 2;
  syscall(SYS_getppid);
  return 3;
}
