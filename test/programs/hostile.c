/* Runs /bin/true under a name and with arguments made to break a line of records: hostile [ARGUMENT-BYTES]. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* Every byte but NUL, over and over. */
static char *every_byte(size_t length)
{
  char *text = malloc(length + 1);

  for (size_t i = 0; i < length; i++)
    text[i] = (char)(1 + i % 255);
  text[length] = 0;
  return text;
}

int main(int argc, char **argv)
{
  size_t length = argc > 1 ? strtoul(argv[1], NULL, 10) : 4096;

  if (argc > 2) {
    /* Keeps the hostile name, and is ended by a signal. */
    prctl(PR_SET_NAME, "a\tb\n\"\\ \xff\xc3#1=");
    kill(getpid(), 9);
  }
  execl("/bin/true", "true", every_byte(length), "", "exit\t1\t1\tpid=1\tcode=9\t#1\nexit\t2\t2\tpid=1\tcode=9\t#2\n",
        "\xc3\xa9 \xff \"quoted\" \\x41", NULL);
  return 1;
}
