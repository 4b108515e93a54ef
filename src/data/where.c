/* Conditions: which columns they name, and which rows they are true of. */
#include "data/where.h"

#include <math.h>

#include <bordin/data/frame.h>

bd_status bd_where_wanted(const char *where, bd_arena *arena, const bd_wanted **wanted, size_t *n_wanted)
{
    const syntax_source source = {"--where", where};
    wanted_list list = {0};
    node *tree = NULL;
    if (where != NULL) {
        BD_TRY(syntax_parse(&source, arena, &tree));
        BD_TRY(add_wanted(tree, BD_USE_NUMBERS, arena, &list));
    }
    *wanted = list.items;
    *n_wanted = list.n;
    return BD_OK;
}

bd_status where_select(const bd_table *table, const syntax_source *source, const node *where, bd_arena *arena,
                       const size_t **out, size_t *n_out)
{
    evaluation e = {.table = table, .n_rows = table->n_rows, .source = source, .arena = arena};
    values condition = {0};
    size_t *rows, n = 0;
    BD_TRY(bd_while(evaluate_numbers(&e, where, "a condition", &condition), "--where"));
    BD_NEW(arena, rows, table->n_rows);
    for (size_t i = 0; i < table->n_rows; i++) {
        const double holds = condition.numbers[i * condition.step];
        if (holds != 0 && !isnan(holds))
            rows[n++] = i;
    }
    if (n == 0)
        return bd_fail(BD_EDATA, "%s: no row is left by --where '%s'", table->source, source->text);
    *out = rows;
    *n_out = n;
    return BD_OK;
}

bd_status bd_where_rows(const bd_table *table, const char *where, bd_arena *arena, const size_t **rows, size_t *n_rows)
{
    const syntax_source source = {"--where", where};
    node *tree = NULL;
    *rows = NULL;
    *n_rows = table->n_rows;
    if (where == NULL)
        return BD_OK;
    BD_TRY(syntax_parse(&source, arena, &tree));
    return where_select(table, &source, tree, arena, rows, n_rows);
}
