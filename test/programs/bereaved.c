/*
 * Has a child that asks for a signal when its parent ends (prctl(2), PR_SET_PDEATHSIG), prints `victim PID`, and ends:
 * bereaved SIGNAL. With `thread` behind it only the thread that made the child ends, and the process goes on.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static int number;

static void *have_child(void *unused)
{
  pid_t child = fork();

  (void)unused;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, number);
    execlp("victim", "victim", "wait", NULL);
    _exit(127);
  }
  printf("victim %d\n", child);
  fflush(stdout);
  usleep(600000);
  return NULL;
}

int main(int argc, char **argv)
{
  pthread_t thread;

  number = argc > 1 ? atoi(argv[1]) : SIGKILL;
  if (argc < 3) {
    have_child(NULL);
    return 0;
  }
  pthread_create(&thread, NULL, have_child, NULL);
  pthread_join(thread, NULL);
  sleep(1);
  return 0;
}
