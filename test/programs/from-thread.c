/*
 * What the first thread of a process usually does, done by a second one, with the first ended or still there:
 * from-thread kill PID SIGNAL | leave-and-kill PID SIGNAL | exec PROGRAM ARGUMENT... | fork PROGRAM ARGUMENT...
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char **arguments;
static int leaves;

static void run(char **program)
{
  execvp(program[0], program);
  _exit(127);
}

static void *second(void *unused)
{
  (void)unused;
  prctl(PR_SET_NAME, "second-thread");
  if (leaves)
    usleep(20000);
  if (!strcmp(arguments[1], "exec"))
    run(arguments + 2);
  if (!strcmp(arguments[1], "fork")) {
    pid_t child = fork();
    if (child == 0)
      run(arguments + 2);
    waitpid(child, NULL, 0);
    _exit(0);
  }
  _exit(kill(atoi(arguments[2]), atoi(arguments[3])) ? 1 : 0);
}

int main(int argc, char **argv)
{
  pthread_t thread;

  if (argc < 3)
    return 2;
  arguments = argv;
  leaves = !strcmp(argv[1], "leave-and-kill");
  pthread_create(&thread, NULL, second, NULL);
  if (leaves)
    syscall(SYS_exit, 0);
  for (;;)
    pause();
}
