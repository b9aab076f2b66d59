/* Runs a program under a pid of one's choice, in a session of its own, and waits for it: with-pid PID PROGRAM ARGUMENT... */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  if (argc < 3)
    return 2;
  pid_t number = atoi(argv[1]);
  struct clone_args how = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1 };
  long child = syscall(SYS_clone3, &how, sizeof how);

  if (child == 0) {
    setsid();
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  if (child < 0) {
    perror("with-pid");
    return 1;
  }
  waitpid(child, NULL, 0);
  return 0;
}
