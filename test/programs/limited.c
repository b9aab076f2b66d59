/*
 * Reaches a limit, or lets a timer of its own run out: limited cpu SOFT HARD | file | alarm | virtual | timer SIGNAL.
 * Limits in seconds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void spin(void)
{
  for (volatile unsigned long i = 0;; i++)
    ;
}

static void write_too_much(void)
{
  struct rlimit limit = { 4096, 4096 };
  int file = memfd_create("small", 0);
  char page[4096] = "";

  setrlimit(RLIMIT_FSIZE, &limit);
  while (write(file, page, sizeof page) > 0)
    ;
}

static void set_timer(int number)
{
  struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = number };
  struct itimerspec soon = { .it_value.tv_nsec = 200000000 };
  timer_t timer;

  if (!timer_create(CLOCK_MONOTONIC, &event, &timer))
    timer_settime(timer, 0, &soon, NULL);
}

int main(int argc, char **argv)
{
  struct itimerval soon = { .it_value.tv_usec = 200000 };

  if (argc < 2)
    return 2;
  if (!strcmp(argv[1], "cpu")) {
    struct rlimit limit = { atoi(argv[2]), atoi(argv[3]) };

    setrlimit(RLIMIT_CPU, &limit);
    spin();
  }
  if (!strcmp(argv[1], "file"))
    write_too_much();
  if (!strcmp(argv[1], "alarm"))
    setitimer(ITIMER_REAL, &soon, NULL);
  if (!strcmp(argv[1], "timer"))
    set_timer(atoi(argv[2]));
  if (!strcmp(argv[1], "virtual")) {
    setitimer(ITIMER_VIRTUAL, &soon, NULL);
    spin();
  }
  for (;;)
    pause();
}
