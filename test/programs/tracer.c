/*
 * Ends a process by ptrace(2): tracer kill | inject | exit, PID. `inject` lets it go on with SIGTERM; `exit` ends with
 * PTRACE_O_EXITKILL set.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
  if (argc < 3)
    return 2;
  pid_t pid = atoi(argv[2]);

  if (ptrace(PTRACE_ATTACH, pid, 0, 0) || waitpid(pid, NULL, 0) != pid)
    return 1;
  if (!strcmp(argv[1], "kill"))
    ptrace(PTRACE_KILL, pid, 0, 0);
  else if (!strcmp(argv[1], "inject"))
    ptrace(PTRACE_CONT, pid, 0, SIGTERM);
  else
    ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL);
  usleep(100000);
  return 0;
}
