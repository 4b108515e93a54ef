/* Standard normals by Box and Muller's transformation. */
#include <bordin/random/normal.h>

#include <math.h>

void bd_normal_pair(uint32_t first, uint32_t second, double *z0, double *z1)
{
    const double radius = sqrt(-2 * log(((double)first + 0.5) * 0x1p-32));
    const double angle = 6.283185307179586477 * ((double)second * 0x1p-32);
    *z0 = radius * cos(angle);
    *z1 = radius * sin(angle);
}

void bd_random_normals(uint64_t seed, uint32_t stream, bd_purpose purpose, size_t n, double *z)
{
    for (size_t i = 0; i < n; i += 4) {
        const bd_counter counter = {
            .index = (uint32_t)(i / 4), .block = (uint32_t)(i / 4 >> 32), .stream = stream, .purpose = purpose};
        uint32_t words[4];
        double four[4];
        bd_philox(seed, counter, words);
        bd_normal_pair(words[0], words[1], &four[0], &four[1]);
        bd_normal_pair(words[2], words[3], &four[2], &four[3]);
        for (size_t k = 0; k < 4 && i + k < n; k++)
            z[i + k] = four[k];
    }
}
