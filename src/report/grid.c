/* From the cells of a table to what is printed of them: how many decimals, which columns are joined or left out. */
#include "report/grid.h"

#include <math.h>
#include <string.h>

#include <bordin/report/number.h>

#include "report/utf8.h"

enum { FEWEST_DECIMALS = 2, MOST_DECIMALS = 6, LARGEST_SPREAD = 2, LONGEST_TEXT = 400 };

static const double TOO_LONG = 1e8;

static bool ends_with(const char *text, const char *end)
{
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_error(const bd_heading *heading)
{
    return strcmp(heading->key, "se") == 0 || strcmp(heading->key, "sd") == 0 || ends_with(heading->key, "_se") ||
           ends_with(heading->key, "_sd");
}

/* Decimals that the estimates of one row need: for three digits of its smallest standard error or, without one, of its
 * largest number. BD_FOUR_DIGITS when no bearable number of decimals shows them. */
static int row_decimals(const bd_document_rows *table, const bd_cell *cells)
{
    double smallest_error = INFINITY, largest = 0;
    for (size_t j = 0; j < table->n_headings; j++) {
        const double magnitude = fabs(cells[j].number);
        if (table->headings[j].class != BD_ESTIMATE || !cells[j].present || cells[j].text != NULL ||
            !isfinite(magnitude) || magnitude == 0)
            continue;
        largest = fmax(largest, magnitude);
        if (is_error(&table->headings[j]))
            smallest_error = fmin(smallest_error, magnitude);
    }
    const int needed = bd_decimals_for(isinf(smallest_error) ? largest : smallest_error, 3);
    if (needed > MOST_DECIMALS + 1 || largest >= TOO_LONG)
        return BD_FOUR_DIGITS;
    return needed < FEWEST_DECIMALS ? FEWEST_DECIMALS : needed > MOST_DECIMALS ? MOST_DECIMALS : needed;
}

/* decimals[row]: one number for the table where the rows need about the same, else each row's own. */
static bd_status choose_decimals(const bd_document_rows *table, bd_arena *arena, int **decimals)
{
    BD_NEW(arena, *decimals, table->n_rows);
    int fewest = MOST_DECIMALS, most = FEWEST_DECIMALS;
    for (size_t i = 0; i < table->n_rows; i++) {
        const int needed = row_decimals(table, table->rows[i]);
        (*decimals)[i] = needed;
        if (needed == BD_FOUR_DIGITS)
            continue;
        fewest = needed < fewest ? needed : fewest;
        most = needed > most ? needed : most;
    }
    for (size_t i = 0; i < table->n_rows && most - fewest <= LARGEST_SPREAD; i++)
        if ((*decimals)[i] != BD_FOUR_DIGITS)
            (*decimals)[i] = most;
    return BD_OK;
}

/* A label that no page could hold is cut between two characters; JSON and CSV have the whole of it. */
static bd_status print_text(const char *whole, bd_arena *arena, const char **text)
{
    size_t length = strnlen(whole, LONGEST_TEXT + 1);
    if (length <= LONGEST_TEXT)
        return bd_utf8_clean(whole, BD_BLANK_CONTROLS, arena, text);
    for (length = LONGEST_TEXT; length > 0 && ((unsigned char)whole[length] & 0xc0) == 0x80;)
        length--;
    BD_TRY(bd_copy_text(arena, whole, length, text));
    BD_TRY(bd_utf8_clean(*text, BD_BLANK_CONTROLS, arena, text));
    return bd_print(arena, text, "%s\u2026", *text);
}

static bd_status print_cell(const bd_heading *heading, const bd_cell *cell, int decimals, bd_arena *arena,
                            const char **text)
{
    if (cell->present && cell->text == NULL && heading->class == BD_ESTIMATE) {
        const bd_shown shown = bd_show_decimals(cell->number, decimals);
        return bd_copy_text(arena, shown.text, strlen(shown.text), text);
    }
    return bd_grid_cell(heading->class, cell, arena, text);
}

bd_status bd_grid_cell(bd_class class, const bd_cell *cell, bd_arena *arena, const char **text)
{
    *text = "";
    if (!cell->present)
        return BD_OK;
    if (cell->text != NULL)
        return print_text(cell->text, arena, text);
    const bd_shown shown = bd_show(class, cell->number);
    return bd_copy_text(arena, shown.text, strlen(shown.text), text);
}

/* Whether columns j and j + 1 are the ends of one interval. */
static bool is_pair(const bd_document_rows *table, size_t j)
{
    if (j + 1 >= table->n_headings || table->headings[j].class != table->headings[j + 1].class)
        return false;
    const char *low = table->headings[j].key, *high = table->headings[j + 1].key;
    const size_t stem = strlen(low) - (ends_with(low, "_low") ? strlen("_low") : 0);
    return ends_with(low, "_low") && ends_with(high, "_high") && strlen(high) == stem + strlen("_high") &&
           strncmp(low, high, stem) == 0;
}

static bd_status join(bd_class class, const char *low, const char *high, bd_arena *arena, const char **text)
{
    *text = "";
    if (*low == '\0' && *high == '\0')
        return BD_OK;
    return bd_print(arena, text, class == BD_MC_ERROR ? "%s, %s" : "[%s, %s]", *low == '\0' ? "--" : low,
                    *high == '\0' ? "--" : high);
}

static bd_status pair_heading(const bd_heading *low, const bd_heading *high, bd_arena *arena, const char **heading)
{
    *heading = low->heading;
    if (*high->heading == '\0' || strcmp(low->heading, high->heading) == 0)
        return BD_OK;
    if (*low->heading == '\0') {
        *heading = high->heading;
        return BD_OK;
    }
    return bd_print(arena, heading, low->class == BD_MC_ERROR ? "%s, %s" : "[%s, %s]", low->heading, high->heading);
}

/* Column j of the table, with j + 1 when they are a pair. */
static bd_status print_column(const bd_document_rows *table, size_t j, const int *decimals, bd_arena *arena,
                              bd_grid_column *column)
{
    const bd_heading *heading = &table->headings[j];
    const char *title = heading->heading;
    column->is_text = heading->class == BD_TEXT;
    column->is_pair = is_pair(table, j);
    if (column->is_pair)
        BD_TRY(pair_heading(heading, heading + 1, arena, &title));
    BD_TRY(bd_utf8_clean(title, BD_BLANK_CONTROLS, arena, &column->heading));
    BD_NEW(arena, column->cells, table->n_rows);
    BD_NEW(arena, column->on_point, table->n_rows);
    for (size_t i = 0; i < table->n_rows; i++) {
        const bd_cell *cell = &table->rows[i][j];
        BD_TRY(print_cell(heading, cell, decimals[i], arena, &column->cells[i]));
        column->on_point[i] = !column->is_text && !column->is_pair && cell->present && cell->text == NULL;
        if (column->is_pair) {
            const char *high = NULL;
            BD_TRY(print_cell(heading + 1, cell + 1, decimals[i], arena, &high));
            BD_TRY(join(heading->class, column->cells[i], high, arena, &column->cells[i]));
        }
    }
    return BD_OK;
}

static bool is_empty(const bd_grid_column *column, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++)
        if (*column->cells[i] != '\0')
            return false;
    return true;
}

bd_status bd_grid_of(const bd_document_rows *table, bd_arena *arena, const bd_grid **grid)
{
    bd_grid *made;
    int *decimals;
    BD_NEW(arena, made, 1);
    BD_NEW(arena, made->columns, table->n_headings);
    made->n_rows = table->n_rows;
    BD_TRY(choose_decimals(table, arena, &decimals));
    for (size_t j = 0; j < table->n_headings;) {
        bd_grid_column *column = &made->columns[made->n_columns];
        *column = (bd_grid_column){0};
        BD_TRY(print_column(table, j, decimals, arena, column));
        j += column->is_pair ? 2 : 1;
        if (!is_empty(column, table->n_rows) || table->n_rows == 0)
            made->n_columns++;
    }
    *grid = made;
    return BD_OK;
}
