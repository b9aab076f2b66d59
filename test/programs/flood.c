/* Makes many records: flood signals COUNT, as fast as it can; flood execs PER-SECOND SECONDS, evenly. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static void run_true(void)
{
  pid_t child = fork();

  if (child == 0) {
    execl("/bin/true", "true", "one of very many", NULL);
    _exit(1);
  }
  waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
  if (argc > 2 && !strcmp(argv[1], "signals")) {
    int count = atoi(argv[2]);
    double from = seconds();

    signal(SIGUSR1, SIG_IGN);
    for (int i = 0; i < count; i++)
      kill(getpid(), SIGUSR1);
    printf("signals=%d seconds=%.3f\n", count, seconds() - from);
    return 0;
  }
  if (argc > 3 && !strcmp(argv[1], "execs")) {
    int per_second = atoi(argv[2]), count = per_second * atoi(argv[3]);
    double from = seconds();

    for (int i = 0; i < count; i++) {
      double ahead = from + (double)i / per_second - seconds();
      if (ahead > 0)
        usleep(ahead * 1e6);
      run_true();
    }
    printf("execs=%d seconds=%.3f\n", count, seconds() - from);
    return 0;
  }
  return 2;
}
