/* Starts a program in an unusual way and prints the pid it has: spawn vfork|clone-parent|orphan|daemon|deep PROGRAM ARGUMENT... */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* How many forks deep `deep` goes. */
#define DEPTH 40

static int told(pid_t pid)
{
  printf("%d\n", (int)pid);
  fflush(stdout);
  return pid < 0;
}

static void run(char **program)
{
  execvp(program[0], program);
  _exit(127);
}

/* The child begins once the one that forked it has gone. */
static int abandon(char **program, int in_own_session)
{
  pid_t middle = fork();

  if (middle == 0) {
    if (in_own_session)
      setsid();
    middle = getpid();
    pid_t child = fork();
    if (child == 0) {
      while (getppid() == middle)
        usleep(100);
      run(program);
    }
    _exit(told(child));
  }
  waitpid(middle, NULL, 0);
  return 0;
}

static int descend(int depth, char **program)
{
  pid_t child = fork();

  if (child == 0) {
    if (depth > 1)
      _exit(descend(depth - 1, program));
    run(program);
  }
  if (depth == 1)
    told(child);
  waitpid(child, NULL, 0);
  return 0;
}

int main(int argc, char **argv)
{
  if (argc < 3)
    return 2;
  const char *way = argv[1];
  char **program = argv + 2;
  pid_t child;

  if (!strcmp(way, "vfork")) {
    child = vfork();
    if (child == 0)
      run(program);
    waitpid(child, NULL, 0);
    return told(child);
  }
  if (!strcmp(way, "clone-parent")) {
    child = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
    if (child == 0)
      run(program);
    return told(child);
  }
  if (!strcmp(way, "deep"))
    return descend(DEPTH, program);
  return abandon(program, !strcmp(way, "daemon"));
}
