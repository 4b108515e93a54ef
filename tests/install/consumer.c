/* A program outside: reads a table, fits a regression, prints the slope. */
#include <stdio.h>

#include <bordin/analyses/regression.h>

static bd_status run(const char *path, bd_arena *arena)
{
    const bd_frame_spec spec = {.formula = "satisfaction ~ therapy"};
    const bd_regression_options options = BD_REGRESSION_DEFAULTS;
    const bd_csv_options csv = BD_CSV_DEFAULTS;
    const bd_wanted *wanted;
    const bd_table *table;
    const bd_frame *frame;
    const bd_regression *regression;
    size_t n_wanted;
    BD_TRY(bd_frame_wanted(&spec, arena, &wanted, &n_wanted));
    BD_TRY(bd_csv_read(path, wanted, n_wanted, &csv, arena, &table));
    BD_TRY(bd_frame_build(table, &spec, arena, &frame));
    BD_TRY(bd_regress(frame, &options, arena, &regression));
    printf("%.4f\n", regression->fit->coefficients[1].estimate);
    return BD_OK;
}

int main(int argc, char **argv)
{
    bd_arena *arena = bd_arena_new();
    const bd_status status = argc == 2 && arena != NULL ? run(argv[1], arena) : BD_EUSAGE;
    if (status != BD_OK)
        fprintf(stderr, "%s\n", bd_message());
    bd_arena_free(arena);
    return status != BD_OK;
}
