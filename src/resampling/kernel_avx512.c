/* The kernel for x86-64 with AVX-512, thirty-two registers of eight doubles. */
#define KERNEL_BYTES 64
#define KERNEL_ROWS 6
#include "resampling/kernel_body.h"

const kernel kernel_avx512 = {"AVX-512", fill, draw, accumulate};
