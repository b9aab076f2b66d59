/* Sends a signal by the system call that its first argument names: sender CALL PID SIGNAL [THREAD]. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A siginfo that claims to come from process 1, user 4242. */
static siginfo_t forged(int number)
{
  siginfo_t info;

  memset(&info, 0, sizeof info);
  info.si_signo = number;
  info.si_code = -60;
  info.si_pid = 1;
  info.si_uid = 4242;
  return info;
}

/* kill() as a 32-bit program calls it: number 37, through the gate for 32-bit system calls. */
static long kill_32bit(pid_t pid, int number)
{
  long result;

  __asm__ volatile("int $0x80" : "=a"(result) : "a"(37L), "b"((long)pid), "c"((long)number) : "memory");
  errno = -result;
  return result < 0 ? -1 : result;
}

int main(int argc, char **argv)
{
  if (argc < 4)
    return 2;
  const char *call = argv[1];
  pid_t pid = atoi(argv[2]);
  int number = atoi(argv[3]);
  siginfo_t info = forged(number);
  long result = -1;

  if (!strcmp(call, "kill"))
    result = kill(pid, number);
  else if (!strcmp(call, "kill-32bit"))
    result = kill_32bit(pid, number);
  else if (!strcmp(call, "tkill"))
    result = syscall(SYS_tkill, pid, number);
  else if (!strcmp(call, "tgkill"))
    result = syscall(SYS_tgkill, pid, argc > 4 ? atoi(argv[4]) : pid, number);
  else if (!strcmp(call, "forge"))
    result = syscall(SYS_rt_sigqueueinfo, pid, number, &info);
  else if (!strcmp(call, "forge-thread"))
    result = syscall(SYS_rt_tgsigqueueinfo, pid, pid, number, &info);
  else if (!strcmp(call, "pidfd"))
    result = syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, pid, 0), number, NULL, 0);
  else if (!strcmp(call, "kill-as-deploy"))
    result = setresuid(1001, 1001, 1001) ? -1 : kill(pid, number);
  if (result < 0)
    printf("%s: %s\n", call, strerror(errno));
  return result < 0;
}
