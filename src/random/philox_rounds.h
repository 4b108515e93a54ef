/* The constants of Philox4x32-10: Salmon, Moraes, Dror & Shaw (2011), doi:10.1145/2063384.2063405. */
#ifndef BORDIN_SRC_RANDOM_PHILOX_ROUNDS_H
#define BORDIN_SRC_RANDOM_PHILOX_ROUNDS_H

#include <stdint.h>

enum { PHILOX_ROUNDS = 10 };

static const uint32_t PHILOX_M0 = 0xD2511F53, PHILOX_M1 = 0xCD9E8D57; /* multipliers */
static const uint32_t PHILOX_W0 = 0x9E3779B9, PHILOX_W1 = 0xBB67AE85; /* what the key grows by each round */

#endif
