/*
 * A process, and two others that send it SIGKILL: the second right after the first, while it cannot end yet, because it
 * gives memory back in the kernel. Prints `victim PID`, `killer PID` and `rival PID`.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY (256ul << 20)

/* In memory that all share. */
enum turn { NOBODYS, VICTIMS, KILLERS, RIVALS, OVER };
static volatile enum turn *turn;

static void wait_for(enum turn own)
{
  while (*turn < own)
    usleep(50);
}

static pid_t victim_in_the_kernel(void)
{
  pid_t pid = fork();
  char *memory;

  if (pid != 0)
    return pid;
  memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(memory, MEMORY, MADV_NOHUGEPAGE);
  memset(memory, 1, MEMORY);
  wait_for(VICTIMS);
  *turn = KILLERS;
  munmap(memory, MEMORY);
  for (;;)
    pause();
}

static pid_t killer(pid_t victim, enum turn own)
{
  pid_t pid = fork();

  if (pid != 0)
    return pid;
  wait_for(own);
  kill(victim, SIGKILL);
  *turn = own + 1;
  _exit(0);
}

int main(void)
{
  turn = mmap(NULL, sizeof *turn, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t victim = victim_in_the_kernel();

  printf("victim %d\nkiller %d\nrival %d\n", victim, killer(victim, KILLERS), killer(victim, RIVALS));
  fflush(stdout);
  usleep(500000);
  *turn = VICTIMS;
  while (wait(NULL) > 0)
    ;
  return 0;
}
